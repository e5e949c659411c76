"""Sums of a simulation: those of two parts, merged, are those of the whole. Pure.

All money is minor units of one store's currency. What is kept of single baskets is bounded, so
a tally is as large after a million baskets as after a hundred.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import heappush, heappushpop, nlargest
from typing import NamedTuple

PPM = 1_000_000
WORST_OF_STORE = 10
WORST_OF_OFFER = 3


class WorstBasket(NamedTuple):
    """A basket by the share of its list amount that was given away, in millionths.

    Baskets of equal share go by amount, then by day, store and receipt, so that order is total.
    """

    share_ppm: int
    discount_minor: int
    day: str
    store_id: str
    receipt_no: str
    gross_minor: int


class WorstBaskets:
    """The `most` baskets of the largest share, whatever the order they came in."""

    def __init__(self, most: int, found: Iterable[WorstBasket] = ()) -> None:
        self._most = most
        self._heap: list[WorstBasket] = []
        for basket in found:
            self.add(basket)

    @property
    def least_ppm(self) -> int:
        """Below this share a basket is not kept."""
        return self._heap[0].share_ppm if len(self._heap) == self._most else 0

    def add(self, basket: WorstBasket) -> None:
        """Keep a basket if it is among the worst."""
        if len(self._heap) < self._most:
            heappush(self._heap, basket)
        elif basket > self._heap[0]:
            heappushpop(self._heap, basket)

    def merge(self, other: WorstBaskets) -> None:
        """Keep the worst of both."""
        for basket in other._heap:
            self.add(basket)

    def ranked(self) -> tuple[WorstBasket, ...]:
        """The worst first."""
        return tuple(nlargest(self._most, self._heap))


@dataclass(slots=True)
class Margin:
    """Sales without tax against cost, over the lines whose cost is known."""

    lines: int = 0
    lines_without_cost: int = 0
    sales_minor: int = 0
    cost_minor: int = 0

    @property
    def margin_minor(self) -> int:
        """What is left of sales after cost."""
        return self.sales_minor - self.cost_minor

    def merge(self, other: Margin) -> None:
        """Add the lines of another part."""
        self.lines += other.lines
        self.lines_without_cost += other.lines_without_cost
        self.sales_minor += other.sales_minor
        self.cost_minor += other.cost_minor


@dataclass(slots=True)
class Change:
    """Receipts that cost less or more under the draft than under today's rules, and by how much."""

    winners: int = 0
    winners_minor: int = 0
    losers: int = 0
    losers_minor: int = 0

    def add(self, saved_minor: int) -> None:
        """Count a receipt that costs that much less (negative: more) under the draft."""
        if saved_minor > 0:
            self.winners += 1
            self.winners_minor += saved_minor
        elif saved_minor < 0:
            self.losers += 1
            self.losers_minor -= saved_minor

    def merge(self, other: Change) -> None:
        """Add the receipts of another part."""
        self.winners += other.winners
        self.winners_minor += other.winners_minor
        self.losers += other.losers
        self.losers_minor += other.losers_minor


@dataclass(slots=True)
class OfferTally:
    """What one offer did: baskets it gave something to, what it gave, how often it repeated.

    `margin` is over the lines that it touched, after everything; `change` over its baskets.
    """

    baskets: int = 0
    discount_minor: int = 0
    times: int = 0
    margin: Margin = field(default_factory=Margin)
    change: Change = field(default_factory=Change)
    worst: WorstBaskets = field(default_factory=lambda: WorstBaskets(WORST_OF_OFFER))

    def merge(self, other: OfferTally) -> None:
        """Add what it did in another part."""
        self.baskets += other.baskets
        self.discount_minor += other.discount_minor
        self.times += other.times
        self.margin.merge(other.margin)
        self.change.merge(other.change)
        self.worst.merge(other.worst)


@dataclass(slots=True)
class SideTally:
    """All baskets under one rule set: what offers gave, and what customers owed."""

    touched: int = 0
    discount_minor: int = 0
    due_minor: int = 0
    margin: Margin = field(default_factory=Margin)
    offers: dict[str, OfferTally] = field(default_factory=dict)
    worst: WorstBaskets = field(default_factory=lambda: WorstBaskets(WORST_OF_STORE))

    def offer(self, offer_id: str) -> OfferTally:
        """The sums of one offer, made on first use."""
        found = self.offers.get(offer_id)
        if found is None:
            found = self.offers[offer_id] = OfferTally()
        return found

    def merge(self, other: SideTally) -> None:
        """Add the baskets of another part."""
        self.touched += other.touched
        self.discount_minor += other.discount_minor
        self.due_minor += other.due_minor
        self.margin.merge(other.margin)
        for offer_id, tally in other.offers.items():
            self.offer(offer_id).merge(tally)
        self.worst.merge(other.worst)


@dataclass(slots=True)
class StoreTally:
    """One store's baskets under both rule sets.

    `unreadable` sales could not be decoded and count nowhere else; `unlike_receipt` are baskets
    for which today's rules give another total than was paid.
    """

    baskets: int = 0
    lines: int = 0
    unreadable: int = 0
    unlike_receipt: int = 0
    gross_minor: int = 0
    paid_minor: int = 0
    today: SideTally = field(default_factory=SideTally)
    draft: SideTally = field(default_factory=SideTally)
    change: Change = field(default_factory=Change)

    def merge(self, other: StoreTally) -> None:
        """Add the baskets of another part."""
        self.baskets += other.baskets
        self.lines += other.lines
        self.unreadable += other.unreadable
        self.unlike_receipt += other.unlike_receipt
        self.gross_minor += other.gross_minor
        self.paid_minor += other.paid_minor
        self.today.merge(other.today)
        self.draft.merge(other.draft)
        self.change.merge(other.change)
