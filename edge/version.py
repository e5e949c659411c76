"""Which software runs on this box; stored with every journal entry as `sw`."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def software_version() -> str:
    """Version of the installed distribution, "0" when run from a bare source tree."""
    try:
        return version("tillbox")
    except PackageNotFoundError:
        return "0"
