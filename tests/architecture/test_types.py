"""Everything is typed, strictly."""

from __future__ import annotations

from tests.architecture.tools import complaints_of


def test_mypy_has_no_complaint() -> None:
    assert complaints_of("mypy") == ""
