"""The shelf room at work: looks at every sensor once a second, keeps tasks, takes people's word."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import structlog
from prometheus_client import Counter

from edge.device.ports import ShelfReading
from edge.device.shelf_sensor import ShelfSensor
from edge.shelf.ledger import ShelfLedger
from edge.shelf.store import COLD, DIFFERS, ShelfStore, Task, Told
from edge.shelf.watch import ColdEye, ColdNews, ShelfEye
from shared.journal.device_event import (
    ColdChainBroken,
    ColdChainRestored,
    ShelfDiffered,
    ShelfSettled,
    StockCounted,
)
from shared.journal.event import Event
from shared.kernel.clock import Clock
from shared.kernel.errors import MissingError, RefusedError
from shared.kernel.ids import EntryId
from shared.kernel.quantity import ONE_MILLI, QTY_MILLI_MAX
from shared.stock.shelf import Verdict

LOOK_S = 1.0
REASON_MAX = 200
_JOIN_S = 5.0
TASKS = Counter("tillbox_shelf_tasks_total", "Tasks of shelves and cold places", ["kind", "event"])
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ShelfParts:
    """What the room works with; `clock` is the machine's."""

    sensors: Sequence[ShelfSensor]
    store: ShelfStore
    ledger: ShelfLedger
    clock: Clock
    new_id: Callable[[], EntryId]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a task ended, by whom and why; `gap_milli` is the difference accepted by it."""

    how: str
    by: str = ""
    reason: str = ""
    gap_milli: int | None = None


class ShelfRoomService:
    """Looks on a thread of its own; people's commands come from any other."""

    def __init__(self, parts: ShelfParts) -> None:
        self._parts = parts
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        by_name = {each.setup.name: each for each in parts.sensors}
        self.shelves = {
            name: ShelfEye(each, each.setup.shelf)
            for name, each in by_name.items()
            if each.setup.shelf is not None
        }
        self.cold = {
            name: ColdEye(each, each.setup.cold, _door_of(by_name.get(each.setup.door)))
            for name, each in by_name.items()
            if each.setup.cold is not None
        }
        self._open: tuple[Task, ...] = ()
        self._failing: frozenset[str] = frozenset()
        self._unkept: frozenset[str] = frozenset()
        """Places that are too warm and for which no task could be written yet."""

    def start(self) -> None:
        """Take up what was kept, then look once a second; nothing where there are no sensors."""
        if not self._parts.sensors or self._thread is not None:
            return
        self.open()
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name="shelves", daemon=True)
        self._thread.start()

    def open(self) -> None:
        """Take up what was kept."""
        parts = self._parts
        with self._lock:
            parts.ledger.open()
            self._refresh()
            accepted = parts.store.accepted()
            for name, shelf in self.shelves.items():
                shelf.take_up(self._task_of(name, DIFFERS), accepted.get(name, 0))
            now_ms, utc_ms = parts.clock.mono_ms(), parts.clock.now_ms()
            for name, cold in self.cold.items():
                cold.take_up(self._task_of(name, COLD), now_ms, utc_ms)

    def stop(self) -> None:
        """Look no more; safe to call twice."""
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(_JOIN_S)

    def look(self) -> None:
        """Fold what was sold, read every sensor, keep and tell what is new."""
        with self._lock:
            ledger, now_ms = self._parts.ledger, self._parts.clock.mono_ms()
            if self._tried("book", ledger.catch_up):  # an old book would accuse every shelf
                for name, shelf in self.shelves.items():
                    self._tried(name, partial(self._look_at_shelf, name, shelf, now_ms))
            for name, cold in self.cold.items():
                self._tried(name, partial(self._look_at_cold, name, cold, now_ms))
            self._tried("facts", ledger.tell)

    def open_tasks(self) -> tuple[Task, ...]:
        """What waits for a person, from memory."""
        return self._open

    @property
    def sensors(self) -> Sequence[ShelfSensor]:
        """All sensors, in the order of their file."""
        return self._parts.sensors

    def quantities(self, sensor: str) -> tuple[int | None, int | None]:
        """What lies on a shelf and what the book says of its item, each None while unknown."""
        shelf = self.shelves.get(sensor)
        if shelf is None:
            return None, None
        return shelf.qty_milli, self.book_milli(shelf.sensor.setup.gtin)

    def book_milli(self, gtin: str) -> int | None:
        """What there should be of an item, None where it was never counted."""
        return self._parts.ledger.book_milli(gtin)

    def status(self) -> dict[str, int]:
        """For the status strip, from memory: tasks, places too warm, places that nobody knows."""
        tasks, unkept = self._open, len(self._unkept)
        return {
            "sensors": len(self._parts.sensors),
            "tasks": sum(1 for each in tasks if each.kind == DIFFERS),
            "warm": unkept + sum(1 for each in tasks if each.kind == COLD),
            "unseen": unkept + sum(1 for each in tasks if each.kind == COLD and not each.seen_by),
            "silent": sum(1 for each in self.cold.values() if each.is_silent),
        }

    def count(self, *, sensor: str, qty_milli: int, by: str) -> None:
        """A person says how much of a shelf's item the store has; settles the shelf's task.

        MissingError `shelf.unknown`, RefusedError `shelf.quantity`.
        """
        shelf = self.shelves.get(sensor)
        if shelf is None:
            raise MissingError("shelf.unknown", sensor=sensor[:40])
        is_whole = not shelf.rule.piece_g or qty_milli % ONE_MILLI == 0
        if not 0 <= qty_milli <= QTY_MILLI_MAX or not is_whole:
            raise RefusedError("shelf.quantity", max=QTY_MILLI_MAX // ONE_MILLI)
        gtin = shelf.sensor.setup.gtin
        with self._lock:
            task = self._task_of(sensor, DIFFERS)
            reason = "count" if task is None else "task"
            facts: list[Event] = [StockCounted(gtin, qty_milli, reason, sensor)]
            if task is not None:
                facts.append(ShelfSettled(sensor, gtin, "counted"))
            self._settle(task, Ending("counted", by), facts)
            self._parts.ledger.tell()
            self._parts.ledger.catch_up()
            self._parts.store.keep_accepted(sensor, shelf.accept(qty_milli))

    def dismiss(self, *, task_no: int, reason: str, by: str) -> None:
        """A person has looked and says why nothing needs doing.

        A warm place stays a task while it has a sensor.
        MissingError `shelf.task_unknown`, RefusedError `shelf.reason` or `shelf.task_done`.
        """
        reason = reason.strip()
        if not reason or len(reason) > REASON_MAX:
            raise RefusedError("shelf.reason", max=REASON_MAX)
        with self._lock:
            task = self._parts.store.task(task_no)
            if task is None:
                raise MissingError("shelf.task_unknown")
            if task.settled_at_ms is not None:
                raise RefusedError("shelf.task_done")
            if task.kind == COLD and task.sensor not in self.cold:
                # Its sensor was taken away: nobody will ever say that it is cold again.
                self._settle(task, Ending("dismissed", by, reason), [])
                return
            if task.kind == COLD:
                self._parts.store.note_seen(task.n, by, reason)
                self._refresh()
                return
            facts: list[Event] = [ShelfSettled(task.sensor, task.gtin, "dismissed")]
            shelf, gap_milli = self.shelves.get(task.sensor), 0
            book_milli = self.book_milli(task.gtin)
            if shelf is not None and book_milli is not None:
                gap_milli = shelf.accept(book_milli)
            self._settle(task, Ending("dismissed", by, reason, gap_milli), facts)
            self._parts.ledger.tell()

    def _run(self) -> None:
        while not self._stop.wait(LOOK_S):
            try:
                self.look()
            except Exception:  # noqa: BLE001 - outermost loop: one bad look must not be the last
                _log.exception("shelf.look_failed")

    def _tried(self, what: str, look: Callable[[], None]) -> bool:
        """Whether it could be done; what one sensor or a full disk fails at blinds no other."""
        try:
            look()
        except Exception:  # noqa: BLE001 - whatever it is, a warm fridge must still be seen
            if what not in self._failing:
                _log.exception("shelf.look_failed", what=what)
            self._failing |= {what}
            return False
        self._failing -= {what}
        return True

    def _look_at_shelf(self, name: str, shelf: ShelfEye, now_ms: int) -> None:
        before = shelf.memory()
        try:
            self._judge_shelf(name, shelf, now_ms)
        except Exception:
            shelf.recall(before)
            raise

    def _look_at_cold(self, name: str, cold: ColdEye, now_ms: int) -> None:
        before = cold.memory()
        news = cold.look(now_ms)
        try:
            if news is not None:
                self._cold_news(name, news)
        except Exception:
            cold.recall(before)
            if news is not None and news.verdict == "broken":
                self._unkept |= {name}
            raise
        if news is not None or cold.memory().out_since_ms is None:
            self._unkept -= {name}

    def _judge_shelf(self, name: str, shelf: ShelfEye, now_ms: int) -> None:
        gtin = shelf.sensor.setup.gtin
        book_milli = self.book_milli(gtin)
        accepted_milli = shelf.accepted_milli
        verdict: Verdict | None = shelf.look(book_milli, now_ms)
        if shelf.accepted_milli != accepted_milli:
            self._parts.store.keep_accepted(name, shelf.accepted_milli)
        task = self._task_of(name, DIFFERS)
        if verdict == "agrees":
            self._settle(task, Ending("agrees"), [ShelfSettled(name, gtin, "agrees")])
        elif verdict == "differs" and task is None:
            book, on_shelf = book_milli or 0, shelf.qty_milli or 0
            self._raise(
                Task(0, name, DIFFERS, gtin, self._parts.clock.now_ms(), book, on_shelf, 0, 0),
                ShelfDiffered(name, gtin, book, on_shelf),
            )

    def _cold_news(self, name: str, news: ColdNews) -> None:
        utc_ms = self._parts.clock.now_ms()
        since_ms = utc_ms - news.for_ms
        task = self._task_of(name, COLD)
        if news.verdict == "broken" and task is None:
            self._raise(
                Task(0, name, COLD, "", since_ms, 0, 0, news.worst_milli, news.limit_milli),
                ColdChainBroken(name, news.celsius_milli, news.limit_milli, since_ms),
            )
        elif news.verdict == "restored":
            fact = ColdChainRestored(name, news.celsius_milli, news.worst_milli, news.for_ms)
            seen = ("", "") if task is None else (task.seen_by, task.reason)
            self._settle(task, Ending("restored", *seen), [fact])

    def _raise(self, task: Task, event: Event) -> None:
        self._parts.store.open_task(task, self._told(event, ""))
        TASKS.labels(task.kind, "opened").inc()
        _log.warning("shelf.task", sensor=task.sensor, kind=task.kind)
        self._refresh()

    def _settle(self, task: Task | None, ending: Ending, facts: list[Event]) -> None:
        told = [self._told(each, ending.by) for each in facts]
        ended = None
        if task is not None:
            TASKS.labels(task.kind, ending.how).inc()
            ended = replace(
                task,
                settled_at_ms=self._parts.clock.now_ms(),
                how=ending.how,
                by=ending.by,
                reason=ending.reason,
            )
        self._parts.store.settle(ended, told, ending.gap_milli)
        self._refresh()

    def _told(self, event: Event, actor: str) -> Told:
        return Told(self._parts.new_id(), self._parts.clock.now_ms(), actor, event)

    def _task_of(self, sensor: str, kind: str) -> Task | None:
        return next((t for t in self._open if (t.sensor, t.kind) == (sensor, kind)), None)

    def _refresh(self) -> None:
        self._open = tuple(self._parts.store.open_tasks())


def _door_of(sensor: ShelfSensor | None) -> Callable[[], ShelfReading | None]:
    return (lambda: None) if sensor is None else sensor.reading
