"""The console's pure parts, tried in Node by their own runner."""

from __future__ import annotations

from tests.architecture.tools import complaints_of


def test_the_consoles_own_tests_pass() -> None:
    workspace = ("--workspace", "cloud/web")
    assert complaints_of("python", "hatch_build.py", "npm", "run", "test", *workspace) == ""
