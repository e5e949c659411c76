"""The finished sale (ARTS RetailTransaction): what the journal keeps and the receipt shows."""

from __future__ import annotations

from dataclasses import dataclass

from shared.kernel.errors import RefusedError
from shared.kernel.quantity import ONE_MILLI
from shared.sale.basket import Basket, VoidedLine, Weighed
from shared.sale.line_price import MEMBER_PRICE, OFFER, STORE_COUPON
from shared.sale.pack import PackFacts
from shared.sale.pricing import PricedBasket, PricedLine
from shared.sale.settle import Settlement
from shared.sale.sold_offer import SoldOffer, sold_offer
from shared.sale.tender import Tender, TenderKind


@dataclass(frozen=True, slots=True)
class SoldModifier:
    """A price modifier as recorded: negative amounts save money.

    An offer's share names the offer as `reference`, and tells what the line was worth before it
    and how many of its units it touched: a return needs no more than that.
    """

    kind: str
    amount_minor: int
    because: str
    reference: str = ""
    base_minor: int = 0
    units: int = 0


@dataclass(frozen=True, slots=True)
class SoldOverride:
    """That a person set the line's price, with the book's unit price and who allowed it."""

    book_unit_minor: int | None
    reason: str
    approved_by: str


@dataclass(frozen=True, slots=True)
class SoldLine:
    """One sold line; gross plus modifiers is net, in minor units; the tax is part of the net."""

    n: int
    gtin: str
    name: str
    code: str
    qty_milli: int
    is_weighed: bool
    unit_minor: int | None
    gross_minor: int
    net_minor: int
    modifiers: tuple[SoldModifier, ...] = ()
    override: SoldOverride | None = None
    tax_bp: int = 0
    tax_minor: int = 0
    weighed: Weighed | None = None
    pack: PackFacts | None = None


@dataclass(frozen=True, slots=True)
class SaleTotals:
    """Sums over the lines and tenders of one sale, minor units; `units` counts pieces."""

    lines: int
    units: int
    gross_minor: int
    member_disc_minor: int
    store_coupon_minor: int
    net_minor: int
    mfr_coupon_minor: int
    tender_minor: int
    """Net minus makers' coupons, rounded: what came in as cash and card, change taken off."""
    offer_disc_minor: int = 0
    rounding_minor: int = 0
    """What rounding for cash added, or below nought took off."""


@dataclass(frozen=True, slots=True)
class RetailTransaction:
    """One completed sale. `revision` is the catalogue revision that priced it.

    `coupons` are the codes that offers asked for, as handed in.
    """

    receipt_no: str
    lane: int
    operator: str
    opened_at_ms: int
    priced_at_ms: int
    revision: int
    member: str | None
    lines: tuple[SoldLine, ...]
    tenders: tuple[Tender, ...]
    change_minor: int
    totals: SaleTotals
    voided: tuple[VoidedLine, ...] = ()
    offers: tuple[SoldOffer, ...] = ()
    coupons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SaleHeader:
    """Who sold where, under which receipt number, and in which language offers are named."""

    receipt_no: str
    lane: int
    operator: str
    language: str = "zh-CN"


def complete(
    header: SaleHeader, basket: Basket, priced: PricedBasket, settlement: Settlement
) -> RetailTransaction:
    """Make the fact of a sale.

    Refuses what must not be sold: `basket.empty`, `basket.unknown_codes`, `basket.needs_price`,
    `basket.age_unknown`.
    """
    refuse_unsellable(basket, priced)
    lines = tuple(_sold_line(line) for line in priced.lines)
    totals = totals_of(lines, settlement)
    assert totals.net_minor == settlement.due_minor  # a sum of parts: else a programmer's error
    return RetailTransaction(
        header.receipt_no,
        header.lane,
        header.operator,
        basket.opened_at_ms,
        priced.at_ms,
        priced.revision,
        basket.member,
        lines,
        settlement.tenders,
        settlement.change_minor,
        totals,
        basket.voided,
        tuple(sold_offer(each, header.language) for each in priced.applied),
        basket.coupons,
    )


def refuse_unsellable(basket: Basket, priced: PricedBasket) -> None:
    """Raise the reason why this basket cannot be paid, if there is one."""
    if not basket.lines:
        raise RefusedError("basket.empty")
    if basket.unknown:
        raise RefusedError("basket.unknown_codes", count=len(basket.unknown))
    if priced.needs_price:
        raise RefusedError("basket.needs_price")
    if basket.age_asked:
        raise RefusedError("basket.age_unknown", years=basket.age_asked)


def totals_of(lines: tuple[SoldLine, ...], settlement: Settlement) -> SaleTotals:
    """Fold lines and tenders. A weighed pack counts as one unit."""
    coupons = sum(
        t.amount_minor for t in settlement.tenders if t.kind is TenderKind.MANUFACTURER_COUPON
    )
    net = sum(line.net_minor for line in lines)
    return SaleTotals(
        lines=len(lines),
        units=sum(_units(line.qty_milli) for line in lines),
        gross_minor=sum(line.gross_minor for line in lines),
        member_disc_minor=-_modified(lines, MEMBER_PRICE),
        store_coupon_minor=-_modified(lines, STORE_COUPON),
        net_minor=net,
        mfr_coupon_minor=coupons,
        tender_minor=net - coupons + settlement.rounding_minor,
        offer_disc_minor=-_modified(lines, OFFER),
        rounding_minor=settlement.rounding_minor,
    )


def settlement_of(sale: RetailTransaction) -> Settlement:
    """How a finished sale was settled."""
    totals = sale.totals
    return Settlement(totals.net_minor, sale.tenders, sale.change_minor, totals.rounding_minor)


def _units(qty_milli: int) -> int:
    """Pieces are whole thousands; anything else is the weight of one pack."""
    return 1 if qty_milli % ONE_MILLI else qty_milli // ONE_MILLI


def _modified(lines: tuple[SoldLine, ...], kind: str) -> int:
    return sum(m.amount_minor for line in lines for m in line.modifiers if m.kind == kind)


def _sold_line(priced: PricedLine) -> SoldLine:
    line, override = priced.line, None
    if line.override is not None:
        override = SoldOverride(priced.unit_minor, line.override.reason, line.override.approved_by)
    modifiers = tuple(
        SoldModifier(m.kind, m.amount_minor, m.because, m.reference, m.base_minor, m.units)
        for m in priced.modifiers
    )
    return SoldLine(
        line.number,
        line.item.gtin,
        line.item.name,
        line.code,
        line.qty_milli,
        line.item.is_weighed,
        priced.unit_minor,
        priced.gross_minor,
        priced.net_minor,
        modifiers,
        override,
        line.item.tax_bp,
        priced.tax_minor,
        line.weighed,
        line.pack,
    )
