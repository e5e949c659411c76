"""What a lane shows when its scanner read something and there is nothing to sell."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace

from edge.desk.state import CommandResult, LaneState, LastScan, ScanKind, Turn
from edge.device.pairing import PAIRING_CODE
from edge.sale.commands import NoteTrouble
from edge.sale.shop import Shop
from shared.kernel.errors import RetailError

_LOST = "scanner."


def note_trouble(*, shop: Shop, state: LaneState, command: NoteTrouble) -> Turn:
    """Tell the cashier at once: the customer's goods are still in their hand.

    The basket stays as it is, and so does what undo would bring back.
    """
    del shop
    if state.operator is None:
        return Turn(state)
    number = state.scans + 1
    scan = LastScan(number, _kind(command.what), None, None, command.what)
    return Turn(replace(state, scans=number, last_scan=scan))


def tell_refusal(tell: Callable[[str], object], scanned: Future[CommandResult]) -> None:
    """Give `tell` the code why a scan was refused: nobody else waits for a scanner's answer."""
    error = scanned.exception()
    if isinstance(error, RetailError):
        tell(error.code)


def _kind(what: str) -> ScanKind:
    if what == PAIRING_CODE:
        return "pairing"
    return "lost" if what.startswith(_LOST) else "refused"
