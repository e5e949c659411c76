"""How a command speaks: one line on standard output, at once."""

from __future__ import annotations

import sys


def say(text: str) -> None:
    """Print a line, also into a pipe."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
