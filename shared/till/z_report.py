"""The Z report: a fold of the day's journal events.

The box folds them as they are appended, HQ folds the same events after they have arrived, and
the two must agree to the cent.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from shared.journal.event import (
    BasketVoided,
    DrawerOpened,
    Event,
    ReceiptReprinted,
    SaleCompleted,
)
from shared.sale.tender import TenderKind
from shared.sale.transaction import RetailTransaction


@dataclass(frozen=True, slots=True)
class ZReport:
    """Sums of one business day, for one lane or for a store; money in minor units.

    `cash_minor` is what stayed in the drawer (tendered minus change). They obey
    gross - member_disc - offer_disc - store_coupon = net and net - mfr_coupon + rounding = tender
    = cash + card; `rounding_minor` is what rounding for cash added, or below nought took off.
    """

    business_date: str
    receipts: int = 0
    lines: int = 0
    units: int = 0
    gross_minor: int = 0
    member_disc_minor: int = 0
    store_coupon_minor: int = 0
    net_minor: int = 0
    mfr_coupon_minor: int = 0
    tender_minor: int = 0
    cash_minor: int = 0
    card_minor: int = 0
    voided_baskets: int = 0
    voided_lines: int = 0
    overrides: int = 0
    no_sales: int = 0
    reprints: int = 0
    offer_disc_minor: int = 0
    rounding_minor: int = 0


def fold_z(z: ZReport, event: Event) -> ZReport:
    """The report after one more event; events that no Z counts leave it as it is."""
    match event:
        case SaleCompleted(sale):
            return _with_sale(z, sale)
        case BasketVoided():
            return replace(z, voided_baskets=z.voided_baskets + 1)
        case DrawerOpened(reason=reason):
            return replace(z, no_sales=z.no_sales + (reason != "sale"))
        case ReceiptReprinted():
            return replace(z, reprints=z.reprints + 1)
        case _:
            return z


def merge_z(left: ZReport, right: ZReport) -> ZReport:
    """The report of two lanes of one business day together."""
    assert left.business_date == right.business_date
    sums = {
        field.name: getattr(left, field.name) + getattr(right, field.name)
        for field in fields(ZReport)
        if field.name != "business_date"
    }
    return ZReport(left.business_date, **sums)


def _with_sale(z: ZReport, sale: RetailTransaction) -> ZReport:
    totals = sale.totals
    cash = card = 0
    for tender in sale.tenders:
        if tender.kind == TenderKind.CASH:
            cash += tender.amount_minor
        elif tender.kind == TenderKind.CARD:
            card += tender.amount_minor
    # By name and in full: `replace` costs as much again, and each sale waits for this.
    return ZReport(
        business_date=z.business_date,
        receipts=z.receipts + 1,
        lines=z.lines + totals.lines,
        units=z.units + totals.units,
        gross_minor=z.gross_minor + totals.gross_minor,
        member_disc_minor=z.member_disc_minor + totals.member_disc_minor,
        store_coupon_minor=z.store_coupon_minor + totals.store_coupon_minor,
        net_minor=z.net_minor + totals.net_minor,
        mfr_coupon_minor=z.mfr_coupon_minor + totals.mfr_coupon_minor,
        tender_minor=z.tender_minor + totals.tender_minor,
        cash_minor=z.cash_minor + cash - sale.change_minor,
        card_minor=z.card_minor + card,
        voided_baskets=z.voided_baskets,
        voided_lines=z.voided_lines + len(sale.voided),
        overrides=z.overrides + sum(1 for line in sale.lines if line.override is not None),
        no_sales=z.no_sales,
        reprints=z.reprints,
        offer_disc_minor=z.offer_disc_minor + totals.offer_disc_minor,
        rounding_minor=z.rounding_minor + totals.rounding_minor,
    )
