"""Price a basket: pure, whole numbers only, the same at the till, in the preview and at HQ.

Three steps: the member price of the book, then the offers over the whole basket, last the store
coupon of a line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from shared.kernel.quantity import extended_minor
from shared.price.context import (
    CouponState,
    MemberStanding,
    PriceContext,
    PriceLine,
    PricePolicy,
    PricingInstant,
)
from shared.price.derivation import AppliedOffer, Derivation
from shared.price.derive import derive
from shared.price.price_book import DatedPrice, PriceBook
from shared.price.tax import TaxSum, tax_minor, tax_sums
from shared.sale.basket import Basket, BasketLine
from shared.sale.line_price import (
    OFFER,
    MemberPrice,
    PriceModifier,
    PriceRule,
    StatedMemberAmount,
    StoreCoupon,
    modifiers_of,
)
from shared.sale.member_history import MemberHistory

_TAGGED_ITEMS = 8192


@dataclass(frozen=True, slots=True)
class PricedLine:
    """A basket line with its amounts in minor units; gross plus modifiers is net.

    `unit_minor` is the regular unit price (None when the book has none: `needs_price`). The tax
    is part of the net.
    """

    line: BasketLine
    unit_minor: int | None
    gross_minor: int
    modifiers: tuple[PriceModifier, ...]
    net_minor: int
    needs_price: bool = False
    tax_minor: int = 0


@dataclass(frozen=True, slots=True)
class PricedBasket:
    """All lines priced at one instant under one revision; `applied` are the offers that acted."""

    lines: tuple[PricedLine, ...]
    at_ms: int
    revision: int
    gross_minor: int
    due_minor: int
    """What the customer owes before any tender."""
    applied: tuple[AppliedOffer, ...] = ()
    taxes: tuple[TaxSum, ...] = ()

    @property
    def needs_price(self) -> bool:
        """A line has no price yet, so the basket cannot be paid."""
        return any(line.needs_price for line in self.lines)


@dataclass(frozen=True, slots=True)
class ListedLine:
    """A basket line before offers: what they see of it, and the member price that went before.

    `goods` is None while the line has no price.
    """

    line: BasketLine
    unit_minor: int | None
    goods: PriceLine | None
    modifiers: tuple[PriceModifier, ...] = ()


def price_basket(
    basket: Basket, book: PriceBook, context: PriceContext, at: PricingInstant
) -> PricedBasket:
    """Price all lines at one instant. Deterministic; the order of scans only decides ties."""
    listed = listed_lines(basket, book, at.at_ms)
    derivation = derive(goods_of(listed), book.offers, context, at, book.policy)
    return priced_by(derivation, listed, book, at)


def listed_lines(basket: Basket, book: PriceBook, at_ms: int) -> tuple[ListedLine, ...]:
    """The lines as offers meet them, at an instant (UTC ms)."""
    member = basket.member
    return tuple(
        _listed(line, book.price_at(line.item.gtin, at_ms), member) for line in basket.lines
    )


def goods_of(listed: Iterable[ListedLine]) -> tuple[PriceLine, ...]:
    """The lines that have a price, for the offers' engine."""
    return tuple(each.goods for each in listed if each.goods is not None)


def context_of(
    member: str | None, coupons: Iterable[str], history: MemberHistory | None = None
) -> PriceContext:
    """What is known of the customer at the till; coupons in a basket are valid there.

    Without a history no limit per member binds, and no sale is known to be the n-th.
    """
    valid = dict.fromkeys(coupons, CouponState.VALID)
    if member is None:
        return PriceContext(None, valid)
    standing = MemberStanding(member)
    if history is None:
        return PriceContext(standing, valid)
    return PriceContext(standing, valid, history.orders, history.uses, history.units)


@lru_cache(_TAGGED_ITEMS)
def tags_of(tags: tuple[str, ...], department: str, brand: str) -> frozenset[str]:
    """What selectors by tag may ask of an item: its own tags, department and brand."""
    derived = {f"department:{department}" if department else "", f"brand:{brand}" if brand else ""}
    return frozenset(tags) | (derived - {""})


