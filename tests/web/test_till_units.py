"""The pure parts of the till page and of what both pages share, tried in Node."""

from __future__ import annotations

from tests.architecture.tools import complaints_of


def test_the_tills_own_tests_pass() -> None:
    workspace = ("--workspace", "edge/web")
    assert complaints_of("python", "hatch_build.py", "npm", "run", "test", *workspace) == ""
