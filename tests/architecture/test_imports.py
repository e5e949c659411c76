"""The arrows between rooms point one way (contracts in pyproject.toml)."""

from __future__ import annotations

from tests.architecture.tools import complaints_of


def test_rooms_import_only_what_lies_below() -> None:
    assert complaints_of("lint-imports") == ""
