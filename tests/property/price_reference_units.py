"""Goods as single units, and how one amount is shared among several, for the second reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from shared.price.condition import Selector
from shared.price.context import Allocation, PriceLine, Rounding
from shared.price.offer import Offer


@dataclass(slots=True)
class Unit:
    """One piece, or one weighed line. `value` is what it costs now; used units are in a set."""

    line: int
    place: int
    list_minor: int
    value: int
    is_used: bool = False


@dataclass(slots=True)
class World:
    """The basket in the middle of pricing."""

    goods: Sequence[PriceLine]
    units: list[Unit]

    def units_of(self, line: int) -> list[Unit]:
        return [unit for unit in self.units if unit.line == line]

    def net(self, line: int) -> int:
        return sum(unit.value for unit in self.units_of(line))

    def listed(self, line: int) -> int:
        return sum(unit.list_minor for unit in self.units_of(line))

    def room(self, line: int, offer: Offer) -> int:
        """What may still be taken off the line."""
        goods = self.goods[line]
        if offer.ignores_floor:
            return self.net(line)
        least = rounded(Fraction(goods.floor_unit_minor * goods.qty_milli, 1000))
        return max(0, self.net(line) - least)

    def matches(self, line: int, selector: Selector) -> bool:
        goods = self.goods[line]
        price = goods.unit_minor
        return (
            goods.is_promotable
            and goods.qty_milli > 0
            and (not selector.skus or goods.sku in selector.skus)
            and (not selector.categories or goods.category in selector.categories)
            and (not selector.tags or bool(goods.tags & selector.tags))
            and (selector.unit_price_min is None or price >= selector.unit_price_min)
            and (selector.unit_price_max is None or price <= selector.unit_price_max)
            and (not selector.undiscounted or self.net(line) == self.listed(line))
            and (selector.exclude is None or not self.matches(line, selector.exclude))
        )


def world_of(lines: Sequence[PriceLine]) -> World:
    units = []
    for number, line in enumerate(lines):
        start = line.gross_minor if line.start_minor is None else line.start_minor
        lists, values = (evenly(amount, line.units) for amount in (line.gross_minor, start))
        pairs = zip(lists, values, strict=True)
        units += [Unit(number, place, *pair) for place, pair in enumerate(pairs)]
    return World(lines, units)


def evenly(amount: int, count: int) -> list[int]:
    """An amount over units that cost the same; odd minor units go to the last."""
    return largest_remainder(amount, [1] * count)[::-1]


def rounded(exact: Fraction, how: Rounding = Rounding.HALF_UP) -> int:
    """The whole number for an exact amount that is not negative."""
    if how is Rounding.FLOOR:
        return floor(exact)
    if how is Rounding.HALF_EVEN:
        return round(exact)
    return floor(exact + Fraction(1, 2))


def largest_remainder(amount: int, weights: Sequence[int]) -> list[int]:
    """Shares in proportion to the weights that add up; ties go to the first."""
    exact = [Fraction(amount * weight, sum(weights)) for weight in weights]
    shares = [floor(share) for share in exact]
    by_rest = sorted(range(len(weights)), key=lambda i: (shares[i] - exact[i], i))
    for i in by_rest[: amount - sum(shares)]:
        shares[i] += 1
    return shares


def rounded_down(amount: int, weights: Sequence[int], how: Allocation) -> list[int]:
    """What rounding down leaves over goes to the last, or one each to the first."""
    shares = [floor(Fraction(amount * weight, sum(weights))) for weight in weights]
    odd = amount - sum(shares)
    if how is Allocation.LAST_LINE:
        shares[-1] += odd
        return shares
    return [share + (place < odd) for place, share in enumerate(shares)]


def share_out(
    amount: int,
    weights: Sequence[int],
    rooms: Sequence[int],
    how: Allocation = Allocation.LARGEST_REMAINDER,
) -> list[int]:
    """Share an amount by weight, no share above its room; what is too much is shared again."""
    shares = [0] * len(weights)
    able = [i for i, weight in enumerate(weights) if weight > 0]
    while able and sum(shares) < amount:
        more = split(amount - sum(shares), [weights[i] for i in able], how)
        for i, extra in zip(able, more, strict=True):
            shares[i] = min(rooms[i], shares[i] + extra)
        able = [i for i in able if shares[i] < rooms[i]]
    return shares


def split(amount: int, weights: Sequence[int], how: Allocation) -> list[int]:
    if how is Allocation.LARGEST_REMAINDER:
        return largest_remainder(amount, weights)
    return rounded_down(amount, weights, how)
