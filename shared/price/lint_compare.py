"""Whether one offer gives at least as much as another wherever that one acts: by structure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from shared.price.condition import (
    Condition,
    Contains,
    Distinct,
    ForMember,
    MinQty,
    MinSpend,
    OrderNo,
    SpendBasis,
)
from shared.price.lint_catalogue import Catalogue
from shared.price.lint_subject import Scoped, Subject
from shared.price.lint_window import covers
from shared.price.offer import Level, Limits, StackScope
from shared.price.reward import (
    FULL_BP,
    AddOn,
    AmountOff,
    AmountOffEach,
    AmountOffLine,
    BundlePrice,
    BuyGet,
    Every,
    Gift,
    GroupEach,
    NthUnit,
    PercentOff,
    PriceEach,
    Reward,
    SetPrice,
    Step,
    TierBy,
    Tiers,
)

MORE_IS_BETTER = {"bp", "cap", "max_units", "max_units_per_line", "amount_each", "max_get_units"}
OPEN_ENDED = {"cap", "max_units", "max_units_per_line", "max_get_units", "max_times"}
PRICES = (PriceEach, SetPrice, BundlePrice, AddOn)
"""Rewards whose amount is what remains to pay."""


def acts_wherever(
    strong: Subject, weak: Subject, catalogue: Catalogue, *, but_steps: bool = False
) -> bool:
    """Whether window, customer, limits, conditions and goods let one act wherever the other may.

    What the weaker one's own steps demand counts as its condition. With `but_steps` the
    thresholds that `gives_at_least` compares as steps are left to it.
    """
    one, other = strong.offer, weak.offer
    if one.coupon not in {None, other.coupon} or weak.goods & ~strong.goods:
        return False
    if not covers(one.valid, other.valid) or not _is_looser(one.limits, other.limits):
        return False
    granted = [*other.when, *_own_threshold(weak)]
    is_stepwise = but_steps and steps_of(weak) is not None
    needed = [each for each in one.when if not (is_stepwise and _is_step(strong, each))]
    return all(any(_implies(has, each, catalogue) for has in granted) for each in needed)


def _is_looser(one: Limits, other: Limits) -> bool:
    pairs = (
        (one.max_times, other.max_times),
        (one.per_member, other.per_member),
        (one.per_member_units, other.per_member_units),
        (one.budget_left, other.budget_left),
    )
    return all(_is_no_less(mine, theirs) for mine, theirs in pairs)


def _is_no_less(mine: int | None, theirs: int | None) -> bool:
    return mine is None or (theirs is not None and mine >= theirs)


def _own_threshold(subject: Subject) -> list[Condition]:
    reward, target = subject.offer.reward, subject.offer.target
    match reward:
        case Tiers(TierBy.SPEND, steps):
            return [MinSpend(target, steps[0].at)]
        case Tiers(TierBy.QTY, steps):
            return [MinQty(target, steps[0].at * 1000)]
        case Every(spend):
            return [MinSpend(target, spend)]
        case _:
            return []


def _is_step(subject: Subject, condition: Condition) -> bool:
    """Whether a condition is the only step of an amount or a percentage on the same goods."""
    if not isinstance(condition, MinSpend) or condition.basis is not SpendBasis.CURRENT:
        return False
    is_plain = steps_of(subject) is not None and not isinstance(subject.offer.reward, Tiers)
    return is_plain and condition.scope == subject.offer.target


def _implies(has: Condition, needs: Condition, catalogue: Catalogue) -> bool:
    if has == needs:
        return True
    if isinstance(needs, ForMember | OrderNo) or isinstance(has, ForMember | OrderNo):
        return _implies_member(has, needs)
    return _is_as_strict(has, needs) and _is_within(has, needs, catalogue)


def _is_as_strict(has: Scoped, needs: Scoped) -> bool:
    match has, needs:
        case MinSpend(), MinSpend():
            is_basis = needs.basis in {has.basis, SpendBasis.LIST}
            return is_basis and has.amount + has.is_strict >= needs.amount + needs.is_strict
        case MinQty(), MinQty():
            return has.uom == needs.uom and has.qty_milli >= needs.qty_milli
        case Distinct(), Distinct():
            return has.count >= needs.count
        case _:
            return isinstance(needs, Contains)


def _implies_member(has: Condition, needs: Condition) -> bool:
    if not isinstance(needs, ForMember):
        return False
    if isinstance(has, ForMember):
        return _is_part(has.tiers, needs.tiers) and _is_part(has.groups, needs.groups)
    return isinstance(has, OrderNo) and not needs.tiers and not needs.groups


def _is_part(has: frozenset[str], needs: frozenset[str]) -> bool:
    return not needs or (bool(has) and has <= needs)


def _is_within(has: Scoped, needs: Scoped, catalogue: Catalogue) -> bool:
    if has.scope.undiscounted or needs.scope.undiscounted:
        return has.scope == needs.scope
    return not catalogue.select(has.scope) & ~catalogue.select(needs.scope)


def gives_at_least(strong: Subject, weak: Subject, catalogue: Catalogue) -> bool | None:
    """Whether its reward is at least as large on the same goods; None if nobody can say."""
    one, other = strong.offer, weak.offer
    if one.level != other.level or one.percent_base != other.percent_base:
        return None
    if other.ignores_floor and not one.ignores_floor:
        return None
    if strong.goods != weak.goods and not _may_be_wider(strong):
        return False
    mine, theirs = steps_of(strong), steps_of(weak)
    if mine is not None and theirs is not None:
        return all(any(_is_step_no_less(a, b) for a in mine) for b in theirs)
    if type(one.reward) is type(other.reward):
        return _is_reward_no_less(one.reward, other.reward)
    return _by_unit(one.reward, other.reward, weak, catalogue)


def _may_be_wider(strong: Subject) -> bool:
    """Whether more goods can only make the reward larger, where lines choose on each line."""
    offer = strong.offer
    match offer.reward:
        case PercentOff(_, cap, None, None):
            is_per_unit = cap is None and offer.level is not Level.BASKET
        case AmountOffEach(_, None, None) | AmountOffLine() | PriceEach(_, None):
            is_per_unit = True
        case AmountOff(_, None) | Tiers() | Every():
            is_per_unit = False
        case _:
            return False
    return is_per_unit or offer.stack.scope is StackScope.BASKET


def steps_of(subject: Subject) -> Sequence[Step] | None:
    """An offer as steps of its own goods' spend; None if it is not of that kind."""
    reward, target = subject.offer.reward, subject.offer.target
    if isinstance(reward, Tiers) and reward.by is TierBy.SPEND:
        return reward.steps
    spends = [each for each in subject.offer.when if isinstance(each, MinSpend)]
    own = [
        each.amount + each.is_strict
        for each in spends
        if each.scope == target and each.basis is SpendBasis.CURRENT
    ]
    at = max(own, default=0)
    match reward:
        case AmountOff(amount, None):
            return [Step(at, amount=amount)]
        case PercentOff(bp, None, None, None):
            return [Step(at, bp=bp)]
        case _:
            return None


