"""Waiting for what a browser cannot see."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.lab.net import sleep_briefly


def until(is_so: Callable[[], bool], what: str, timeout_s: float = 15) -> float:
    """Wait for a condition; the seconds it took, or an AssertionError that names it."""
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < timeout_s, f"gave up waiting for {what}"
        sleep_briefly()
    return time.monotonic() - began
