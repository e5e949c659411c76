"""After a restart: bring a lane's saved state up to what journal and spool know."""

from __future__ import annotations

from dataclasses import replace

from edge.desk.state import LaneState
from edge.receipt.layout import PrintedSale
from edge.receipt.spool import Spool
from edge.sale.recorded import recorded_sale
from edge.sale.service import Shop, done_sale
from shared.sale.settle import Settlement


def recover_lane(*, shop: Shop, spool: Spool, state: LaneState) -> tuple[LaneState, str | None]:
    """The lane as it must be shown, and the receipt number of a sale found in the journal.

    The box may have died between the journal's commit and the desk's: then the basket is sold.
    A receipt whose printing was cut off is shown as failed, so that a person looks and decides.
    """
    entry = shop.journal.sale_by_id(state.basket.id) if state.basket is not None else None
    if entry is not None:
        sale, at_ms = recorded_sale(entry)
        settlement = Settlement(sale.totals.net_minor, sale.tenders, sale.change_minor)
        done = done_sale(sale, settlement, shop.layout.text(PrintedSale(sale, at_ms)))
        sold = replace(
            state,
            seq=state.seq + 1,
            basket=None,
            before=None,
            can_undo=False,
            touched_line=None,
            last_scan=None,
            done=replace(done, print="failed"),
        )
        return sold, sale.receipt_no
    if state.done is not None and state.done.print in {"queued", "printing"}:
        printed = spool.outcome(state.done.receipt_no) == "printed"
        done = replace(state.done, print="printed" if printed else "failed")
        return replace(state, seq=state.seq + 1, done=done), None
    return state, None
