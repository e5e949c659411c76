"""The price book: for each item its effective-dated prices, in one published revision."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from operator import attrgetter

from shared.kernel.gtin import Gtin
from shared.price.context import PricePolicy
from shared.price.offer_book import EMPTY_BOOK, OfferBook

HOUSE_RULES = PricePolicy()
NO_PRICE_MINOR = -1
"""`regular_minor` of a stretch of time in which an item has no price."""


class PriceLevel(StrEnum):
    """Who set a price; the store's own counts first, then its zone's, then the chain's."""

    STORE = "store"
    ZONE = "zone"
    CHAIN = "chain"


@dataclass(frozen=True, slots=True)
class DatedPrice:
    """Unit price in minor units from an instant (UTC ms, inclusive) until the next one.

    `member_minor` is None where members pay the regular price; `level` is where it was set.
    """

    from_at_ms: int
    regular_minor: int
    member_minor: int | None = None
    level: PriceLevel = PriceLevel.STORE


_from_at = attrgetter("from_at_ms")


def price_at(prices: tuple[DatedPrice, ...], at_ms: int) -> DatedPrice | None:
    """The price in force at an instant; None where there is none. `prices` ascend by time."""
    place = bisect_right(prices, at_ms, key=_from_at)
    found = prices[place - 1] if place else None
    return None if found is None or found.regular_minor == NO_PRICE_MINOR else found


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
