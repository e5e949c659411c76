"""Bring a database to the newest step, and tell whether it is there."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from cloud.db import Database
from shared.kernel.errors import UnavailableError

MIGRATION_LOCK = 7_461_001
"""Advisory lock: two servers that start together must not both migrate."""


def newest() -> str:
    """The number of the newest step in this installation."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise RuntimeError("this installation carries no migrations")
    return head


def migrate(database: Database) -> str:
    """Run every step that is missing, in one transaction each; returns the newest number."""
    config = _config()
    with database.session_lock(MIGRATION_LOCK) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return newest()


def require_migrated(database: Database) -> None:
    """Raise UnavailableError `database.not_migrated` unless the newest step has run."""
    with database.begin() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found != newest():
        raise UnavailableError("database.not_migrated", found=found, newest=newest())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "cloud:migrations")
    return config
