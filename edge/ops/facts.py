"""Facts of devices and shelves on their way into the journal, on a thread of their own.

An adapter or a watch calls `put` and goes on: a full or slow disk never holds it up.  What waits
is bounded; a fact that finds no room is counted and logged, never waited for.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog
from prometheus_client import Counter
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_when_event_set
from tenacity.wait import wait_base, wait_exponential

from edge.journal.ballast import DISK_FULL, ROOM_BYTES_MIN, free_bytes
from edge.journal.store import EntryDraft, Journal
from shared.journal.event import Event
from shared.kernel.clock import Clock
from shared.kernel.errors import RefusedError, UnavailableError
from shared.kernel.ids import EntryId

WAITING_MAX = 256
"""Hours of a store's facts; a flood beyond it is a defect and must not eat the memory."""
_PAUSES = wait_exponential(multiplier=0.5, max=30)
_IDLE_S = 5.0
_JOIN_S = 5.0
FACTS = Counter("tillbox_device_facts_total", "Device facts by what became of them", ["outcome"])
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FactParts:
    """What the writer works with; `revision` is the catalogue's in force."""

    journal: Journal
    clock: Clock
    new_id: Callable[[], EntryId]
    revision: Callable[[], int]
    pauses: wait_base = _PAUSES


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A fact with what belongs to the moment it was told: its id makes a retry harmless."""

    id: str
    at_ms: int
    event: Event


class FactWriter:
    """Takes facts from any thread, appends them in order from one."""

    def __init__(self, parts: FactParts) -> None:
        self._parts = parts
        self._waiting: queue.Queue[_Waiting | None] = queue.Queue(WAITING_MAX)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to write; what was put before is written first."""
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._run, name="facts", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Write what waits, each tried once, and end; safe to call twice."""
        self._stopping.set()
        with suppress(queue.Full):  # then it is awake anyway
            self._waiting.put_nowait(None)
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(_JOIN_S)

    def put(self, event: Event) -> None:
        """Have a fact written soon.  Never waits, never raises; the newest is refused when full."""
        fact = _Waiting(self._parts.new_id(), self._parts.clock.now_ms(), event)
        try:
            self._waiting.put_nowait(fact)
        except queue.Full:
            _lost(fact, "no_room")

    def depth(self) -> int:
        """How many facts wait."""
        return self._waiting.qsize()

    def _run(self) -> None:
        while True:
            try:
                fact = self._waiting.get(timeout=_IDLE_S)
            except queue.Empty:
                fact = None
            if fact is not None:
                self._write(fact)
            elif self._stopping.is_set():
                return

    def _write(self, fact: _Waiting) -> None:
        retrying = Retrying(
            sleep=self._pause,
            wait=self._parts.pauses,
            retry=retry_if_exception_type(UnavailableError),
            stop=stop_when_event_set(self._stopping),
            retry_error_callback=lambda _: _lost(fact, "unwritten"),
            before_sleep=_retried,
        )
        try:
            retrying(self._append, fact)
        except Exception:  # noqa: BLE001 - one bad fact must not end the thread for the others
            _log.exception("facts.refused", id=fact.id, type=fact.event.type)
            FACTS.labels("refused").inc()

    def _pause(self, seconds: float) -> None:
        self._stopping.wait(seconds)

    def _append(self, fact: _Waiting) -> None:
        journal = self._parts.journal
        # The last room is kept for sales: a fact of a device never spends the journal's ballast.
        if free_bytes(journal.path.parent) < ROOM_BYTES_MIN:
            raise UnavailableError(DISK_FULL)
        lane = getattr(fact.event, "lane", 0)
        try:
            with journal.exclusive():  # the day must not close between asking for it and the entry
                day = journal.day()
                journal.append(
                    EntryDraft(
                        id=fact.id,
                        event=fact.event,
                        actor="",
                        till=str(lane) if lane else "",
                        biz=day.biz if day is not None and day.is_open else "",
                        at_ms=fact.at_ms,
                        cat=self._parts.revision(),
                    )
                )
        except (RefusedError, sqlite3.Error) as error:
            raise UnavailableError("journal.write_failed") from error
        FACTS.labels("written").inc()


def _retried(state: RetryCallState) -> None:
    if state.attempt_number == 1:
        _log.warning("facts.waiting")


def _lost(fact: _Waiting, outcome: str) -> None:
    FACTS.labels(outcome).inc()
    _log.error("facts.lost", because=outcome, fact=repr(fact.event))