def _is_step_no_less(mine: Step, theirs: Step) -> bool:
    if mine.at > theirs.at:
        return False
    if mine.bp is not None:
        if theirs.bp is not None:
            return mine.bp >= theirs.bp
        return theirs.at * mine.bp >= (theirs.amount or 0) * FULL_BP
    return theirs.bp is None and (mine.amount or 0) >= (theirs.amount or 0)


def _is_reward_no_less(mine: Reward, theirs: Reward) -> bool:
    """Two rewards of one kind: each word is as good or better, the others are the same."""
    for field in fields(mine):
        has, wants = getattr(mine, field.name), getattr(theirs, field.name)
        if has != wants and not _is_better(mine, field.name, has, wants):
            return False
    return True


def _is_better(reward: Reward, name: str, has: int | None, wants: int | None) -> bool:
    if name in OPEN_ENDED:
        return _is_no_less(has, wants)
    if has is None or wants is None:
        return False
    if name == "amount":
        return has <= wants if isinstance(reward, PRICES) else has >= wants
    if name == "spend":
        return has <= wants
    is_known = isinstance(reward, PercentOff | NthUnit | GroupEach | BuyGet | Gift | AmountOffLine)
    return is_known and name in MORE_IS_BETTER and has >= wants


def _by_unit(mine: Reward, theirs: Reward, weak: Subject, catalogue: Catalogue) -> bool | None:
    """Two kinds of cuts per unit, item by item at list prices; first in their level only."""
    if weak.places is None:
        return None
    items = [catalogue.items[place] for place in weak.places]
    if any(item.is_weighed for item in items):
        return None  # rounding of the weight may go either way
    cuts = [(_cut(mine, item.unit_minor), _cut(theirs, item.unit_minor)) for item in items]
    if any(a is None or b is None for a, b in cuts):
        return None
    return all(a is not None and b is not None and a >= b for a, b in cuts)


def _cut(reward: Reward, price: int) -> int | None:
    """What comes off one unit, in hundredths of basis points of a minor unit; None if limited."""
    match reward:
        case PercentOff(bp, None, None, None):
            return price * bp
        case AmountOffEach(amount, None, None):
            return min(amount, price) * FULL_BP
        case PriceEach(amount, None):
            return max(0, price - amount) * FULL_BP
        case _:
            return None
