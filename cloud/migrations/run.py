"""Bring a database to the newest step; the one module that loads Alembic."""

from __future__ import annotations

from alembic import command
from alembic.config import Config

from cloud.db import Database
from cloud.migrations import newest

MIGRATION_LOCK = 7_461_001
"""Advisory lock: two servers that start together must not both migrate."""


def migrate(database: Database) -> str:
    """Run every step that is missing, in one transaction each; returns the newest number."""
    config = _config()
    with database.session_lock(MIGRATION_LOCK) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return newest()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "cloud:migrations")
    return config
