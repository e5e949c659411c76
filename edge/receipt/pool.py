"""The store's printers at work: one thread each, one queue on disk, nobody waits for another.

A lane's job goes to its own printer; to another only when its own cannot print or has refused it,
for some seconds, and never after a job that may have come out.  A printer's drawer is pulsed by
its own thread, before any paper: whoever gives change must not wait for a receipt.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from edge.device.escpos_profile import PrinterProfile
from edge.device.ports import PrintJob, PrintOutcome
from edge.device.printer import AbsentPrinter
from edge.device.store_printer import StorePrinter, StorePrinters
from edge.receipt.spool import JobOutcome, Spool, SpooledJob
from shared.journal.event import DrawerOpened
from shared.kernel.clock import Clock

RETRY_S = 0.5
"""How often a printer that took no job is looked at again; its adapter asks it every second."""
HELP_AFTER_MS = 5_000
"""So long a lane's own printer may be at fault before another prints: time to close the cover."""
PULSES_MAX = 32
PULSE_AGE_MAX_MS = 15_000
"""A later pulse would open a drawer that nobody stands at."""
SALE = "sale"
_FINISH_MS = 5_000
_STOP_TIMEOUT_S = 10.0
_log = structlog.get_logger("printing")


@dataclass(frozen=True, slots=True)
class PoolParts:
    """What the pool works with.

    `payload` gives a job's bytes for a printer; `told` hears what becomes of a job, and at which
    printer; `facts` takes what happened to drawers.
    """

    printers: StorePrinters
    spool: Spool
    clock: Clock
    payload: Callable[[SpooledJob, PrinterProfile], bytes]
    told: Callable[[SpooledJob, JobOutcome, StorePrinter], None]
    facts: Callable[[DrawerOpened], None]


@dataclass(frozen=True, slots=True)
class _Pulse:
    """A drawer is to be opened for a lane; `receipt_no` "" when not for a sale."""

    lane: int
    receipt_no: str
    at_ms: int


@dataclass(slots=True)
class _Place:
    """One printer's worker; `unable_since_ms` (monotonic) since when it has been of no use."""

    printer: StorePrinter
    pulses: queue.Queue[_Pulse] = field(default_factory=lambda: queue.Queue(PULSES_MAX))
    bell: threading.Event = field(default_factory=threading.Event)
    held_until_ms: int = 0
    unable_since_ms: int | None = None
    has_refused: bool = False
    late: list[tuple[SpooledJob, JobOutcome]] = field(default_factory=list)


