"""Whether a database is at the newest step; asks without Alembic, which is slow to load."""

from __future__ import annotations

from cloud.db import Database
from cloud.migrations import newest
from shared.kernel.errors import UnavailableError

_TABLE = "SELECT to_regclass('alembic_version')"
_STEP = "SELECT version_num FROM alembic_version"


def found_step(database: Database) -> str | None:
    """The step that a database is at; None for an empty one."""
    with database.begin() as connection:
        if connection.exec_driver_sql(_TABLE).scalar_one() is None:
            return None
        step: str | None = connection.exec_driver_sql(_STEP).scalar_one_or_none()
        return step


def is_migrated(database: Database) -> bool:
    """Whether the newest step has run."""
    return found_step(database) == newest()


def require_migrated(database: Database) -> None:
    """Raise UnavailableError `database.not_migrated` unless the newest step has run."""
    found = found_step(database)
    if found != newest():
        raise UnavailableError("database.not_migrated", found=found, newest=newest())
