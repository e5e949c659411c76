"""Price recorded baskets under two rule sets and sum up what differs. Pure.

Every basket is priced for itself, as the till does: ceilings per member and budgets start anew
with each, since nobody knows what other baskets the draft would have left of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from cloud.simulation.recorded import RecordedBasket
from cloud.simulation.tally import PPM, Margin, SideTally, StoreTally, WorstBasket
from shared.price.context import PricePolicy
from shared.price.derivation import Derivation
from shared.price.derive import candidates_of, derive
from shared.price.goods import Goods
from shared.price.offer import Offer
from shared.price.offer_book import OfferBook
from shared.price.tax import tax_minor


@dataclass(frozen=True, slots=True)
class Rules:
    """Both rule sets of one store."""

    today: OfferBook
    draft: OfferBook
    policy: PricePolicy = field(default_factory=PricePolicy)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """A basket under one rule set: what it gave, each line's net after coupons, their sum."""

    found: Derivation
    nets: Sequence[int]
    due_minor: int


def simulate(baskets: Iterable[RecordedBasket], rules: Rules) -> StoreTally:
    """Sums of baskets of one store; keeps none of them."""
    tally = StoreTally()
    changed = changed_books(rules)
    for basket in baskets:
        today = draft = _outcome(basket, rules.today, rules.policy)
        if _is_touched(basket, changed):
            draft = _outcome(basket, rules.draft, rules.policy)
        _count(tally, basket, today.due_minor)
        saved = today.due_minor - draft.due_minor
        tally.change.add(saved)
        _add(tally.today, basket, today, saved, rules.policy)
        _add(tally.draft, basket, draft, saved, rules.policy)
    return tally


def changed_books(rules: Rules) -> tuple[OfferBook, ...]:
    """The offers that only one rule set has, or that differ by more than version and name.

    Where none of them is a candidate, both rule sets offer a basket the same, so it is priced
    once.
    """
    today, draft = _by_id(rules.today), _by_id(rules.draft)
    sides = (
        [offer for offer in mine.offers if other.get(offer.id) != own[offer.id]]
        for mine, own, other in ((rules.today, today, draft), (rules.draft, draft, today))
    )
    return tuple(OfferBook.of(side) for side in sides if side)


def _by_id(book: OfferBook) -> dict[str, Offer]:
    return {offer.id: replace(offer, version=1, names={}) for offer in book.offers}


def _is_touched(basket: RecordedBasket, changed: Sequence[OfferBook]) -> bool:
    goods = Goods(basket.lines)
    return any(candidates_of(goods, book, basket.context, basket.at)[0] for book in changed)


def _outcome(basket: RecordedBasket, book: OfferBook, policy: PricePolicy) -> _Outcome:
    found = derive(basket.lines, book, basket.context, basket.at, policy)
    nets: Sequence[int] = found.nets
    if basket.coupons_minor:
        pairs = zip(nets, basket.coupons_minor, strict=True)
        nets = [net - min(net, coupon) for net, coupon in pairs]
    return _Outcome(found, nets, sum(nets))


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
    _add_margin(side.margin, basket, outcome.nets, range(len(basket.lines)), policy)
    if not outcome.found.applied:
        return
    total = 0
    for applied in outcome.found.applied:
        tally = side.offer(applied.offer.id)
        tally.baskets += 1
        tally.discount_minor += applied.amount_minor
        tally.times += applied.times
        tally.change.add(saved)
        tally.worst.add(_worst(basket, applied.amount_minor))
        touched = [share.line for share in applied.shares]
        _add_margin(tally.margin, basket, outcome.nets, touched, policy)
        total += applied.amount_minor
    side.touched += 1
    side.discount_minor += total
    side.worst.add(_worst(basket, total))


def _worst(basket: RecordedBasket, discount_minor: int) -> WorstBasket:
    share_ppm = discount_minor * PPM // basket.gross_minor if basket.gross_minor else 0
    return WorstBasket(
        share_ppm,
        discount_minor,
        basket.at.day.isoformat(),
        basket.store_id,
        basket.receipt_no,
        basket.gross_minor,
    )


def _add_margin(
    margin: Margin,
    basket: RecordedBasket,
    nets: Sequence[int],
    places: Sequence[int],
    policy: PricePolicy,
) -> None:
    margin.lines += len(places)
    if not basket.costs_minor:
        margin.lines_without_cost += len(places)
        return
    for place in places:
        cost = basket.costs_minor[place]
        if cost is None:
            margin.lines_without_cost += 1
            continue
        net, tax_bp = nets[place], basket.lines[place].tax_bp
        if tax_bp and policy.prices_include_tax:
            net -= tax_minor(net, tax_bp, policy)
        margin.sales_minor += net
        margin.cost_minor += cost
