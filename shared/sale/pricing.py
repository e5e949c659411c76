"""Price a basket: pure, whole numbers only, the same at the till, in the preview and at HQ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shared.kernel.quantity import extended_minor
from shared.price.price_book import DatedPrice, PriceBook
from shared.sale.basket import Basket, BasketLine
from shared.sale.line_price import (
    MemberPrice,
    PriceModifier,
    PriceRule,
    StatedMemberAmount,
    StoreCoupon,
    derive,
)


@dataclass(frozen=True, slots=True)
class PricedLine:
    """A basket line with its amounts in minor units; gross plus modifiers is net.

    `unit_minor` is the regular unit price (None when the book has none: `needs_price`).
    """

    line: BasketLine
    unit_minor: int | None
    gross_minor: int
    modifiers: tuple[PriceModifier, ...]
    net_minor: int
    needs_price: bool = False


@dataclass(frozen=True, slots=True)
class PricedBasket:
    """All lines priced at one instant under one revision."""

    lines: tuple[PricedLine, ...]
    at_ms: int
    revision: int
    gross_minor: int
    due_minor: int
    """What the customer owes before any tender."""

    @property
    def needs_price(self) -> bool:
        """A line has no price yet, so the basket cannot be paid."""
        return any(line.needs_price for line in self.lines)


def price_basket(basket: Basket, book: PriceBook, at_ms: int) -> PricedBasket:
    """Price each line at one instant (UTC ms). Deterministic; the order of scans is no input."""
    lines = tuple(
        _price_line(line, book.price_at(line.item.gtin, at_ms), basket.member)
        for line in basket.lines
    )
    gross = sum(line.gross_minor for line in lines)
    due = sum(line.net_minor for line in lines)
    return PricedBasket(lines, at_ms, book.revision, gross, due)


def _price_line(line: BasketLine, dated: DatedPrice | None, member: str | None) -> PricedLine:
    gross = _gross_minor(line, dated)
    unit = line.label_minor if line.label_minor is not None else _regular_minor(dated)
    if gross is None:
        return PricedLine(line, unit, 0, (), 0, needs_price=True)
    modifiers = derive(gross, line.qty_milli, _rules_of(line, dated, member))
    net = gross + sum(modifier.amount_minor for modifier in modifiers)
    return PricedLine(line, unit, gross, modifiers, net)


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


def _rules_of(
    line: BasketLine, dated: DatedPrice | None, member: str | None
) -> Iterator[PriceRule]:
    if member is not None:
        yield from _member_rules_of(line, dated)
    if line.coupon is not None:
        yield StoreCoupon(line.coupon.amount_minor, line.coupon.reference)


def _member_rules_of(line: BasketLine, dated: DatedPrice | None) -> Iterator[PriceRule]:
    if line.override is not None:
        if line.override.member_minor is not None:
            yield StatedMemberAmount(line.override.member_minor)
        return
    # The price on a label is for that very pack; the book's member price is per unit.
    if line.label_minor is None and dated is not None and dated.member_minor is not None:
        yield MemberPrice(dated.member_minor)
