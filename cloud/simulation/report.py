"""What a simulation found, by store and by currency. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from cloud.simulation.replay import NewPrice
from cloud.simulation.tally import OfferTally, SideTally, StoreTally
from shared.price.offer import Offer
from shared.price.offer_book import order_of

Offers = tuple[Offer, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """What is simulated: business dates, both ends included, and the offers of each store.

    `today` and `draft` name the same stores; stores of one rule set share one tuple. `prices`
    are those that the draft has beside, by store and GTIN.
    """

    from_on: date
    to_on: date
    today: Mapping[str, Offers]
    draft: Mapping[str, Offers]
    prices: Mapping[str, Mapping[str, NewPrice]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OfferRow:
    """One offer of one rule set and what it did; all nought where it touched nothing."""

    offer: Offer
    did: OfferTally


@dataclass(frozen=True, slots=True)
class Section:
    """Sums of one store, or of all stores of a currency (`store_id` is empty then)."""

    store_id: str
    currency: str
    tally: StoreTally
    today: tuple[OfferRow, ...]
    draft: tuple[OfferRow, ...]


@dataclass(frozen=True, slots=True)
class SimulationReport:
    """Stores by id, then one sum per currency: amounts of two currencies are never added."""

    from_on: date
    to_on: date
    stores: tuple[Section, ...]
    totals: tuple[Section, ...]


def report_of(
    scope: Scope, tallies: Mapping[str, StoreTally], currencies: Mapping[str, str]
) -> SimulationReport:
    """Put the tallies of the scope's stores together."""
    stores = tuple(
        _section(scope, store_id, currencies[store_id], [(store_id, tallies[store_id])])
        for store_id in sorted(tallies)
    )
    totals = tuple(
        _section(
            scope,
            "",
            currency,
            [(each.store_id, each.tally) for each in stores if each.currency == currency],
        )
        for currency in sorted({each.currency for each in stores})
    )
    return SimulationReport(scope.from_on, scope.to_on, stores, totals)


def _section(
    scope: Scope, store_id: str, currency: str, parts: Sequence[tuple[str, StoreTally]]
) -> Section:
    tally = StoreTally()
    for _, part in parts:
        tally.merge(part)
    today = _rows((scope.today[part] for part, _ in parts), tally.today)
    draft = _rows((scope.draft[part] for part, _ in parts), tally.draft)
    return Section(store_id, currency, tally, today, draft)


def _rows(rule_sets: Iterable[Offers], side: SideTally) -> tuple[OfferRow, ...]:
    """Every offer of the stores once, in order of action."""
    offers: dict[str, Offer] = {}
    for rule_set in rule_sets:
        for offer in rule_set:
            offers.setdefault(offer.id, offer)
    ordered = sorted(offers.values(), key=order_of)
    return tuple(OfferRow(offer, side.offers.get(offer.id, OfferTally())) for offer in ordered)
