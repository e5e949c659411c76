"""What follows from receipts alone: dated prices and the daily close."""

from collections.abc import Iterable, Iterator
from datetime import date

from tests.demo.pack.model import NO_WHOLE_PRICE, DailyClose, PriceEvent, Receipt, ReceiptLine


def price_events_of(receipts: Iterable[Receipt]) -> tuple[PriceEvent, ...]:
    """Read the dated unit prices off the receipts, given in time order.

    A line whose gross is no whole price per unit says nothing.  A line whose member price is
    unclear (no whole cent, or mixed with a store coupon) or nought (a free piece of a deal)
    makes no event by itself, only together with another regular price.
    """
    return tuple(_price_events(receipts))


def daily_close_of(receipts: Iterable[Receipt]) -> tuple[DailyClose, ...]:
    """Sum the receipts by store and day, sorted."""
    days: dict[tuple[int, date], list[Receipt]] = {}
    for receipt in receipts:
        days.setdefault((receipt.store_id, receipt.at.date()), []).append(receipt)
    return tuple(_close(store_id, day, days[store_id, day]) for store_id, day in sorted(days))


def _price_events(receipts: Iterable[Receipt]) -> Iterator[PriceEvent]:
    last: dict[tuple[int, str], tuple[int, int | None]] = {}
    for receipt in receipts:
        for line in receipt.lines:
            regular = _whole(line.gross_cents, line.quantity)
            if line.weighed or regular is None:
                continue
            member = _member_price(line, regular)
            key = (receipt.store_id, line.ean13)
            before = last.get(key)
            last[key] = (regular, member)
            if before is None or regular != before[0] or (member and member != before[1]):
                shown = NO_WHOLE_PRICE if member is None else member
                yield PriceEvent(receipt.store_id, line.ean13, receipt.at, regular, shown)


def _member_price(line: ReceiptLine, regular: int) -> int | None:
    if not line.member_disc_cents:
        return regular
    if line.store_coupon_cents:
        return None
    return _whole(line.net_cents, line.quantity)


def _whole(cents: int, quantity: int) -> int | None:
    return None if cents % quantity else cents // quantity


def _close(store_id: int, day: date, receipts: list[Receipt]) -> DailyClose:
    lines = [line for receipt in receipts for line in receipt.lines]
    return DailyClose(
        store_id=store_id,
        date=day,
        receipts=len(receipts),
        lines=len(lines),
        units=sum(line.quantity for line in lines),
        gross_cents=sum(line.gross_cents for line in lines),
        member_disc_cents=sum(line.member_disc_cents for line in lines),
        store_coupon_cents=sum(line.store_coupon_cents for line in lines),
        net_cents=sum(line.net_cents for line in lines),
        mfr_coupon_cents=sum(line.mfr_coupon_cents for line in lines),
        tender_cents=sum(receipt.tender_cents for receipt in receipts),
    )
