"""After wrong PINs: wait, longer each time. Per operator, in memory, by the monotonic clock."""

from __future__ import annotations

import threading

from shared.kernel.errors import RefusedError

FREE_TRIES = 3
WAIT_MIN_MS = 5_000
WAIT_MAX_MS = 300_000
_TRACKED_MAX = 1000


class Lockout:
    """Counts failures; usable from any thread.

    Under `turn` a PIN is tried and its failure counted: many at once get no more tries.
    """

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self._lock = threading.Lock()
        self._failures: dict[str, tuple[int, int]] = {}

    def check(self, operator: str, mono_ms: int) -> None:
        """RefusedError `session.locked_out` with the seconds to wait."""
        with self._lock:
            _, until_ms = self._failures.get(operator, (0, 0))
        if mono_ms < until_ms:
            raise RefusedError("session.locked_out", wait_s=-(-(until_ms - mono_ms) // 1000))

    def failed(self, operator: str, mono_ms: int) -> None:
        """One more wrong PIN: from the third on the wait doubles up to five minutes."""
        with self._lock:
            if len(self._failures) >= _TRACKED_MAX:
                self._failures.clear()
            count = self._failures.get(operator, (0, 0))[0] + 1
            wait_ms = 0
            if count >= FREE_TRIES:
                wait_ms = min(WAIT_MAX_MS, WAIT_MIN_MS * 2 ** min(count - FREE_TRIES, 10))
            self._failures[operator] = (count, mono_ms + wait_ms)

    def succeeded(self, operator: str) -> None:
        """The right PIN: forget the failures."""
        with self._lock:
            self._failures.pop(operator, None)
