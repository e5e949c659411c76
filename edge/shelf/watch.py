"""What the sensors say, turned into how shelves and cold places stand; told when that changes.

`ShelfEye` looks at one weighed shelf, `ColdEye` at one cooled place.  They decide nothing: the
decisions are in `shared/stock`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from edge.device.ports import ShelfReading
from edge.device.shelf_sensor import ShelfSensor
from edge.shelf.store import Task
from shared.stock.cold_chain import ColdRule, ColdState, ColdVerdict, broken_limit, step_cold
from shared.stock.shelf import (
    Agreement,
    ShelfRule,
    ShelfSignal,
    Verdict,
    accepted,
    step_agreement,
    step_signal,
)

SILENT_ALARM_MS = 60_000
"""So long nobody may not know how warm a cooled place is."""


@dataclass(frozen=True, slots=True)
class ColdNews:
    """A verdict with what belongs to it; `for_ms` is how long the place has been out."""

    verdict: ColdVerdict
    celsius_milli: int
    limit_milli: int
    worst_milli: int
    for_ms: int


class ShelfEye:
    """One weighed shelf."""

    def __init__(self, sensor: ShelfSensor, rule: ShelfRule) -> None:
        self.sensor = sensor
        self.rule = rule
        self._signal = ShelfSignal()
        self._agreement = Agreement()

    def take_up(self, task: Task | None, accepted_milli: int) -> None:
        """Go on where it stood before a restart."""
        self._agreement = Agreement(
            is_differing=task is not None, accepted_milli=0 if task else accepted_milli
        )

    @property
    def qty_milli(self) -> int | None:
        """What lies there, None while that is not known."""
        return self._signal.settled_milli

    @property
    def accepted_milli(self) -> int:
        """The difference that a person has settled."""
        return self._agreement.accepted_milli

    def memory(self) -> Agreement:
        """What it goes by; to `recall` where a verdict could not be kept and must come again."""
        return self._agreement

    def recall(self, memory: Agreement) -> None:
        """Go back to what it went by."""
        self._agreement = memory

    def look(self, book_milli: int | None, now_ms: int) -> Verdict | None:
        """Read the sensor once; what is new about book and shelf."""
        reading = self.sensor.reading()
        if reading is None or reading.grams is None:
            self._agreement = replace(self._agreement, since_ms=None)
            return None
        self._signal = step_signal(self._signal, reading.grams, self.rule, now_ms)
        settled = self._signal.settled_milli
        if settled is None or book_milli is None:
            return None
        self._agreement, verdict = step_agreement(
            self._agreement, book_milli, settled, self.rule, now_ms
        )
        return verdict

    def accept(self, book_milli: int) -> int:
        """A person has looked; the difference that is no news from now on."""
        settled = self._signal.settled_milli
        self._agreement = Agreement() if settled is None else accepted(book_milli, settled)
        return self._agreement.accepted_milli


class ColdEye:
    """One cooled place; `door` gives what the sensor of its door says."""

    def __init__(
        self, sensor: ShelfSensor, rule: ColdRule, door: Callable[[], ShelfReading | None]
    ) -> None:
        self.sensor = sensor
        self.rule = rule
        self._door = door
        self._state = ColdState()
        self._unknown_since_ms: int | None = None
        self.is_silent = False

    def take_up(self, task: Task | None, now_ms: int, utc_ms: int) -> None:
        """Go on where it stood before a restart."""
        if task is not None:
            out_ms = now_ms - max(0, utc_ms - task.at_ms)
            self._state = ColdState(
                is_broken=True, out_since_ms=out_ms, worst_milli=task.celsius_milli
            )

    def memory(self) -> ColdState:
        """What it goes by; to `recall` where a verdict could not be kept and must come again."""
        return self._state

    def recall(self, memory: ColdState) -> None:
        """Go back to what it went by."""
        self._state = memory

    def celsius_milli(self) -> int | None:
        """How warm it is, None while that is not known."""
        reading = self.sensor.reading()
        return None if reading is None else reading.celsius_milli

    def look(self, now_ms: int) -> ColdNews | None:
        """Read the sensor once; what is new about the cold."""
        celsius = self.celsius_milli()
        self._listen(now_ms, is_known=celsius is not None)
        door = self._door()
        before = self._state
        self._state, verdict = step_cold(
            before,
            celsius,
            self.rule,
            now_ms,
            is_door_open=door is not None and door.is_open is True,
        )
        if verdict is None:
            return None
        worst = self._state.worst_milli or 0
        now = worst if celsius is None else celsius
        broken = broken_limit(worst, self.rule)
        limit = self.rule.max_milli if broken is None else broken
        for_ms = now_ms - (now_ms if before.out_since_ms is None else before.out_since_ms)
        return ColdNews(verdict, now, limit, worst, for_ms)

    def _listen(self, now_ms: int, *, is_known: bool) -> None:
        if is_known:
            self._unknown_since_ms, self.is_silent = None, False
            return
        if self._unknown_since_ms is None:
            self._unknown_since_ms = now_ms
        self.is_silent = now_ms - self._unknown_since_ms >= SILENT_ALARM_MS
