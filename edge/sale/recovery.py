"""After a restart: bring a lane's saved state up to what journal and spool know."""

from __future__ import annotations

from dataclasses import replace

from edge.desk.state import LaneState, PrintState
from edge.receipt.spool import JobOutcome, Spool, job_of
from edge.sale.recorded import printed_sale
from edge.sale.service import done_sale
from edge.sale.shop import Shop, emptied
from shared.sale.basket import Basket
from shared.sale.transaction import settlement_of

_SHOWN: dict[JobOutcome | None, PrintState] = {
    "queued": "queued",
    "printed": "printed",
    "unknown": "unknown",
}


def recover_lane(*, shop: Shop, spool: Spool, state: LaneState) -> tuple[LaneState, str | None]:
    """The lane as it must be shown, and the receipt number of a sale found in the journal.

    The box may have died between the journal's commit and the desk's: then the basket is sold,
    or was given up.
    A receipt whose printing was cut off is shown as unknown, so that a person looks and decides,
    also when it is not the one on the screen; one that the printer never got is queued.
    """
    found, receipt_no = _recovered(shop, spool, state)
    doubtful = spool.doubtful(state.lane)
    if doubtful and (found.done is None or found.done.receipt_no != doubtful):
        found = replace(found, seq=state.seq + 1, doubtful=doubtful)
    return found, receipt_no


def _recovered(shop: Shop, spool: Spool, state: LaneState) -> tuple[LaneState, str | None]:
    entry = shop.journal.sale_by_id(state.basket.id) if state.basket is not None else None
    if entry is None and state.basket is not None and _is_over(shop, state.basket):
        return replace(emptied(state), seq=state.seq + 1), None
    if entry is not None:
        printed = printed_sale(entry)
        sale = printed.sale
        done = done_sale(sale, settlement_of(sale), shop.layout.text(printed))
        sold = replace(
            state,
            seq=state.seq + 1,
            basket=None,
            before=None,
            can_undo=False,
            touched_line=None,
            last_scan=None,
            done=replace(done, print=_print_state(shop, spool, state.lane, sale.receipt_no)),
        )
        return sold, sale.receipt_no
    if state.done is not None and state.done.print in {"queued", "printing"}:
        shown = _print_state(shop, spool, state.lane, state.done.receipt_no)
        return replace(state, seq=state.seq + 1, done=replace(state.done, print=shown)), None
    return state, None


def _is_over(shop: Shop, basket: Basket) -> bool:
    """Whether the journal has it as given up: what was paid of it now would not be recorded."""
    return shop.journal.entry_by_id(basket.id) is not None


def _print_state(shop: Shop, spool: Spool, lane: int, receipt_no: str) -> PrintState:
    """What the screen says of a receipt. One without a job never reached the printer."""
    if spool.outcome(receipt_no) is None:
        spool.add(job_of(lane, receipt_no, 0, shop.clock.now_ms()))
    return _SHOWN.get(spool.outcome(receipt_no), "failed")
