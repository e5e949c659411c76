"""Facts of this installation that no person chooses, kept in the database."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import text

from cloud.db import Database

SHARE_GROUP = "share_group"

_KEEP = text(
    "INSERT INTO deployment (key, value) VALUES (:key, :value) ON CONFLICT (key) DO NOTHING"
)
_READ = text("SELECT value FROM deployment WHERE key = :key")


def share_group(database: Database, random_bytes: Callable[[int], bytes]) -> str:
    """The secret name of the workers' shared subscription, made once per installation.

    Whoever knows it can take batches away from the workers, so it is neither a constant nor told.
    """
    with database.begin() as connection:
        connection.execute(_KEEP, {"key": SHARE_GROUP, "value": random_bytes(16).hex()})
        return str(connection.execute(_READ, {"key": SHARE_GROUP}).scalar_one())
