"""The box's side of a check: what a scanner delivered, and waiting for what the kernel does."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

PATIENCE_S = 10.0
POLL_S = 0.005


def until(is_so: Callable[[], bool], what: str, within_s: float = PATIENCE_S) -> float:
    """Seconds until it was so; AssertionError that names it when that took too long."""
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < within_s, f"gave up waiting for {what}"
        time.sleep(POLL_S)
    return time.monotonic() - began


@dataclass
class Till:
    """Takes codes and troubles as a lane does; `slow_s` is a lane that is busy with each code."""

    slow_s: float = 0
    codes: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    def scanned(self, code: str) -> None:
        self.codes.append(code)
        time.sleep(self.slow_s)

    def trouble(self, code: str) -> None:
        self.troubles.append(code)
