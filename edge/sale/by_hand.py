"""How much a person takes off by hand: what the role's ceilings are held against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from edge.sale.pricing import book_of
from edge.sale.shop import Shop, Sums
from shared.sale.basket import Basket, BasketLine
from shared.sale.pricing import listed_lines
from shared.staff.permission import SALE_COUPON, SALE_OVERRIDE
from shared.staff.role import Measure

Authority = Callable[[str, Measure], str]
"""Who vouches for so much of a permission, "" where the operator may do it alone; or raises."""
_WHOLE_BP = 10_000


def override_measure(
    shop: Shop, basket: Basket, line: BasketLine, regular_minor: int, member_minor: int | None
) -> Measure:
    """How far a price by hand is below the list, always the whole way from the list.

    A line that has no price of its own is not below it, and neither is a higher price.
    """
    listed_minor = _listed_minor(shop, basket, replace(line, override=None))
    lowest = regular_minor if member_minor is None else min(regular_minor, member_minor)
    return _off(listed_minor, max(0, listed_minor - lowest))


def coupon_measure(shop: Shop, basket: Basket, line: BasketLine, amount_minor: int) -> Measure:
    """How much of a line a store coupon takes off."""
    return _off(_listed_minor(shop, basket, line), max(0, amount_minor))


def with_totals(
    shop: Shop, permission: str, operator: str, after: Basket, measure: Measure
) -> Measure:
    """The measure of one line with what that makes of its basket and of the operator's day.

    `after` is the basket with it, for which the operator answers alone.
    """
    sums = taken_by_hand(shop, after)
    own_minor = shop.tally.minor(permission, operator, after.id)
    return replace(
        measure,
        basket_minor=sum(minor for (what, _), minor in sums.items() if what == permission),
        day_minor=own_minor + sums.get((permission, operator), 0),
    )


def taken_by_hand(shop: Shop, basket: Basket) -> Sums:
    """What people took off a basket."""
    sums: Counter[tuple[str, str]] = Counter()
    for line in basket.lines:
        given, coupon = line.override, line.coupon
        if given is not None:
            minor = override_measure(shop, basket, line, given.regular_minor, given.member_minor)
            sums[SALE_OVERRIDE, given.approved_by] += minor.amount_minor
        if coupon is not None:
            sums[SALE_COUPON, coupon.approved_by] += coupon.amount_minor
    return sums


def to_count(shop: Shop, before: Basket, after: Basket) -> Sums:
    """What a basket counts for once it has changed: what was there before may come back undone."""
    sums = Counter(taken_by_hand(shop, before))
    return sums | Counter(taken_by_hand(shop, after))


def _off(listed_minor: int, off_minor: int) -> Measure:
    if listed_minor <= 0:
        return Measure(amount_minor=off_minor)
    return Measure(min(_WHOLE_BP, -(-off_minor * _WHOLE_BP // listed_minor)), off_minor)


def _listed_minor(shop: Shop, basket: Basket, line: BasketLine) -> int:
    alone = replace(basket, lines=(line,))
    listed = listed_lines(alone, book_of(alone, shop.catalogue), basket.opened_at_ms)[0]
    return 0 if listed.goods is None else listed.goods.gross_minor
