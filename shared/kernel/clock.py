"""Time comes in from outside: the core never reads a clock."""

from __future__ import annotations

from enum import IntEnum
from typing import Protocol


class ClockQuality(IntEnum):
    """How far the wall clock can be trusted; stored with every journal entry as `clk`."""

    UNSYNCED = 0
    RTC = 1
    NTP = 2


class Clock(Protocol):
    """Where time comes from."""

    def now_ms(self) -> int:
        """UTC milliseconds since 1970."""
        ...

    def mono_ms(self) -> int:
        """Milliseconds since boot; never goes back."""
        ...

    def quality(self) -> ClockQuality:
        """Trust in `now_ms`."""
        ...
