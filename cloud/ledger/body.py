"""The part of an event's data that the books need, read straight from the body's bytes.

`shared.wire.codec` reads whole events; ingest reads hundreds of sales per batch and needs only the
amounts, so unknown and unneeded fields are skipped here while the JSON is being read.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from cloud.ledger.post import SaleFigures
from shared.kernel.errors import RefusedError
from shared.kernel.rounding import ROUNDING_MINOR_MAX
from shared.sale.line_price import MEMBER_PRICE, OFFER, STORE_COUPON
from shared.sale.tender import TenderKind

Money = Annotated[int, msgspec.Meta(ge=-(10**12), le=10**12)]
Rounding = Annotated[int, msgspec.Meta(ge=-ROUNDING_MINOR_MAX, le=ROUNDING_MINOR_MAX)]
Count = Annotated[int, msgspec.Meta(ge=0, le=10**9)]
Text = Annotated[str, msgspec.Meta(max_length=200)]
RECORDED = 9
"""How many of the figures the box states too."""


class Modifier(msgspec.Struct, gc=False):
    """One price modifier; negative amounts save money."""

    kind: str
    amount_minor: Money


class Line(msgspec.Struct, gc=False):
    """The amounts of one sold line."""

    gross_minor: Money
    net_minor: Money
    modifiers: tuple[Modifier, ...] = ()


class Paid(msgspec.Struct, gc=False):
    """One tender as handed over."""

    kind: TenderKind
    amount_minor: Money


class Totals(msgspec.Struct, gc=False):
    """The sums as the box recorded them (`shared.sale.transaction.SaleTotals`)."""

    lines: Count
    units: Count
    gross_minor: Money
    member_disc_minor: Money
    store_coupon_minor: Money
    net_minor: Money
    mfr_coupon_minor: Money
    tender_minor: Money
    offer_disc_minor: Money = 0
    rounding_minor: Rounding = 0


class Sale(msgspec.Struct, gc=False):
    """A `RetailTransaction` as far as the books go."""

    receipt_no: Text
    lane: Count
    revision: Count
    lines: tuple[Line, ...]
    tenders: tuple[Paid, ...]
    change_minor: Money
    totals: Totals


class _SaleData(msgspec.Struct, gc=False):
    sale: Sale


class _DayClosedData(msgspec.Struct, gc=False):
    business_date: str
    z: dict[str, Any]


_decode_sale = msgspec.json.Decoder(_SaleData).decode
_decode_day = msgspec.json.Decoder(_DayClosedData).decode


def read_sale(data: msgspec.Raw) -> Sale:
    """The sale in the data of a `sale.completed`; RefusedError `ledger.sale`."""
    try:
        return _decode_sale(data).sale
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RefusedError("ledger.sale", because=str(error)) from None


def read_day_close(data: msgspec.Raw) -> tuple[str, dict[str, Any]]:
    """Business date and Z report of a `day.closed`; RefusedError `ledger.day_close`."""
    try:
        day = _decode_day(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RefusedError("ledger.day_close", because=str(error)) from None
    return day.business_date, day.z


def figures_of(sale: Sale) -> SaleFigures:
    """Recompute a sale's sums from its lines and tenders.

    Raises RefusedError `ledger.totals` when they are not what the box recorded.  `units` is taken
    as recorded: what counts as one unit is the box's business.
    """
    gross = net = member = coupon = offer = 0
    for line in sale.lines:
        gross += line.gross_minor
        net += line.net_minor
        for modifier in line.modifiers:
            if modifier.kind == MEMBER_PRICE:
                member -= modifier.amount_minor
            elif modifier.kind == STORE_COUPON:
                coupon -= modifier.amount_minor
            elif modifier.kind == OFFER:
                offer -= modifier.amount_minor
    cash, card, makers = -sale.change_minor, 0, 0
    for paid in sale.tenders:
        if paid.kind is TenderKind.CASH:
            cash += paid.amount_minor
        elif paid.kind is TenderKind.CARD:
            card += paid.amount_minor
        else:
            makers += paid.amount_minor
    totals = sale.totals
    figures = SaleFigures(
        len(sale.lines),
        totals.units,
        gross,
        member,
        offer,
        coupon,
        net,
        makers,
        net - makers + totals.rounding_minor,
        cash,
        card,
    )
    if figures[:RECORDED] != _recorded(totals):
        raise RefusedError("ledger.totals")
    return figures


def _recorded(totals: Totals) -> tuple[int, ...]:
    return (
        totals.lines,
        totals.units,
        totals.gross_minor,
        totals.member_disc_minor,
        totals.offer_disc_minor,
        totals.store_coupon_minor,
        totals.net_minor,
        totals.mfr_coupon_minor,
        totals.tender_minor,
    )
