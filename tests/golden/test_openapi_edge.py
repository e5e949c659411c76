"""The box's API as its clients know it; the till page's types are made from this file."""

from __future__ import annotations

import difflib
import subprocess
import sys
from pathlib import Path

GOLDEN = Path(__file__).with_name("openapi_edge.json")
REGENERATE = "python -m edge.http.openapi > tests/golden/openapi_edge.json"


def test_the_api_did_not_change_unnoticed() -> None:
    made = subprocess.run(
        [sys.executable, "-m", "edge.http.openapi"], capture_output=True, text=True, check=True
    )
    committed = GOLDEN.read_text(encoding="utf-8")
    changes = "\n".join(
        difflib.unified_diff(
            committed.splitlines(), made.stdout.splitlines(), "committed", "now", lineterm=""
        )
    )
    assert committed == made.stdout, f"{changes}\n\nIf that is meant: {REGENERATE}"