def _listed(line: BasketLine, dated: DatedPrice | None, member: str | None) -> ListedLine:
    gross = _gross_minor(line, dated)
    unit = line.label_minor if line.label_minor is not None else _regular_minor(dated)
    if gross is None:
        return ListedLine(line, unit, None)
    modifiers: tuple[PriceModifier, ...] = ()
    if member is not None:
        modifiers = modifiers_of(gross, line.qty_milli, _member_rules_of(line, dated))
    return ListedLine(line, unit, _goods(line, unit, gross, modifiers), modifiers)


def _goods(
    line: BasketLine, unit: int | None, gross: int, modifiers: tuple[PriceModifier, ...]
) -> PriceLine:
    item = line.item
    return PriceLine(
        key=line.number,
        sku=item.gtin,
        qty_milli=line.qty_milli,
        unit_minor=gross if unit is None else unit,
        category=item.category,
        tags=tags_of(item.tags, item.department, item.brand),
        # A pack with a price on its label is a piece, whatever it weighs.
        is_weighed=item.is_weighed and line.label_minor is None,
        uom=item.uom,
        # A price that a person gave is the price: no offer touches it or counts it.
        is_promotable=item.is_promotable and line.override is None,
        floor_unit_minor=item.floor_minor,
        tax_bp=item.tax_bp,
        list_minor=gross,
        start_minor=gross + modifiers[0].amount_minor if modifiers else None,
    )


def priced_by(
    derivation: Derivation, listed: Iterable[ListedLine], book: PriceBook, at: PricingInstant
) -> PricedBasket:
    """The basket as the offers left it: `price_basket` for who has asked the engine already."""
    shares = _shares_of(derivation)
    lines = tuple(_priced_line(each, shares, book.policy) for each in listed)
    return PricedBasket(
        lines,
        at.at_ms,
        book.revision,
        sum(line.gross_minor for line in lines),
        sum(line.net_minor for line in lines),
        derivation.applied,
        tax_sums((line.line.item.tax_bp, line.net_minor, line.tax_minor) for line in lines),
    )


def _shares_of(derivation: Derivation) -> dict[int, list[PriceModifier]]:
    found: dict[int, list[PriceModifier]] = {}
    for applied in derivation.applied:
        for share in applied.shares:
            modifier = PriceModifier(
                OFFER,
                -share.amount_minor,
                OFFER,
                applied.offer.id,
                share.base_minor,
                share.units,
            )
            found.setdefault(share.line, []).append(modifier)
    return found


def _priced_line(
    listed: ListedLine, shares: Mapping[int, list[PriceModifier]], policy: PricePolicy
) -> PricedLine:
    line, goods = listed.line, listed.goods
    if goods is None:
        return PricedLine(line, listed.unit_minor, 0, (), 0, needs_price=True)
    gross = goods.gross_minor
    modifiers = (*listed.modifiers, *shares.get(line.number, ()))
    net = gross + sum(modifier.amount_minor for modifier in modifiers)
    if line.coupon is not None:
        rule = StoreCoupon(line.coupon.amount_minor, line.coupon.reference)
        last = modifiers_of(net, line.qty_milli, (rule,))
        modifiers += last
        net += sum(modifier.amount_minor for modifier in last)
    tax = tax_minor(net, goods.tax_bp, policy) if goods.tax_bp else 0
    return PricedLine(line, listed.unit_minor, gross, modifiers, net, tax_minor=tax)


def _regular_minor(dated: DatedPrice | None) -> int | None:
    return None if dated is None else dated.regular_minor


def _gross_minor(line: BasketLine, dated: DatedPrice | None) -> int | None:
    if line.override is not None:
        return line.override.regular_minor
    if line.label_minor is not None:
        return extended_minor(line.label_minor, line.qty_milli)
    if dated is not None:
        return extended_minor(dated.regular_minor, line.qty_milli)
    return None


def _member_rules_of(line: BasketLine, dated: DatedPrice | None) -> Iterator[PriceRule]:
    if line.override is not None:
        if line.override.member_minor is not None:
            yield StatedMemberAmount(line.override.member_minor)
        return
    # The price on a label is for that very pack; the book's member price is per unit.
    if line.label_minor is None and dated is not None and dated.member_minor is not None:
        yield MemberPrice(dated.member_minor)