class PrintPool:
    """Works through the spool; `step` is one piece of work, the threads do no more than call it."""

    def __init__(self, parts: PoolParts) -> None:
        self._parts = parts
        self._places = tuple(_Place(each) for each in parts.printers.every)
        self._lock = threading.Lock()
        self._is_stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to work, first on what waited when the box stopped."""
        self._is_stopping.clear()
        self.distrust()
        self._threads = [
            threading.Thread(target=self._run, args=(n,), name=f"print-{n + 1}", daemon=True)
            for n in range(len(self._places))
        ]
        for thread in self._threads:
            thread.start()

    def distrust(self) -> None:
        """Nobody knows in what state an earlier life of the box left the printers."""
        cut_off = self._parts.spool.cut_off()
        for printer in self._parts.printers.every:
            printer.port.distrust(has_scrap=printer.id in cut_off)

    def stop(self) -> None:
        """Finish what can be finished, within reason; the other jobs wait for the start."""
        self._is_stopping.set()
        self.ring()
        threads, self._threads = self._threads, []
        ends_ms = self._parts.clock.mono_ms() + int(_STOP_TIMEOUT_S * 1000)
        for thread in threads:  # all of them together: the box is killed if it stops too slowly
            thread.join(max(0, ends_ms - self._parts.clock.mono_ms()) / 1000)

    def ring(self) -> None:
        """There is something to do: a job waits, or a printer can print again."""
        for place in self._places:
            if not place.printer.port.status().can_print:
                place.printer.port.hurry()
            place.bell.set()

    def pulse(self, lane: int, receipt_no: str = "") -> None:
        """Open the lane's drawer soon; the pulse of a sale becomes a fact."""
        own = self._place_of(lane)
        if isinstance(own.printer.port, AbsentPrinter) or not own.printer.serves(lane):
            return
        try:
            own.pulses.put_nowait(_Pulse(lane, receipt_no, self._parts.clock.mono_ms()))
        except queue.Full:
            _log.warning("drawer_not_opened", lane=lane)  # it has a key
        own.bell.set()

    def helper(self, lane: int) -> str:
        """Id of the printer that prints for a lane whose own cannot; "" when none does."""
        with self._lock:
            number = self._who_prints(lane)
        own = self._parts.printers.of(lane)
        found = own if number is None else self._places[number].printer
        return "" if found is own else found.id

    def step(self, number: int) -> bool:
        """Do one thing at the printer with that number, from 0; False when there is none."""
        place = self._places[number]
        self._close_late(place)
        if self._pulse_next(place):
            return True
        lanes = self._lanes_for(number)
        job = self._parts.spool.next_job(lanes) if lanes else None
        if job is None:
            return False
        return self._print(place, job)

    def _run(self, number: int) -> None:
        place = self._places[number]
        while not self._is_stopping.is_set():
            place.bell.clear()
            if not self._attempt(number):
                place.bell.wait(RETRY_S if self._parts.spool.open_jobs() else None)
        deadline_ms = self._parts.clock.mono_ms() + _FINISH_MS
        while self._parts.clock.mono_ms() < deadline_ms and self._attempt(number):
            """What waited can still come out."""

    def _attempt(self, number: int) -> bool:
        try:
            return self.step(number)
        except Exception:  # noqa: BLE001 - the outermost frame of this thread's work
            _log.exception("print_step_failed", printer=self._places[number].printer.id)
            return False

    def _pulse_next(self, place: _Place) -> bool:
        try:
            pulse = place.pulses.get_nowait()
        except queue.Empty:
            return False
        age_ms = self._parts.clock.mono_ms() - pulse.at_ms
        is_sent = age_ms <= PULSE_AGE_MAX_MS and place.printer.drawer.open()
        if not is_sent:
            _log.warning("drawer_not_opened", lane=pulse.lane, age_ms=age_ms)
        if pulse.receipt_no:
            self._parts.facts(
                DrawerOpened(
                    pulse.lane,
                    SALE,
                    receipt_no=pulse.receipt_no,
                    pin=place.printer.drawer.pin,
                    is_sent=is_sent,
                )
            )
        return True

    def _place_of(self, lane: int) -> _Place:
        own = self._parts.printers.of(lane)
        return next(place for place in self._places if place.printer is own)

    def _lanes_for(self, number: int) -> list[int]:
        """The waiting lanes whose jobs this printer may take now."""
        waiting = self._parts.spool.waiting_lanes()
        with self._lock:
            return [lane for lane in waiting if self._who_prints(lane) == number]

    def _who_prints(self, lane: int) -> int | None:
        order = self._parts.printers.order_for(lane)
        own = self._places[order[0]]
        if self._is_able(own):
            return order[0]
        since_ms = own.unable_since_ms
        if since_ms is None or self._parts.clock.mono_ms() - since_ms < HELP_AFTER_MS:
            return None  # it is at work, or may be back at once
        return next((n for n in order[1:] if self._is_able(self._places[n])), None)

    def _is_able(self, place: _Place) -> bool:
        now_ms = self._parts.clock.mono_ms()
        is_willing = place.printer.port.status().can_print
        if is_willing and not place.has_refused:
            place.unable_since_ms = None
        elif place.unable_since_ms is None:
            place.unable_since_ms = now_ms
        return is_willing and now_ms >= place.held_until_ms

    def _print(self, place: _Place, job: SpooledJob) -> bool:
        # Held until it goes well, so that no fault, of the printer or of the disk, is met in a
        # tight loop.
        place.held_until_ms = self._parts.clock.mono_ms() + int(RETRY_S * 1000)
        payload = self._payload(job, place.printer)
        if payload is None:
            self._parts.spool.close_job(job.job_id, "not_printed")
            self._parts.told(job, "not_printed", place.printer)
        elif self._parts.spool.begin(job.job_id, place.printer.id):
            self._parts.told(job, "printing", place.printer)
            outcome = _print_at(place.printer, PrintJob(job.job_id, payload))
            self._close(place, job, outcome)
            if outcome == "not_printed":
                return False
        place.held_until_ms = 0
        return True

    def _payload(self, job: SpooledJob, printer: StorePrinter) -> bytes | None:
        try:
            return self._parts.payload(job, printer.profile)
        except sqlite3.Error:
            raise  # the disk's trouble, not the receipt's: it is tried again
        except Exception:  # noqa: BLE001 - whatever it is, it is this receipt alone
            # One receipt that cannot be laid out must not hold back all that come after it.
            _log.exception("receipt_not_laid_out", job=job.job_id)
            return None

    def _close(self, place: _Place, job: SpooledJob, outcome: PrintOutcome) -> None:
        kept: JobOutcome = "queued" if outcome == "not_printed" else outcome
        with self._lock:
            place.has_refused = outcome == "not_printed"
            if place.has_refused and place.unable_since_ms is None:
                place.unable_since_ms = self._parts.clock.mono_ms()
        place.late.append((job, kept))
        self._close_late(place)
        self._parts.told(job, kept, place.printer)
        if kept != "printed":
            _log.warning("receipt_not_printed", job=job.job_id, outcome=kept)
        if place.has_refused:
            for other in self._places:
                if other is not place:
                    other.bell.set()

    def _close_late(self, place: _Place) -> None:
        """Note what became of jobs; again, when the disk took no note before."""
        while place.late:
            job, outcome = place.late[0]
            try:
                self._parts.spool.close_job(job.job_id, outcome)
            except sqlite3.Error:
                _log.exception("outcome_not_noted", job=job.job_id, outcome=outcome)
                return
            place.late.pop(0)


def _print_at(printer: StorePrinter, job: PrintJob) -> PrintOutcome:
    """What became of it; an adapter that fails in a way of its own has told nothing."""
    try:
        return printer.port.print(job)
    except Exception:  # noqa: BLE001 - the worker must live
        _log.exception("printer_failed", printer=printer.id, job=job.job_id)
        return "unknown"
