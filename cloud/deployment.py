"""Facts of this installation that no person chooses, kept in the database."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import text

from cloud.db import INCARNATION_BUMPS, Database, incarnation

SHARE_GROUP = "share_group"

_KEEP = text(
    "INSERT INTO deployment (key, value) VALUES (:key, :value) ON CONFLICT (key) DO NOTHING"
)
_BUMP = text("""
    INSERT INTO deployment (key, value) VALUES (:key, '1')
    ON CONFLICT (key) DO UPDATE SET value = (deployment.value::bigint + 1)::text""")
_READ = text("SELECT value FROM deployment WHERE key = :key")


def share_group(database: Database, random_bytes: Callable[[int], bytes]) -> str:
    """The secret name of the workers' shared subscription, made once per installation.

    Whoever knows it can take batches away from the workers, so it is neither a constant nor told.
    """
    with database.begin() as connection:
        connection.execute(_KEEP, {"key": SHARE_GROUP, "value": random_bytes(16).hex()})
        return str(connection.execute(_READ, {"key": SHARE_GROUP}).scalar_one())


def bump_incarnation(database: Database) -> str:
    """Begin a new life of the database by hand; answers its name.

    For a copy of the data folder put back while PostgreSQL was stopped: the server goes on in its
    old timeline and cannot know that it lost something.
    """
    with database.begin() as connection:
        connection.execute(_BUMP, {"key": INCARNATION_BUMPS})
        return incarnation(connection)
