"""Goods that offers sell below their cost: each offer by itself, and all that stack together.

Each offer is tried on the worst items that it acts on: the least margin in percent, the least in
money, the highest cost. One of them is the worst for a percentage, an amount, a fixed price.
Everything is then priced by the engine in a basket of that item alone, as large as the offer
asks for, so that floors, caps and rounding count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from shared.price.context import PricingInstant
from shared.price.lint_basket import Goods, Lab, for_one_customer, quantities, sample_of
from shared.price.lint_finding import Finding, Severity
from shared.price.lint_ranking import gross_cost
from shared.price.lint_reach import told
from shared.price.lint_subject import Subject, Survey
from shared.price.lint_window import instant_of, local_second, openings
from shared.price.offer import Offer
from shared.price.reward import FULL_BP, AddOn, Gift
from shared.price.window import why_closed

ITEMS_TOGETHER_MAX = 300
WORST_ITEMS = 100
OFFERS_TOGETHER_MAX = 24
INSTANTS_MAX = 3
QUANTITIES_MAX = 4

_warning, _info = partial(told, Severity.WARNING), partial(told, Severity.INFO)


@dataclass(frozen=True, slots=True)
class Loss:
    """What a basket brings in and costs with tax, and per unit of its item."""

    place: int
    net_minor: int
    cost_minor: int
    qty: int
    offers: tuple[Offer, ...]

    @property
    def missing_bp(self) -> int:
        """How much of the cost does not come in."""
        return (self.cost_minor - self.net_minor) * FULL_BP // max(1, self.cost_minor)


def below_cost(survey: Survey, lab: Lab) -> Iterator[Finding]:
    """Items below cost by one offer, then by several together."""
    yield from _sold_below_cost_anyway(lab)
    depths: dict[str, int] = {}
    for subject in survey.subjects:
        loss, depth = _alone(subject, lab)
        depths[subject.offer.id] = depth
        if loss is not None:
            yield _told(loss, "below_cost", lab)
    yield from _together(survey, lab, depths)


def _sold_below_cost_anyway(lab: Lab) -> Iterator[Finding]:
    catalogue = lab.catalogue
    low = [
        item
        for item in catalogue.items
        if item.cost_minor and item.unit_minor < gross_cost(item, item.cost_minor)
    ]
    if low:
        yield _info((), "cost_above_price", item=low[0].sku, count=len(low))


def _told(loss: Loss, what: str, lab: Lab, **more: int) -> Finding:
    item = lab.catalogue.items[loss.place].sku
    price, cost = loss.net_minor // loss.qty, -(-loss.cost_minor // loss.qty)
    return _warning(
        loss.offers, what, item=item, qty=loss.qty, price_minor=price, cost_minor=cost, **more
    )


def _alone(subject: Subject, lab: Lab) -> tuple[Loss | None, int]:
    """The worst loss by one offer, and the largest share of a price that it was seen to take."""
    if isinstance(subject.offer.reward, Gift):
        return None, 0  # a gift is given away on purpose; what it is given for is the question
    worst: Loss | None = None
    depth = 0
    for place in _worst_places(subject, lab):
        for qty in sorted(quantities(subject, lab.catalogue.items[place]))[:QUANTITIES_MAX]:
            goods = sample_of(subject, place, qty, lab)
            loss, taken = _loss(goods, place, [subject.offer], lab)
            depth = max(depth, taken)
            if loss is not None and (worst is None or loss.missing_bp > worst.missing_bp):
                worst = loss
    return worst, depth


def _worst_places(subject: Subject, lab: Lab) -> list[int]:
    orders = lab.rankings.by_cost(ignores_floor=subject.offer.ignores_floor)
    found = {each.worst(subject.goods, subject.places) for each in orders}
    return sorted(place for place in found if place is not None)


def _loss(goods: Goods, place: int, offers: Sequence[Offer], lab: Lab) -> tuple[Loss | None, int]:
    found = lab.price(goods, offers)
    items = lab.catalogue.items
    listed = sum(items[each].unit_minor * qty for each, qty in goods)
    net = sum(found.nets)
    taken = (listed - net) * FULL_BP // max(1, listed)
    costs = [gross_cost(items[each], (items[each].cost_minor or 0) * qty) for each, qty in goods]
    if not found.applied or net >= sum(costs):
        return None, taken
    units = sum(qty for _, qty in goods)
    return Loss(place, net, sum(costs), units, tuple(each.offer for each in found.applied)), taken


def _together(survey: Survey, lab: Lab, depths: dict[str, int]) -> Iterator[Finding]:
    """The worst item for each set of offers that act on one item at one time."""
    worst: dict[tuple[str, ...], Loss] = {}
    counts: dict[tuple[str, ...], int] = {}
    for place in _crowded(survey, lab, depths):
        loss = _worst_at_once(survey, lab, depths, place)
        if loss is None:
            continue
        culprits = tuple(offer.id for offer in loss.offers)
        counts[culprits] = counts.get(culprits, 0) + 1
        if culprits not in worst or loss.missing_bp > worst[culprits].missing_bp:
            worst[culprits] = loss
    for culprits, loss in worst.items():
        yield _told(loss, "below_cost_together", lab, count=counts[culprits])


def _crowded(survey: Survey, lab: Lab, depths: dict[str, int]) -> list[int]:
    """The items on which stacking offers leave least: by what narrow offers take, and by margin.

    Offers on many items take the same share of each, so that the margin alone ranks these.
    """
    items = lab.catalogue.items
    left: dict[int, int] = {}
    wide = 0
    for subject in survey.wide:
        if subject.is_stacking:
            wide |= subject.goods
    by_ratio = lab.rankings.by_cost(ignores_floor=False)[0]
    wide_places = [place for place, _ in zip(by_ratio.of(wide), range(WORST_ITEMS), strict=False)]
    for place in {*survey.items_with_offers(), *wide_places}:
        if lab.rankings.sound >> place & 1:
            item = items[place]
            margin = FULL_BP - gross_cost(item, item.cost_minor or 0) * FULL_BP // item.unit_minor
            narrow = (each for each in survey.narrow_on(place) if each.is_stacking)
            left[place] = margin - sum(depths[each.offer.id] for each in narrow)
    return sorted(left, key=lambda place: (left[place], place))[:ITEMS_TOGETHER_MAX]


def _worst_at_once(survey: Survey, lab: Lab, depths: dict[str, int], place: int) -> Loss | None:
    subjects = [
        each
        for each in survey.on(place)
        if each.is_stacking and not isinstance(each.offer.reward, Gift | AddOn)
    ]
    deepest = sorted(subjects, key=lambda each: -depths[each.offer.id])[:OFFERS_TOGETHER_MAX]
    item = lab.catalogue.items[place]
    worst: Loss | None = None
    for crowd in _crowds([each for each in subjects if each in deepest], lab.now):
        asked = {qty for each in crowd for qty in quantities(each, item)}
        offers = for_one_customer([each.offer for each in crowd])
        for qty in sorted(asked)[:QUANTITIES_MAX]:
            goods = ((place, qty),)
            loss, _ = _loss(goods, place, offers, lab)
            if loss is None or any(_loss(goods, place, [each], lab)[0] for each in loss.offers):
                continue  # what one of them does by itself is told by itself
            if worst is None or loss.missing_bp > worst.missing_bp:
                worst = loss
    return worst


def _crowds(subjects: Sequence[Subject], now: PricingInstant) -> list[list[Subject]]:
    """The largest groups of them that are open at one time from now on."""
    second = {each: next(openings(each.offer.valid, _now_second(now)), None) for each in subjects}
    instants = {instant_of(span[0], now) for span in second.values() if span is not None}
    crowds = []
    for at in sorted(instants, key=lambda each: each.at_ms):
        crowd = [each for each in subjects if why_closed(each.offer.valid, at) is None]
        if len(crowd) > 1 and crowd not in crowds:
            crowds.append(crowd)
    return sorted(crowds, key=len, reverse=True)[:INSTANTS_MAX]


def _now_second(now: PricingInstant) -> int:
    return local_second(now.day.isoformat(), now.second)
