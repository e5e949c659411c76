"""SECURITY.md names the tests that hold its promises: they are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_each_test_that_is_named_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "SECURITY.md").read_text(encoding="utf-8")))
    sources = (path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    found = {name for source in sources for name in re.findall(r"(?m)^def (test_\w+)", source)}
    assert len(named) > 25
    assert named - found == set()
