"""Price recorded baskets under two rule sets and sum up what differs. Pure.

Every basket is priced for itself, as the till does: ceilings per member and budgets start anew
with each, since nobody knows what other baskets the draft would have left of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from cloud.simulation.recorded import RecordedBasket
from cloud.simulation.tally import (
    PPM,
    Margin,
    SideTally,
    StoreTally,
    WorstBasket,
    WorstBaskets,
)
from shared.price.act import Candidate, Setting
from shared.price.context import PricePolicy
from shared.price.derivation import Derivation
from shared.price.derive import candidates_of, derive_from
from shared.price.goods import Goods
from shared.price.offer import Offer
from shared.price.offer_book import OfferBook
from shared.price.tax import tax_minor

MARK = "\0"


@dataclass(frozen=True, slots=True)
class Rules:
    """Both rule sets of one store."""

    today: OfferBook
    draft: OfferBook
    policy: PricePolicy = field(default_factory=PricePolicy)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """A basket under one rule set: what it gave, each line's net after coupons, their sums."""

    found: Derivation
    nets: Sequence[int]
    due_minor: int
    margin: Margin


Pair = tuple[RecordedBasket, RecordedBasket | None]
"""A basket, and the same at the draft's prices where they differ."""


def simulate(baskets: Iterable[RecordedBasket], rules: Rules) -> StoreTally:
    """Sums of baskets of one store; keeps none of them."""
    return simulate_pairs(((basket, None) for basket in baskets), rules)


def simulate_pairs(pairs: Iterable[Pair], rules: Rules) -> StoreTally:
    """As `simulate`, where the draft may have other prices, too."""
    tally = StoreTally()
    both = _Pair(rules)
    for basket, after in pairs:
        today, draft = both.outcomes(basket) if after is None else both.apart(basket, after)
        _count(tally, basket, today.due_minor)
        saved = today.due_minor - draft.due_minor
        tally.change.add(saved)
        _add(tally.today, basket, today, saved, rules.policy)
        _add(tally.draft, after or basket, draft, saved, rules.policy)
    return tally


class _Pair:
    """Prices baskets under both rule sets.

    All offers stand in one book, those of the draft that today's rules do not have in the same
    form under a marked id, so the candidates of both sides are found at once. Where none of them
    belongs to one side alone, the basket is priced once for both.
    """

    def __init__(self, rules: Rules) -> None:
        self._policy = rules.policy
        today, draft = _by_id(rules.today), _by_id(rules.draft)
        kept = {offer_id for offer_id, offer in draft.items() if today.get(offer_id) == offer}
        # The mark sorts before every sign of an id, so the order of action stays the same.
        new = [
            replace(offer, id=offer.id + MARK)
            for offer in rules.draft.offers
            if offer.id not in kept
        ]
        self._book = OfferBook.of([*rules.today.offers, *new])
        places = {rule.offer.id: rule.place for rule in self._book.rules}
        self._today = {places[offer_id] for offer_id in today}
        self._draft = {places[offer_id] for offer_id in kept}
        self._draft.update(places[offer.id] for offer in new)
        self._apart = self._today ^ self._draft

    def outcomes(self, basket: RecordedBasket) -> tuple[_Outcome, _Outcome]:
        """The basket under today's rules and under the draft."""
        goods = Goods(basket.lines, self._policy.allocation)
        setting = Setting(goods, basket.context, self._policy)
        found, _ = candidates_of(goods, self._book, basket.context, basket.at)
        if self._apart.isdisjoint([each.rule.place for each in found]):
            both = self._outcome(basket, setting, found)
            return both, both
        before = [each for each in found if each.rule.place in self._today]
        after = [each for each in found if each.rule.place in self._draft]
        return self._outcome(basket, setting, before), self._outcome(basket, setting, after)

    def apart(self, basket: RecordedBasket, after: RecordedBasket) -> tuple[_Outcome, _Outcome]:
        """A basket under today's rules, and the same at other prices under the draft."""
        return self._under(basket, self._today), self._under(after, self._draft)

    def _under(self, basket: RecordedBasket, places: set[int]) -> _Outcome:
        goods = Goods(basket.lines, self._policy.allocation)
        setting = Setting(goods, basket.context, self._policy)
        found, _ = candidates_of(goods, self._book, basket.context, basket.at)
        return self._outcome(basket, setting, [each for each in found if each.rule.place in places])

    def _outcome(
        self, basket: RecordedBasket, setting: Setting, candidates: list[Candidate]
    ) -> _Outcome:
        found = derive_from(setting, candidates)
        nets: Sequence[int] = found.nets
        if basket.coupons_minor:
            pairs = zip(nets, basket.coupons_minor, strict=True)
            nets = [net - min(net, coupon) for net, coupon in pairs]
        margin = _margin_of(basket, nets, range(len(nets)), self._policy)
        return _Outcome(found, nets, sum(nets), margin)


def _by_id(book: OfferBook) -> dict[str, Offer]:
    """The offers without what changes no price."""
    return {offer.id: replace(offer, version=1, names={}) for offer in book.offers}


def _count(tally: StoreTally, basket: RecordedBasket, due_minor: int) -> None:
    tally.baskets += 1
    tally.lines += len(basket.lines)
    tally.gross_minor += basket.gross_minor
    tally.paid_minor += basket.paid_minor
    tally.unlike_receipt += due_minor != basket.paid_minor


def _add(
    side: SideTally, basket: RecordedBasket, outcome: _Outcome, saved: int, policy: PricePolicy
) -> None:
    side.due_minor += outcome.due_minor
    side.margin.merge(outcome.margin)
    if not outcome.found.applied:
        return
    total = 0
    for applied in outcome.found.applied:
        tally = side.offer(applied.offer.id.removesuffix(MARK))
        tally.baskets += 1
        tally.discount_minor += applied.amount_minor
        tally.times += applied.times
        tally.change.add(saved)
        _rank(tally.worst, basket, applied.amount_minor)
        touched = [share.line for share in applied.shares]
        tally.margin.merge(_margin_of(basket, outcome.nets, touched, policy))
        total += applied.amount_minor
    side.touched += 1
    side.discount_minor += total
    _rank(side.worst, basket, total)


def _rank(worst: WorstBaskets, basket: RecordedBasket, discount_minor: int) -> None:
    share_ppm = discount_minor * PPM // basket.gross_minor if basket.gross_minor else 0
    if share_ppm < worst.least_ppm:
        return
    worst.add(
        WorstBasket(
            share_ppm,
            discount_minor,
            basket.at.day.isoformat(),
            basket.store_id,
            basket.receipt_no,
            basket.gross_minor,
        )
    )


def _margin_of(
    basket: RecordedBasket, nets: Sequence[int], places: Sequence[int], policy: PricePolicy
) -> Margin:
    """Sales and cost of some lines."""
    if not basket.costs_minor:
        return Margin(len(places), len(places))
    unknown = sales = costs = 0
    for place in places:
        cost = basket.costs_minor[place]
        if cost is None:
            unknown += 1
            continue
        net, tax_bp = nets[place], basket.lines[place].tax_bp
        sales += net
        if tax_bp and policy.prices_include_tax:
            sales -= tax_minor(net, tax_bp, policy)
        costs += cost
    return Margin(len(places), unknown, sales, costs)
