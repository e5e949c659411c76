"""Looks at every device four times a second, from memory, and writes down what becomes of them.

Adapters know neither journal nor screen: what they report is turned into facts here, on one
thread that no lane and no device waits for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from prometheus_client import Counter

from edge.device.ports import DeviceReport
from edge.ops.fault_book import FaultBook, FaultRow
from edge.ops.trouble import Fact, Faulted, Recovered, Watched, is_well, reopened, step
from shared.journal.device_event import DeviceFaulted, DeviceRecovered
from shared.journal.event import Event
from shared.kernel.clock import Clock

LOOK_EVERY_S = 0.25
_JOIN_S = 5.0
WATCH_FAILURES = Counter("tillbox_device_watch_failures_total", "Looks at the devices that failed")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WatchParts:
    """What the watch works with; `reports` answers at once, `put` takes facts and never waits."""

    reports: Callable[[], tuple[DeviceReport, ...]]
    put: Callable[[Event], None]
    book: FaultBook
    clock: Clock


@dataclass(frozen=True, slots=True)
class Watching:
    """What was seen last; `revision` moves whenever a page about it is out of date."""

    reports: tuple[DeviceReport, ...] = ()
    revision: int = 0
    troubled: tuple[str, ...] = ()


class DeviceWatch:
    """The thread that watches; `seen` may be read from any thread at once."""

    def __init__(self, parts: WatchParts) -> None:
        self._parts = parts
        self._watched: dict[str, Watched] = {}
        self._restored: dict[str, FaultRow] = {}
        self._seen = Watching()
        self._complained: set[str] = set()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Go on from the troubles that stood when the box was stopped."""
        if self._thread is None:
            self._restored = {row.device: row for row in self._parts.book.standing()}
            self._stopping.clear()
            self._thread = threading.Thread(target=self._run, name="device-watch", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Look no more; before the devices are stopped, which is no trouble."""
        self._stopping.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(_JOIN_S)

    def seen(self) -> Watching:
        """What was seen last."""
        return self._seen

    def touch(self) -> None:
        """Something else on the health page has changed."""
        old = self._seen
        self._seen = Watching(old.reports, old.revision + 1, old.troubled)

    def look(self) -> None:
        """Look once at everything."""
        now_ms = self._parts.clock.mono_ms()
        reports = self._parts.reports()
        self._note(reports)
        for report in reports:
            before = self._watched.get(report.id) or self._first(report.id, now_ms)
            self._watched[report.id], facts = step(before, report.state, now_ms)
            for fact in facts:
                self._tell(report, fact)
        self._forget({report.id for report in reports})

    def _first(self, device: str, now_ms: int) -> Watched:
        row = self._restored.pop(device, None)
        if row is None:
            return Watched(now_ms)
        age_ms = max(0, self._parts.clock.now_ms() - row.at_ms)
        return reopened(now_ms, age_ms, is_worst=row.state != "degraded")

    def _tell(self, report: DeviceReport, fact: Fact) -> None:
        book, now_ms = self._parts.book, self._parts.clock.now_ms()
        match fact:
            case Faulted(code, state):
                _log.warning("device.faulted", device=report.id, code=code, state=state)
                self._parts.put(DeviceFaulted(report.id, report.kind, report.lane, code, state))
                book.begin(FaultRow(report.id, code, state, now_ms))
            case Recovered(after_ms, times):
                _log.info("device.recovered", device=report.id, after_ms=after_ms, times=times)
                self._parts.put(
                    DeviceRecovered(report.id, report.kind, report.lane, after_ms, times)
                )
                book.end(report.id, now_ms, times)

    def _forget(self, present: set[str]) -> None:
        """A device that is reported no more has left the store: its trouble is nobody's."""
        for device in self._watched.keys() - present:
            if self._watched.pop(device).opened_at_ms is not None:
                self._parts.book.end(device, self._parts.clock.now_ms(), 1)

    def _note(self, reports: tuple[DeviceReport, ...]) -> None:
        troubled = tuple(each.id for each in reports if not is_well(each.state))
        old = self._seen
        states = [(each.id, each.lane, each.address, each.state) for each in reports]
        was = [(each.id, each.lane, each.address, each.state) for each in old.reports]
        self._seen = Watching(reports, old.revision + (states != was), troubled)

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 - an adapter's defect must not end the watch
                WATCH_FAILURES.inc()
                kind = type(error).__name__
                if kind not in self._complained:
                    self._complained.add(kind)
                    _log.exception("device.watch_failed")
