"""What follows a sale once it is durable: drawer, paper, uplink. It may fail; the sale stands."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from edge.desk.state import Command, CommandResult, PrintState
from edge.device.escpos_profile import PrinterProfile
from edge.device.ports import PrintJob, PrintOutcome
from edge.device.store_printer import StorePrinter, StorePrinters
from edge.receipt.layout import PrintedSale, ReceiptLayout
from edge.receipt.pool import PoolParts, PrintPool
from edge.receipt.spool import JobOutcome, Spool, SpooledJob, job_of, z_slip_of
from edge.receipt.trial import Trials
from edge.sale.commands import NotePrint
from shared.journal.event import DrawerOpened
from shared.kernel.clock import Clock
from shared.kernel.errors import MissingError, RetailError
from shared.sale.tender import TenderKind

_SHOWN: dict[JobOutcome, PrintState] = {
    "queued": "queued",
    "printing": "printing",
    "printed": "printed",
    "not_printed": "failed",
    "unknown": "unknown",
}
_log = structlog.get_logger("effects")


class LanePut(Protocol):
    """Sends a command to a lane."""

    def __call__(self, lane: int, command: Command) -> Future[CommandResult]:
        """Queue it; the future is not waited for."""
        ...


def no_z_slip(biz: str, profile: PrinterProfile) -> bytes:
    """The Z slip of a box that prints none; MissingError `day.none_yet`."""
    del biz, profile
    raise MissingError("day.none_yet")


@dataclass(frozen=True, slots=True)
class Outside:
    """What effects touch. `put` reports to a lane, `notify` wakes the uplink.

    `recorded` gives a receipt's sale from the journal, `z_slip` the bytes of a business date's
    slip; `facts` takes what happened to drawers.
    """

    printers: StorePrinters
    spool: Spool
    clock: Clock
    put: LanePut
    notify: Callable[[], None]
    recorded: Callable[[str], PrintedSale]
    facts: Callable[[DrawerOpened], None]
    z_slip: Callable[[str, PrinterProfile], bytes] = no_z_slip


class SaleEffects:
    """Hands each effect to who does it and goes on: no lane waits for a drawer or for paper."""

    def __init__(self, layout: ReceiptLayout, outside: Outside) -> None:
        self._layout = layout
        self._outside = outside
        self._trials = Trials()
        self._pool = PrintPool(
            PoolParts(
                printers=outside.printers,
                spool=outside.spool,
                clock=outside.clock,
                payload=self._payload,
                told=self._told,
                facts=outside.facts,
            )
        )

    def start(self) -> None:
        """Begin to work, first on what waited for a printer when the box stopped."""
        self._pool.start()

    def stop(self) -> None:
        """Finish what can be finished, within reason; the other receipts wait for the start."""
        self._pool.stop()

    def depth(self, lane: int | None = None) -> int:
        """How many print-outs wait or are being printed, of one lane or of all."""
        return self._outside.spool.open_jobs(lane)

    def helper(self, lane: int) -> str:
        """Id of the printer that prints for a lane whose own cannot; "" when none does."""
        return self._pool.helper(lane)

    def sale_done(self, lane: int, printed: PrintedSale) -> None:
        """Open the drawer when cash was taken, print the receipt, tell the uplink.

        A printer that cannot print holds back neither drawer nor uplink: the receipt waits.
        """
        kinds = {tender.kind for tender in printed.sale.tenders}
        if TenderKind.CASH in kinds:
            self._pool.pulse(lane, printed.sale.receipt_no)
        self.reprint(lane, printed)
        self._outside.notify()

    def waits_for_original(self, receipt_no: str) -> bool:
        """Whether it is known that the receipt itself has not come out yet."""
        return self._outside.spool.original(receipt_no) in {"queued", "not_printed"}

    def shown(self, receipt_no: str) -> PrintState | None:
        """What became of a receipt's newest print-out; None when nothing is known of it."""
        outcome = self._outside.spool.outcome(receipt_no)
        return None if outcome is None else _SHOWN[outcome]

    def reprint(self, lane: int, printed: PrintedSale) -> None:
        """Print a receipt or a marked copy; one that waits already keeps its place."""
        now_ms = self._outside.clock.now_ms()
        self._spool(job_of(lane, printed.sale.receipt_no, printed.copy, now_ms))

    def print_z_slip(self, lane: int, biz: str) -> None:
        """Print the Z slip of a business date where `lane` prints; asked twice, it comes once."""
        self._spool(z_slip_of(lane, biz, 0, self._outside.clock.now_ms()))

    def open_drawer(self, lane: int) -> None:
        """Open the lane's drawer without a sale; the journal has it already."""
        self._pool.pulse(lane)

    def print_test_page(self, printer_id: str) -> Future[PrintOutcome]:
        """Begin to print a test page, or join one under way; MissingError `printer.unknown`."""
        printer = self._outside.printers.by_id(printer_id)
        if printer is None:
            raise MissingError("printer.unknown", printer=printer_id)

        def work() -> PrintOutcome:
            now_ms = self._outside.clock.now_ms()
            page = self._layout.test_page(printer_id, now_ms, printer.profile)
            return printer.port.print(PrintJob(f"test-{printer_id}", page))

        return self._trials.begin(printer_id, work)

    def _spool(self, job: SpooledJob) -> None:
        out = self._outside
        try:
            given_up = out.spool.add(job)
        except sqlite3.Error:
            # The sale is in the journal and must be answered; a person can print it again.
            _log.exception("receipt_not_spooled", job=job.job_id)
            given_up = (job,)
        for lost in given_up:
            _log.warning("receipt_given_up", job=lost.job_id)
            self._told(lost, "not_printed", out.printers.of(lost.lane))
        self._pool.ring()

    def _payload(self, job: SpooledJob, profile: PrinterProfile) -> bytes:
        if job.kind == "z_slip":
            return self._outside.z_slip(job.receipt_no, profile)
        printed = self._outside.recorded(job.receipt_no)
        return self._layout.payload(replace(printed, copy=job.copy), profile)

    def _told(self, job: SpooledJob, outcome: JobOutcome, printer: StorePrinter) -> None:
        if job.kind != "receipt":
            return
        own = self._outside.printers.of(job.lane)
        helper = "" if printer is own or outcome == "queued" else printer.id
        try:
            self._outside.put(job.lane, NotePrint(job.receipt_no, _SHOWN[outcome], helper))
        except RetailError:
            _log.info("nobody_to_tell", job=job.job_id)  # the store has fewer tills than it had
