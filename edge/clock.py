"""The two clocks of a box: the machine's, and one that can be set in training mode.

The only module of the box that reads the time.
"""

from __future__ import annotations

import ctypes
import threading
import time

from shared.kernel.clock import Clock, ClockQuality

_ADJTIMEX_ERROR = 5
"""Return value of adjtimex(2) while the kernel's clock is not disciplined (TIME_ERROR)."""
_TIMEX_BYTES = 208
_QUALITY_PERIOD_S = 30.0


class SystemClock:
    """Wall clock of the machine; its quality is what the kernel says about synchronisation."""

    def __init__(self) -> None:
        self._quality = ClockQuality.UNSYNCED
        self._quality_until_s = 0.0

    def now_ms(self) -> int:
        """UTC milliseconds since 1970."""
        return time.time_ns() // 1_000_000

    def mono_ms(self) -> int:
        """Milliseconds since boot."""
        return time.monotonic_ns() // 1_000_000

    def quality(self) -> ClockQuality:
        """NTP while the kernel's clock is disciplined, else unsynced; asked every 30 s."""
        now_s = time.monotonic()
        if now_s >= self._quality_until_s:
            self._quality = _kernel_quality()
            self._quality_until_s = now_s + _QUALITY_PERIOD_S
        return self._quality


class VirtualClock:
    """For training and replays: shows the machine's time until it is set to an instant.

    Set to an instant it stands still, so that a whole receipt is priced at one moment.
    """

    def __init__(self, base: Clock) -> None:
        self._base = base
        self._lock = threading.Lock()
        self._fixed_ms: int | None = None

    def set_ms(self, at_ms: int | None) -> None:
        """Stop the clock at `at_ms` (UTC milliseconds); None lets it run with the machine."""
        with self._lock:
            self._fixed_ms = at_ms

    def now_ms(self) -> int:
        """UTC milliseconds since 1970, or the instant that was set."""
        fixed = self._fixed_ms
        return self._base.now_ms() if fixed is None else fixed

    def mono_ms(self) -> int:
        """Milliseconds since boot, always the machine's."""
        return self._base.mono_ms()

    def quality(self) -> ClockQuality:
        """A clock that was set by hand is taken at its word: training sells nothing real."""
        return self._base.quality() if self._fixed_ms is None else ClockQuality.NTP


def _kernel_quality() -> ClockQuality:
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        state = libc.adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):
        return ClockQuality.UNSYNCED
    return ClockQuality.UNSYNCED if state in {-1, _ADJTIMEX_ERROR} else ClockQuality.NTP
