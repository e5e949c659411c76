"""After wrong PINs: wait, longer each time, up to an hour. By the monotonic clock.

Counted per operator and place: a till's own screens, everybody else who reaches the lane over the
network, and whoever shows the operator's badge. So nobody makes a person wait at the till in front
of them by guessing from elsewhere. Three tries are free, then the wait doubles from five seconds
on: 24 PINs a day at each place, of about 9,000 that are not weak. Head office is told at the tenth
wrong one in all. What is counted outlives a restart, which begins the wait anew, and is forgotten
after a day without a wrong one: that gives a guesser less than the hour's wait does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from shared.kernel.errors import RefusedError

FREE_TRIES = 3
WAIT_MIN_MS = 5_000
WAIT_MAX_MS = 3_600_000
FORGET_MS = 24 * 3_600_000
ALARM_TRIES = 10
"""So many of one operator, and each time they have doubled since, are told to head office."""
NOBODY = ""
"""All whom nobody knows share one wait: their names must not crowd out that of a manager."""
TRACKED_MAX = 4000


class Failures(Protocol):
    """Where wrong PINs in a row are kept."""

    def failures(self) -> Mapping[tuple[str, str], int]:
        """Wrong PINs in a row, by operator and place."""
        ...

    def put_failures(self, operator: str, place: str, times: int) -> None:
        """So many in a row; 0 forgets them."""
        ...


class Forgetful:
    """Keeps nothing."""

    def failures(self) -> Mapping[tuple[str, str], int]:
        """None at all."""
        return {}

    def put_failures(self, operator: str, place: str, times: int) -> None:
        """Keep nothing."""


class _Wrong(NamedTuple):
    times: int
    until_ms: int
    last_ms: int


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
        self._wrong: dict[tuple[str, str], _Wrong] = {}

    def load(self, mono_ms: int) -> None:
        """Go on where the box was before its restart."""
        with self._lock:
            self._wrong = {
                key: _Wrong(times, mono_ms + wait_ms(times), mono_ms)
                for key, times in self._kept.failures().items()
            }

    def check(self, operator: str, place: str, mono_ms: int) -> None:
        """RefusedError `session.locked_out` with the seconds to wait."""
        with self._lock:
            found = self._wrong.get((operator, place))
        if found is not None and mono_ms < found.until_ms:
            raise RefusedError("session.locked_out", wait_s=-(-(found.until_ms - mono_ms) // 1000))

    def failed(self, operator: str, place: str, mono_ms: int) -> None:
        """One more wrong PIN: from the third on the wait doubles up to an hour."""
        key = (operator, place)
        with self._lock:
            found = self._wrong.get(key)
            before = 0 if found is None or _is_past(found, mono_ms) else found.times
            if found is None and len(self._wrong) >= TRACKED_MAX:
                del self._wrong[min(self._wrong, key=lambda each: self._wrong[each].times)]
            times = before + 1
            self._wrong[key] = _Wrong(times, mono_ms + wait_ms(times), mono_ms)
            in_all = self._in_all(mono_ms).get(operator, times)
        if operator != NOBODY:
            self._kept.put_failures(operator, place, times)
        if _is_told(in_all):
            self._alarm(operator, in_all, wait_ms(times) // 1000)

    def succeeded(self, operator: str, place: str) -> None:
        """The right PIN: forget the failures at that place; who guesses elsewhere waits on."""
        with self._lock:
            was_wrong = self._wrong.pop((operator, place), None) is not None
        if was_wrong and operator != NOBODY:
            self._kept.put_failures(operator, place, 0)

    def forget(self, operator: str) -> None:
        """Somebody says so, or the PIN is another one: nothing is counted anywhere."""
        with self._lock:
            places = [place for name, place in self._wrong if name == operator]
        for place in places:
            self.succeeded(operator, place)

    def worst(self, mono_ms: int) -> int:
        """The most wrong PINs of anybody, everywhere."""
        with self._lock:
            return max(self._in_all(mono_ms).values(), default=0)

    def _in_all(self, mono_ms: int) -> dict[str, int]:
        sums: dict[str, int] = {}
        for (operator, _), found in self._wrong.items():
            if not _is_past(found, mono_ms):
                sums[operator] = sums.get(operator, 0) + found.times
        return sums


def wait_ms(count: int) -> int:
    """How long to wait after so many wrong PINs in a row."""
    if count < FREE_TRIES:
        return 0
    return min(WAIT_MAX_MS, WAIT_MIN_MS << min(count - FREE_TRIES, 20))


def _is_past(found: _Wrong, mono_ms: int) -> bool:
    return mono_ms - found.last_ms >= FORGET_MS


def _is_told(count: int) -> bool:
    doubled, rest = divmod(count, ALARM_TRIES)
    return not rest and doubled > 0 and not doubled & (doubled - 1)
