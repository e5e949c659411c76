"""Offers that give nothing, or everything, by their amounts and the catalogue's prices."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from shared.price.condition import MinSpend
from shared.price.lint_catalogue import Catalogue, Mask, first_of
from shared.price.lint_finding import Finding, Severity
from shared.price.lint_ranking import Rankings
from shared.price.lint_reach import told
from shared.price.lint_subject import Subject, Survey, slots_of
from shared.price.reward import (
    AddOn,
    AmountOff,
    AmountOffEach,
    AmountOffLine,
    BundlePrice,
    Every,
    Gift,
    PriceEach,
    SetPrice,
    TierBy,
    Tiers,
)

Found = Iterator[Finding]
_error, _warning = partial(told, Severity.ERROR), partial(told, Severity.WARNING)


def idle_and_lavish(survey: Survey, rankings: Rankings) -> Found:
    """Offers whose reward does nothing for some goods or all, and those that give goods away."""
    catalogue = survey.catalogue
    roomy = _with_room(catalogue)
    for subject in survey.subjects:
        if subject.goods:
            yield from _idle(subject, catalogue, rankings)
            if not subject.offer.ignores_floor and not subject.goods & roomy:
                yield _error(subject.offer, "no_room")
        yield from _lavish(subject, catalogue)


def _with_room(catalogue: Catalogue) -> Mask:
    """Items that may get cheaper at all."""
    mask = catalogue.all
    for place, item in enumerate(catalogue.items):
        if item.floor_unit_minor >= item.unit_minor:
            mask &= ~(1 << place)
    return mask


def _idle(subject: Subject, catalogue: Catalogue, rankings: Rankings) -> Found:
    amount = _fixed_price(subject)
    if amount is None or _has_weighed_sets(subject, catalogue):
        return
    most = _most_worth(subject, catalogue, rankings)
    if most <= amount:
        yield _error(subject.offer, "no_discount", amount_minor=amount, most_minor=most)
    elif isinstance(subject.offer.reward, PriceEach | AddOn):
        idle = subject.goods & catalogue.up_to(amount)
        if idle:
            item = catalogue.items[first_of(idle)].sku
            count = idle.bit_count()
            yield _warning(
                subject.offer, "price_not_lower", amount_minor=amount, item=item, count=count
            )


def _fixed_price(subject: Subject) -> int | None:
    reward = subject.offer.reward
    if isinstance(reward, PriceEach | AddOn | SetPrice | BundlePrice):
        return reward.amount
    return None


def _has_weighed_sets(subject: Subject, catalogue: Catalogue) -> bool:
    """Whether a unit of a set may be a bag of any weight, and so worth anything."""
    is_set = isinstance(subject.offer.reward, SetPrice | BundlePrice)
    return is_set and bool(subject.goods & catalogue.weighed)


def _most_worth(subject: Subject, catalogue: Catalogue, rankings: Rankings) -> int:
    """What the dearest unit, or the dearest set, costs at list prices."""
    offer = subject.offer

    def dearest(mask: Mask) -> int:
        place = rankings.by_price.worst(mask & subject.target)
        return 0 if place is None else catalogue.items[place].unit_minor

    if isinstance(offer.reward, BundlePrice):
        return sum(slot.qty * dearest(catalogue.select(slot.select)) for slot in slots_of(offer))
    size = offer.reward.size if isinstance(offer.reward, SetPrice) else 1
    return size * dearest(subject.goods)


def _lavish(subject: Subject, catalogue: Catalogue) -> Found:
    offer = subject.offer
    is_open = not offer.when and offer.coupon is None
    if isinstance(offer.reward, Gift) and is_open:
        yield _warning(offer, "gift_free")
    for least, amount in _thresholds(subject):
        if 0 < least <= amount:
            yield _warning(offer, "gives_all", amount_minor=amount, least_minor=least)
            return
    if isinstance(offer.reward, AmountOff | AmountOffEach | AmountOffLine) and is_open:
        free = subject.goods & catalogue.up_to(offer.reward.amount)
        if free:
            item = catalogue.items[first_of(free)].sku
            count = free.bit_count()
            yield _warning(
                offer, "goods_free", amount_minor=offer.reward.amount, item=item, count=count
            )


def _thresholds(subject: Subject) -> Iterator[tuple[int, int]]:
    """Each amount off with the spend from which it is given."""
    match subject.offer.reward:
        case Tiers(TierBy.SPEND, steps):
            yield from ((step.at, step.amount or 0) for step in steps)
        case Every(spend, amount):
            yield spend, amount
        case AmountOff(amount):
            needed = [
                condition.amount + condition.is_strict
                for condition, _ in subject.scopes
                if isinstance(condition, MinSpend)
            ]
            yield max(needed, default=0), amount
        case _:
            return
