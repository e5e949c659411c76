"""How long things take, as percentiles of a period: counted in steps, so memory stays the same."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

STEP = 1.1
"""Each step's limit is a tenth above the one before: so exact is a percentile."""
LONGEST_MS = 600_000
WAITING_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of `count` measurements; in ms, at most a tenth too high. None without any."""

    count: int = 0
    p50_ms: int | None = None
    p99_ms: int | None = None


def _limits() -> tuple[int, ...]:
    limits = [0, 1]
    while limits[-1] < LONGEST_MS:
        limits.append(max(limits[-1] + 1, int(limits[-1] * STEP)))
    return tuple(limits)


LIMITS_MS = _limits()


class Histogram:
    """Durations of one kind since they were last taken; from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = [0] * len(LIMITS_MS)

    def add(self, took_ms: int) -> None:
        """Count one; a longer one than `LONGEST_MS` counts as that."""
        step = bisect_left(LIMITS_MS, min(max(took_ms, 0), LIMITS_MS[-1]))
        with self._lock:
            self._counts[step] += 1

    def take(self) -> Percentiles:
        """The percentiles of what was counted, and begin anew."""
        with self._lock:
            counts, self._counts = self._counts, [0] * len(LIMITS_MS)
        total = sum(counts)
        if not total:
            return Percentiles()
        return Percentiles(total, _at(counts, total, 50), _at(counts, total, 99))


def _at(counts: list[int], total: int, percent: int) -> int:
    wanted, seen = -(-total * percent // 100), 0
    for limit_ms, count in zip(LIMITS_MS, counts, strict=True):
        seen += count
        if seen >= wanted:
            return limit_ms
    return LIMITS_MS[-1]


class Stopwatches:
    """From a scan to the screen, and from a sale to head office's acknowledgement."""

    def __init__(self, mono_ms: Callable[[], int], is_online: Callable[[], bool]) -> None:
        self._mono_ms = mono_ms
        self._is_online = is_online
        self._unacked: deque[tuple[int, int]] = deque(maxlen=WAITING_MAX)
        self.scans = Histogram()
        self.sync = Histogram()

    def scanned(self, shown: Future[Any]) -> None:
        """Measure until a scan's view is out; what failed counts as well, it was shown."""
        began_ms = self._mono_ms()
        shown.add_done_callback(lambda _: self.scans.add(self._mono_ms() - began_ms))

    def sold(self, seq: int) -> None:
        """Entry `seq` is a sale. One that is made offline measures the line and is not counted."""
        if self._is_online():
            self._unacked.append((seq, self._mono_ms()))

    def acked(self, seq: int) -> None:
        """Head office has everything up to `seq`."""
        now_ms = self._mono_ms()
        while self._unacked and self._unacked[0][0] <= seq:
            self.sync.add(now_ms - self._unacked.popleft()[1])
