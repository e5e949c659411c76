"""What follows a sale once it is durable: paper, drawer, uplink. It may fail; the sale stands."""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from edge.desk.state import Command, CommandResult, PrintState
from edge.device.ports import DrawerPort, PrinterPort, PrintJob, PrintOutcome
from edge.receipt.layout import PrintedSale, ReceiptLayout
from edge.receipt.spool import Spool, SpooledJob, job_of
from edge.sale.commands import NotePrint
from shared.kernel.clock import Clock
from shared.kernel.errors import RetailError
from shared.sale.tender import TenderKind

QUEUE_MAX = 256
RETRY_S = 0.5
"""How often a printer that took no job is looked at again; its adapter asks it every second."""
_FINISH_MS = 5_000
_STOP_TIMEOUT_S = 10.0
_SHOWN: dict[PrintOutcome, PrintState] = {
    "printed": "printed",
    "not_printed": "queued",
    "unknown": "failed",
}
_log = structlog.get_logger("effects")


class LanePut(Protocol):
    """Sends a command to a lane."""

    def __call__(self, lane: int, command: Command) -> Future[CommandResult]:
        """Queue it; the future is not waited for."""
        ...


@dataclass(frozen=True, slots=True)
class Outside:
    """What effects touch. `put` reports to a lane, `notify` wakes the uplink.

    `recorded` gives a receipt's sale from the journal.
    """

    printer: PrinterPort
    drawer: DrawerPort
    spool: Spool
    clock: Clock
    put: LanePut
    notify: Callable[[], None]
    recorded: Callable[[str], PrintedSale]


class SaleEffects:
    """One thread: the store has one printer, and paper comes out in the order of sales.

    Print jobs wait in the spool, so that they outlive the process; everything else is small and
    is forgotten when the box stops.
    """

    def __init__(self, layout: ReceiptLayout, outside: Outside) -> None:
        self._layout = layout
        self._outside = outside
        self._queue: queue.Queue[Callable[[], None] | None] = queue.Queue(QUEUE_MAX)
        self._is_held = False
        self._thread = threading.Thread(target=self._run, name="effects", daemon=True)

    def start(self) -> None:
        """Begin to work, first on what waited for the printer when the box stopped."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what can be finished, within reason; the other receipts wait for the start."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join(_STOP_TIMEOUT_S)

    def depth(self) -> int:
        """How many print-outs wait or are being printed."""
        return self._outside.spool.open_jobs()

    def sale_done(self, lane: int, printed: PrintedSale) -> None:
        """Print the receipt, open the drawer when cash was taken, then tell the uplink.

        A printer that cannot print holds back neither drawer nor uplink: the receipt waits.
        """
        self._spool(lane, printed)
        self._put(self._print_if_able)
        kinds = {tender.kind for tender in printed.sale.tenders}
        if TenderKind.CASH in kinds:
            self.open_drawer()
        self._put(self._outside.notify)

    def waits_for_original(self, receipt_no: str) -> bool:
        """Whether it is known that the receipt itself has not come out yet."""
        return self._outside.spool.original(receipt_no) in {"queued", "not_printed"}

    def reprint(self, lane: int, printed: PrintedSale) -> None:
        """Print a marked copy; a receipt that waits already keeps its place."""
        self._spool(lane, printed)
        self._put(_wake)

    def open_drawer(self) -> None:
        """Open the drawer, after what was queued before."""
        self._put(self._pulse)

    def _spool(self, lane: int, printed: PrintedSale) -> None:
        out = self._outside
        job = job_of(lane, printed.sale.receipt_no, printed.copy, out.clock.now_ms())
        try:
            given_up = out.spool.add(job)
        except sqlite3.Error:
            # The sale is in the journal and must be answered; a person can print it again.
            _log.exception("receipt_not_spooled", receipt_no=job.receipt_no)
            given_up = (job,)
        for lost in given_up:
            _log.warning("receipt_given_up", receipt_no=lost.receipt_no)
            self._note(lost, "failed")

    def _put(self, effect: Callable[[], None]) -> None:
        try:
            self._queue.put_nowait(effect)
        except queue.Full:
            # Selling goes on; a drawer has a key, and the uplink looks by itself.
            _log.error("effects_full", waiting=QUEUE_MAX)

    def _run(self) -> None:
        while (effect := self._next()) is not None:
            _attempt(effect)
        deadline_ms = self._outside.clock.mono_ms() + _FINISH_MS
        while self._can_print() and self._outside.clock.mono_ms() < deadline_ms:
            _attempt(self._print_next)

    def _next(self) -> Callable[[], None] | None:
        """What to do now; None is the end."""
        pause_s = 0.0 if self._can_print() else RETRY_S
        try:
            return self._queue.get(timeout=pause_s if self.depth() else None)
        except queue.Empty:
            self._is_held = False
            return self._print_next if self._can_print() else _wake

    def _can_print(self) -> bool:
        is_able = not self._is_held and self._outside.printer.status().can_print
        return is_able and self.depth() > 0

    def _pulse(self) -> None:
        if not self._outside.drawer.open():
            _log.warning("drawer_not_opened")

    def _print_if_able(self) -> None:
        if self._can_print():
            self._print_next()

    def _print_next(self) -> None:
        # Held until it goes well, so that no fault, of the printer or of the disk, is met in a
        # tight loop.
        self._is_held = True
        spool = self._outside.spool
        job = spool.next_job()
        if job is not None:
            payload = self._payload(job)
            if payload is None:
                spool.close_job(job.job_id, "not_printed")
                self._note(job, "failed")
            elif not self._print(job, payload):
                return
        self._is_held = False

    def _payload(self, job: SpooledJob) -> bytes | None:
        try:
            printed = self._outside.recorded(job.receipt_no)
            return self._layout.payload(replace(printed, copy=job.copy))
        except (RetailError, ValueError):
            # One receipt that cannot be laid out must not hold back all that come after it.
            _log.exception("receipt_not_laid_out", job=job.job_id)
            return None

    def _print(self, job: SpooledJob, payload: bytes) -> bool:
        """Try one job; False when the printer did not take it."""
        out = self._outside
        if not out.spool.begin(job.job_id):
            return True
        self._note(job, "printing")
        outcome = out.printer.print(PrintJob(job.job_id, payload))
        if outcome == "not_printed":
            out.spool.put_back(job.job_id)
        else:
            out.spool.close_job(job.job_id, outcome)
        self._note(job, _SHOWN[outcome])
        if outcome != "printed":
            _log.warning("receipt_not_printed", receipt_no=job.receipt_no, outcome=outcome)
        return outcome != "not_printed"

    def _note(self, job: SpooledJob, state: PrintState) -> None:
        self._outside.put(job.lane, NotePrint(job.receipt_no, state))


def _attempt(effect: Callable[[], None]) -> None:
    try:
        effect()
    except Exception:  # noqa: BLE001 - the outermost frame of this thread's work
        _log.exception("effect_failed")


def _wake() -> None:
    """Nothing to do but to look at the spool again."""
