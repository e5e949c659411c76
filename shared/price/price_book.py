"""The price book: for each item its effective-dated prices, in one published revision."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import attrgetter

from shared.kernel.gtin import Gtin
from shared.price.context import PricePolicy
from shared.price.offer_book import EMPTY_BOOK, OfferBook

HOUSE_RULES = PricePolicy()


@dataclass(frozen=True, slots=True)
class DatedPrice:
    """Unit price in minor units from an instant (UTC ms, inclusive) until the next one.

    `member_minor` is None where members pay the regular price.
    """

    from_at_ms: int
    regular_minor: int
    member_minor: int | None = None


_from_at = attrgetter("from_at_ms")


def price_at(prices: tuple[DatedPrice, ...], at_ms: int) -> DatedPrice | None:
    """The price in force at an instant; None before the first one. `prices` ascend by time."""
    place = bisect_right(prices, at_ms, key=_from_at)
    return prices[place - 1] if place else None


@dataclass(frozen=True, slots=True)
class PriceBook:
    """The prices of the items in one basket and the offers, all of one revision."""

    revision: int
    prices: Mapping[Gtin, tuple[DatedPrice, ...]] = field(default_factory=dict)
    offers: OfferBook = EMPTY_BOOK
    policy: PricePolicy = HOUSE_RULES

    def price_at(self, gtin: Gtin, at_ms: int) -> DatedPrice | None:
        """Price of an item at an instant; None when the book has none."""
        return price_at(self.prices.get(gtin, ()), at_ms)
