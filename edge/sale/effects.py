"""What follows a sale once it is durable: paper, drawer, uplink. It may fail; the sale stands."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import structlog

from edge.desk.state import Command, CommandResult, PrintState
from edge.device.ports import DrawerPort, PrinterPort, PrintJob
from edge.receipt.layout import PrintedSale, ReceiptLayout
from edge.receipt.spool import Spool, SpooledJob
from edge.sale.commands import NotePrint
from shared.kernel.clock import Clock
from shared.sale.tender import TenderKind

QUEUE_MAX = 256
_STOP_TIMEOUT_S = 10.0
_log = structlog.get_logger("effects")


class LanePut(Protocol):
    """Sends a command to a lane."""

    def __call__(self, lane: int, command: Command) -> Future[CommandResult]:
        """Queue it; the future is not waited for."""
        ...


@dataclass(frozen=True, slots=True)
class Outside:
    """What effects touch. `put` reports to a lane, `notify` wakes the uplink."""

    printer: PrinterPort
    drawer: DrawerPort
    spool: Spool
    clock: Clock
    put: LanePut
    notify: Callable[[], None]


class SaleEffects:
    """One thread: the store has one printer, and paper comes out in the order of sales."""

    def __init__(self, layout: ReceiptLayout, outside: Outside) -> None:
        self._layout = layout
        self._outside = outside
        self._queue: queue.Queue[Callable[[], None] | None] = queue.Queue(QUEUE_MAX)
        self._thread = threading.Thread(target=self._run, name="effects", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what is queued, within reason."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join(_STOP_TIMEOUT_S)

    def depth(self) -> int:
        """How many print-outs wait."""
        return self._queue.qsize()

    def sale_done(self, lane: int, printed: PrintedSale) -> None:
        """Print the receipt, open the drawer when cash was taken, then tell the uplink.

        A printer that hangs holds back only the word to the uplink: it looks by itself every
        two seconds.
        """
        self._put(partial(self._print, lane, printed))
        kinds = {tender.kind for tender in printed.sale.tenders}
        if TenderKind.CASH in kinds:
            self.open_drawer()
        self._put(self._outside.notify)

    def reprint(self, lane: int, printed: PrintedSale) -> None:
        """Print a marked copy."""
        self._put(partial(self._print, lane, printed))

    def open_drawer(self) -> None:
        """Open the drawer, after what was queued before."""
        self._put(self._pulse)

    def _put(self, effect: Callable[[], None]) -> None:
        try:
            self._queue.put_nowait(effect)
        except queue.Full:
            # Selling goes on; the receipt can be reprinted from the journal.
            _log.error("effects_full", waiting=QUEUE_MAX)

    def _run(self) -> None:
        while (effect := self._queue.get()) is not None:
            try:
                effect()
            except Exception:  # noqa: BLE001 - the outermost loop of this thread
                _log.exception("effect_failed")

    def _pulse(self) -> None:
        if not self._outside.drawer.open():
            _log.warning("drawer_not_opened")

    def _print(self, lane: int, printed: PrintedSale) -> None:
        receipt_no = printed.sale.receipt_no
        job_id = f"{receipt_no}.{printed.copy}"
        out = self._outside
        out.spool.add(SpooledJob(job_id, lane, receipt_no, printed.copy, out.clock.now_ms()))
        self._note(lane, printed, "printing")
        outcome = out.printer.print(PrintJob(job_id, self._layout.payload(printed)))
        out.spool.close_job(job_id, outcome)
        self._note(lane, printed, "printed" if outcome == "printed" else "failed")
        if outcome != "printed":
            _log.warning("receipt_not_printed", receipt_no=receipt_no, outcome=outcome)

    def _note(self, lane: int, printed: PrintedSale, state: PrintState) -> None:
        self._outside.put(lane, NotePrint(printed.sale.receipt_no, state))
