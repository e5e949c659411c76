"""Schema of the cloud's database: forward only, each step with an after-check.

A step expands (new tables, new nullable columns), a later release contracts. There is no
`downgrade`: going back is a new step. Each step runs in one transaction with its check.
"""

from __future__ import annotations

from pathlib import Path

_STEPS = Path(__file__).parent / "versions"


def newest() -> str:
    """The number of the newest step in this installation: its file is `v<number>_<what>.py`."""
    return max(path.name[1:].partition("_")[0] for path in _STEPS.glob("v*_*.py"))
