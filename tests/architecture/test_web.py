"""Both web apps pass svelte-check, with warnings as errors."""

from __future__ import annotations

from tests.architecture.tools import complaints_of


def test_svelte_check_has_no_complaint() -> None:
    assert complaints_of("python", "hatch_build.py", "npm", "run", "check") == ""
