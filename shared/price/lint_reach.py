"""Offers that can never act, in whole or in part: lost goods, conditions, windows, groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from shared.price.condition import Distinct, ForMember, MinQty, MinSpend
from shared.price.context import PricingInstant
from shared.price.document_table import CONDITION_WORDS
from shared.price.lint_catalogue import Catalogue, Mask, places_of
from shared.price.lint_finding import Finding, Param, Severity
from shared.price.lint_subject import Scoped, Subject, Survey, selectors_of, slots_of
from shared.price.lint_window import is_over, why_never_open
from shared.price.offer import Offer, StackMode, StackScope
from shared.price.reward import (
    AddOn,
    BundlePrice,
    Gift,
    GroupEach,
    SetPrice,
    SetReward,
    TierBy,
    Tiers,
)

Found = Iterator[Finding]


def told(
    severity: Severity, offers: Iterable[Offer] | Offer, what: str, /, **params: Param
) -> Finding:
    """A finding about these offers; `what` without its `lint.`."""
    culprits = (offers,) if isinstance(offers, Offer) else offers
    return Finding(f"lint.{what}", severity, tuple(each.id for each in culprits), params)


_error = partial(told, Severity.ERROR)
_warning = partial(told, Severity.WARNING)
_info = partial(told, Severity.INFO)


def never_acting(survey: Survey, now: PricingInstant) -> Found:
    """All that keeps an offer from acting by its own words."""
    for subject in survey.subjects:
        offer = subject.offer
        yield from _windows(offer, now)
        yield from _by_itself(offer)
        if survey.catalogue.all:
            yield from _without_goods(subject, survey.catalogue)
            yield from _lost_skus(offer, survey.catalogue)


def _windows(offer: Offer, now: PricingInstant) -> Found:
    part = why_never_open(offer.valid)
    if part is not None:
        yield _error(offer, f"never_open_{part}")
    elif is_over(offer.valid, now):
        yield _warning(offer, "over")


def _by_itself(offer: Offer) -> Found:
    """What needs no catalogue."""
    limits = offer.limits
    if offer.coupon is not None and not offer.coupon.strip():
        yield _error(offer, "coupon_empty")
    if limits.budget_left is not None and limits.budget_left <= 0:
        yield _warning(offer, "budget_empty")
    per_member = limits.per_member is not None or limits.per_member_units is not None
    if per_member and not any(isinstance(each, ForMember) for each in offer.when):
        yield _info(offer, "member_limit_open")
    size = _set_size(offer)
    if limits.per_member_units is not None and limits.per_member_units < size:
        yield _error(offer, "limit_below_set", limit=limits.per_member_units, size=size)
    stack = offer.stack
    is_by_line = stack.mode is StackMode.BEST_OF and stack.scope is StackScope.LINE
    if is_by_line and isinstance(offer.reward, SetReward):
        yield _error(offer, "set_in_line_group", group=stack.group)


def _set_size(offer: Offer) -> int:
    """Units that one set counts against a member's limit."""
    match offer.reward:
        case SetPrice(size=size) | GroupEach(size=size):
            return size
        case BundlePrice(_, slots):
            return sum(slot.qty for slot in slots)
        case _:
            return 1


def _without_goods(subject: Subject, catalogue: Catalogue) -> Found:
    offer = subject.offer
    if not subject.target:
        yield _error(offer, "no_goods")
        return
    for number, slot in enumerate(slots_of(offer), start=1):
        if not catalogue.select(slot.select) & subject.target:
            yield _error(offer, "slot_no_goods", slot=number)
    for condition, scope in subject.scopes:
        yield from _never_holds(subject, condition, scope, catalogue)
    yield from _dead_steps(subject)


def _never_holds(subject: Subject, condition: Scoped, scope: Mask, catalogue: Catalogue) -> Found:
    offer = subject.offer
    if not scope:
        yield _error(offer, "scope_no_goods", condition=CONDITION_WORDS[type(condition)])
    elif isinstance(offer.reward, Gift | AddOn) and not scope & ~subject.target:
        yield _error(offer, "gift_for_itself", condition=CONDITION_WORDS[type(condition)])
    elif isinstance(condition, Distinct) and condition.count > scope.bit_count():
        yield _error(offer, "distinct_too_many", count=condition.count, found=scope.bit_count())
    elif isinstance(condition, MinQty) and condition.uom:
        units = {catalogue.items[place].uom for place in places_of(scope)}
        if condition.uom not in units:
            yield _error(offer, "uom_no_goods", uom=condition.uom)


def _dead_steps(subject: Subject) -> Found:
    """Steps below another threshold on the same goods: a higher step always takes over."""
    reward = subject.offer.reward
    if not isinstance(reward, Tiers) or reward.by is not TierBy.SPEND:
        return
    needed = [
        condition.amount
        for condition, scope in subject.scopes
        if isinstance(condition, MinSpend) and scope & ~subject.target == 0
    ]
    least = max(needed, default=0)
    for step, higher in zip(reward.steps, reward.steps[1:], strict=False):
        if higher.at <= least:
            yield _warning(subject.offer, "step_never", at_minor=step.at, least_minor=least)


def _lost_skus(offer: Offer, catalogue: Catalogue) -> Found:
    named = {sku for selector in selectors_of(offer) for sku in selector.skus}
    unknown = sorted(named - catalogue.known)
    if unknown:
        yield _warning(offer, "sku_unknown", item=unknown[0], count=len(unknown))
    fixed = sorted(sku for sku in named if sku in catalogue.known and sku not in catalogue.skus)
    if fixed:
        yield _warning(offer, "sku_fixed", item=fixed[0], count=len(fixed))


def odd_groups(survey: Survey) -> Found:
    """Best-of groups in which nothing is chosen, or not in one way."""
    groups: dict[str, list[Offer]] = {}
    for subject in survey.subjects:
        if subject.offer.stack.mode is StackMode.BEST_OF:
            groups.setdefault(subject.offer.stack.group, []).append(subject.offer)
    for name, members in groups.items():
        if len(members) == 1:
            yield _info(members, "group_of_one", group=name)
        if len({each.stack.scope for each in members}) > 1:
            yield _warning(members, "group_scopes", group=name)
