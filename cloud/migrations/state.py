"""Whether a database is at the newest step; asks without Alembic, which is slow to load."""

from __future__ import annotations

from pathlib import Path

from cloud.db import Database
from shared.kernel.errors import UnavailableError

_STEPS = Path(__file__).parent / "versions"
_TABLE = "SELECT to_regclass('alembic_version')"
_STEP = "SELECT version_num FROM alembic_version"


def newest() -> str:
    """The number of the newest step in this installation: its file is `v<number>_<what>.py`."""
    return max(path.name[1:].partition("_")[0] for path in _STEPS.glob("v*_*.py"))


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
