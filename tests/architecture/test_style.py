"""Ruff finds nothing to say, and everything has its one format."""

from __future__ import annotations

from tests.architecture.tools import complaints_of


def test_ruff_has_no_complaint() -> None:
    assert complaints_of("ruff", "check") == ""


def test_every_file_is_formatted() -> None:
    assert complaints_of("ruff", "format", "--check") == ""
