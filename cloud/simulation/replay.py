"""From a recorded sale and today's item master to a basket that can be priced again. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import NamedTuple

from msgspec.structs import replace

from cloud.simulation.body import Line, Modifier, Sale
from cloud.simulation.recorded import RecordedBasket
from shared.kernel.quantity import extended_minor
from shared.price.context import PriceContext, PriceLine, PricingInstant
from shared.sale.line_price import MEMBER_PRICE, STORE_COUPON
from shared.sale.pricing import context_of
from shared.sale.reprice import is_label_pack

GUEST = PriceContext()


class ItemFacts(NamedTuple):
    """What the item master says that the sale does not; cost is for one unit, without tax."""

    category: str = ""
    tags: frozenset[str] = frozenset()
    uom: str = ""
    is_promotable: bool = True
    floor_unit_minor: int = 0
    tax_bp: int = 0
    cost_minor: int | None = None


class NewPrice(NamedTuple):
    """A price that is to be tried; `member_minor` None: members pay the same."""

    regular_minor: int
    member_minor: int | None = None


UNKNOWN_ITEM = ItemFacts()
"""An item that the master lost: it keeps its recorded price, and general offers may touch it."""


@dataclass(frozen=True, slots=True)
class Shop:
    """Where baskets were recorded, and the items that they may hold."""

    store_id: str
    zone: tzinfo
    items: Mapping[str, ItemFacts]


def basket_of(sale: Sale, shop: Shop) -> RecordedBasket:
    """The sale's lines at their recorded list and member prices."""
    lines, coupons, costs = [], [], []
    for place, line in enumerate(sale.lines):
        facts = shop.items.get(line.gtin, UNKNOWN_ITEM)
        is_pack = line.is_weighed and _is_priced(line)
        saved, coupon = _recorded_savings(line) if line.modifiers else (0, 0)
        lines.append(_price_line(place, line, facts, line.gross_minor - saved, is_pack=is_pack))
        coupons.append(coupon)
        # A pack whose label says a price but no weight has no known cost.
        cost = None if is_pack else facts.cost_minor
        costs.append(None if cost is None else extended_minor(cost, line.qty_milli))
    return RecordedBasket(
        shop.store_id,
        sale.receipt_no,
        tuple(lines),
        _context_of(sale),
        instant_of(sale.priced_at_ms, shop.zone),
        sum([line.gross_minor for line in sale.lines]),
        sum([line.net_minor for line in sale.lines]),
        tuple(coupons) if any(coupons) else (),
        tuple(costs) if any(cost is not None for cost in costs) else (),
    )


def repriced(sale: Sale, prices: Mapping[str, NewPrice]) -> Sale:
    """The sale as if these prices had been in force; the same object where none of them matters.

    What a person or a label priced stays as it was.
    """
    is_member = sale.member is not None
    lines = tuple(
        _repriced(line, prices.get(line.gtin), is_member=is_member) for line in sale.lines
    )
    if all(new is old for new, old in zip(lines, sale.lines, strict=True)):
        return sale
    return replace(sale, lines=lines)


def _repriced(line: Line, price: NewPrice | None, *, is_member: bool) -> Line:
    if price is None or line.unit_minor is None or line.override is not None or _is_priced(line):
        return line
    gross = extended_minor(price.regular_minor, line.qty_milli)
    kept = tuple(each for each in line.modifiers if each.kind != MEMBER_PRICE)
    if is_member and price.member_minor is not None:
        saved = gross - extended_minor(price.member_minor, line.qty_milli)
        kept = (Modifier(MEMBER_PRICE, -saved), *kept)
    if gross == line.gross_minor and kept == line.modifiers:
        return line
    return replace(line, unit_minor=price.regular_minor, gross_minor=gross, modifiers=kept)


def instant_of(at_ms: int, zone: tzinfo) -> PricingInstant:
    """An instant with the store's wall clock."""
    local = datetime.fromtimestamp(at_ms // 1000, zone)
    second = (local.hour * 60 + local.minute) * 60 + local.second
    return PricingInstant(at_ms, local.date(), second)


def _recorded_savings(line: Line) -> tuple[int, int]:
    """What the member price and what the line's own coupon took off."""
    member = coupon = 0
    for modifier in line.modifiers:
        if modifier.kind == MEMBER_PRICE:
            member -= modifier.amount_minor
        elif modifier.kind == STORE_COUPON:
            coupon -= modifier.amount_minor
    return member, coupon


def _price_line(
    place: int, line: Line, facts: ItemFacts, start_minor: int, *, is_pack: bool
) -> PriceLine:
    gross = line.gross_minor
    return PriceLine(  # the fields in their order: naming them takes a third longer
        place,
        line.gtin,
        line.qty_milli,
        gross if line.unit_minor is None else line.unit_minor,
        facts.category,
        facts.tags,
        line.is_weighed and not is_pack,
        facts.uom,
        facts.is_promotable and line.override is None,
        facts.floor_unit_minor,
        line.tax_bp or facts.tax_bp,
        gross,
        None if start_minor == gross else start_minor,
    )


def _is_priced(line: Line) -> bool:
    """Whether a pack's label said its price."""
    if line.weighed is not None:
        return False
    is_priced = line.pack is not None and line.pack.is_priced
    return is_label_pack(line.code, is_weighed=True, is_priced=is_priced)


def _context_of(sale: Sale) -> PriceContext:
    if sale.member is None and not sale.coupons:
        return GUEST
    return context_of(sale.member, sale.coupons)
