"""After wrong PINs: wait, longer each time, up to an hour. Per operator, by the monotonic clock.

Three tries are free, then the wait doubles from five seconds on: a PIN of four digits that is none
of the weak ones stands for about a year of trying without a pause, and head office is told at the
tenth try. What is counted outlives a restart; a restart begins the wait anew.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Protocol

from shared.kernel.errors import RefusedError

FREE_TRIES = 3
WAIT_MIN_MS = 5_000
WAIT_MAX_MS = 3_600_000
ALARM_TRIES = 10
"""So many in a row, and each time they have doubled since, are told to head office."""
NOBODY = ""
"""All whom nobody knows share one wait: their names must not crowd out that of a manager."""
_TRACKED_MAX = 1000


class Failures(Protocol):
    """Where wrong PINs in a row are kept."""

    def failures(self) -> Mapping[str, int]:
        """Wrong PINs in a row, by operator."""
        ...

    def put_failures(self, operator: str, times: int) -> None:
        """So many in a row; 0 forgets them."""
        ...


class Forgetful:
    """Keeps nothing."""

    def failures(self) -> Mapping[str, int]:
        """None at all."""
        return {}

    def put_failures(self, operator: str, times: int) -> None:
        """Keep nothing."""


class Lockout:
    """Counts failures; usable from any thread.

    Under `turn` a PIN is tried and its failure counted: many at once get no more tries.
    """

    def __init__(
        self,
        kept: Failures | None = None,
        alarm: Callable[[str, int, int], None] = lambda _operator, _tries, _wait_s: None,
    ) -> None:
        self.turn = threading.Lock()
        self._lock = threading.Lock()
        self._kept = kept or Forgetful()
        self._alarm = alarm
        self._failures: dict[str, tuple[int, int]] = {}

    def load(self, mono_ms: int) -> None:
        """Go on where the box was before its restart."""
        with self._lock:
            self._failures = {
                operator: (times, mono_ms + wait_ms(times))
                for operator, times in self._kept.failures().items()
            }

    def check(self, operator: str, mono_ms: int) -> None:
        """RefusedError `session.locked_out` with the seconds to wait."""
        with self._lock:
            _, until_ms = self._failures.get(operator, (0, 0))
        if mono_ms < until_ms:
            raise RefusedError("session.locked_out", wait_s=-(-(until_ms - mono_ms) // 1000))

    def failed(self, operator: str, mono_ms: int) -> None:
        """One more wrong PIN: from the third on the wait doubles up to an hour."""
        with self._lock:
            if len(self._failures) >= _TRACKED_MAX:
                self._failures.clear()
            count = self._failures.get(operator, (0, 0))[0] + 1
            self._failures[operator] = (count, mono_ms + wait_ms(count))
        if operator != NOBODY:
            self._kept.put_failures(operator, count)
        if _is_told(count):
            self._alarm(operator, count, wait_ms(count) // 1000)

    def succeeded(self, operator: str) -> None:
        """The right PIN: forget the failures."""
        with self._lock:
            was_wrong = self._failures.pop(operator, None) is not None
        if was_wrong and operator != NOBODY:
            self._kept.put_failures(operator, 0)

    def worst(self) -> int:
        """The most wrong PINs in a row of anybody."""
        with self._lock:
            return max((count for count, _ in self._failures.values()), default=0)


def wait_ms(count: int) -> int:
    """How long to wait after so many wrong PINs in a row."""
    if count < FREE_TRIES:
        return 0
    return min(WAIT_MAX_MS, WAIT_MIN_MS << min(count - FREE_TRIES, 20))


def _is_told(count: int) -> bool:
    doubled, rest = divmod(count, ALARM_TRIES)
    return not rest and doubled > 0 and not doubled & (doubled - 1)
