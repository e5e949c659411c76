"""Ruff finds nothing to say, and everything has its one format."""

from __future__ import annotations

import re

from tests.architecture.sources import ROOT, files
from tests.architecture.tools import complaints_of

UNREASONED = re.compile(r"#\s*noqa:[A-Z0-9 ,]*\bS\d+[A-Z0-9 ,]*$", re.MULTILINE)


def test_ruff_has_no_complaint() -> None:
    assert complaints_of("ruff", "check") == ""


def test_every_file_is_formatted() -> None:
    assert complaints_of("ruff", "format", "--check") == ""


def test_every_exception_from_a_security_rule_says_why() -> None:
    ours = (path for path in files() if path.suffix == ".py" and path.parts[0] != "tests")
    found = [
        f"{path}: {line.group()}"
        for path in ours
        for line in UNREASONED.finditer((ROOT / path).read_text(encoding="utf-8"))
    ]
    assert found == []
