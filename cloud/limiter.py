"""How often somebody may guess: a bounded number of failures per key and window."""

from __future__ import annotations

from collections import deque
from threading import Lock

KEYS_MAX = 10_000


class FailureLimiter:
    """Counts failures per key within a sliding window; thread-safe, in memory only."""

    def __init__(self, *, failures_max: int, window_ms: int) -> None:
        self._failures_max = failures_max
        self._window_ms = window_ms
        self._failures: dict[str, deque[int]] = {}
        self._lock = Lock()

    def wait_ms(self, key: str, mono_ms: int) -> int:
        """How long this key has to wait before the next try; 0 when it may go on."""
        with self._lock:
            times = self._recent(key, mono_ms)
            if len(times) < self._failures_max:
                return 0
            return times[0] + self._window_ms - mono_ms

    def failed(self, key: str, mono_ms: int) -> None:
        """Count one failure."""
        with self._lock:
            self._recent(key, mono_ms).append(mono_ms)
            while len(self._failures) > KEYS_MAX:
                self._failures.pop(next(iter(self._failures)))

    def succeeded(self, key: str) -> None:
        """Forget a key's failures."""
        with self._lock:
            self._failures.pop(key, None)

    def _recent(self, key: str, mono_ms: int) -> deque[int]:
        times = self._failures.setdefault(key, deque(maxlen=self._failures_max))
        while times and times[0] <= mono_ms - self._window_ms:
            times.popleft()
        return times
