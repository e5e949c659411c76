"""What a lane shows when its scanner read something and there is nothing to sell."""

from __future__ import annotations

from dataclasses import replace

from edge.desk.state import LaneState, LastScan, ScanKind, Turn
from edge.device.pairing import PAIRING_CODE
from edge.sale.commands import NoteTrouble
from edge.sale.shop import Shop


def note_trouble(*, shop: Shop, state: LaneState, command: NoteTrouble) -> Turn:
    """Tell the cashier at once: the customer's goods are still in their hand.

    The basket stays as it is, and so does what undo would bring back.
    """
    del shop
    if state.operator is None:
        return Turn(state)
    kind: ScanKind = "pairing" if command.what == PAIRING_CODE else "lost"
    number = state.scans + 1
    scan = LastScan(number, kind, None, None, command.what)
    return Turn(replace(state, scans=number, last_scan=scan))
