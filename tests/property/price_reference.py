"""A second, slow reading of the rules for offers, to hold the engine against.

Every unit is an object of its own, every combination of offers is tried, nothing is indexed and
nothing is remembered. It follows the rules and the docstrings of the offers' types, never the
engine: where the two differ, one of them misread the rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain, combinations, product

from shared.price.condition import (
    Condition,
    Contains,
    Distinct,
    ForMember,
    MinQty,
    MinSpend,
    OrderNo,
    Selector,
    SpendBasis,
)
from shared.price.context import (
    CouponState,
    PriceContext,
    PriceLine,
    PricePolicy,
    PricingInstant,
)
from shared.price.offer import (
    BudgetPolicy,
    ExclusiveChoice,
    Offer,
    StackMode,
    StackScope,
    Validity,
)
from shared.price.reward import AddOn, AmountOff, AmountOffLine, Every, Gift, PercentOff, Tiers
from tests.property.price_reference_rewards import REWARDS, Turn
from tests.property.price_reference_units import Unit, World, share_out, world_of

Shares = Mapping[int, int]
"""What one offer takes off each line, by the line's place in the basket."""


Wish = tuple[Offer, list[Unit]]
"""An offer with the units that it would make cheaper; their value is by how much."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Net amounts in the order of the lines; what each offer that gave something gave."""

    nets: tuple[int, ...]
    given: tuple[tuple[Offer, Shares], ...]

    @property
    def discount_minor(self) -> int:
        return sum(sum(shares.values()) for _, shares in self.given)

    @property
    def rank(self) -> tuple[int, int, list[tuple[int, str]]]:
        """The smallest is the best for the customer."""
        names = sorted((-offer.priority, offer.id) for offer, _ in self.given)
        return (-self.discount_minor, len(self.given), names)


@dataclass(frozen=True, slots=True)
class Till:
    """Everything that does not change while a basket is priced."""

    lines: Sequence[PriceLine]
    context: PriceContext
    at: PricingInstant
    policy: PricePolicy


def reference(
    lines: Sequence[PriceLine],
    offers: Iterable[Offer],
    context: PriceContext,
    at: PricingInstant,
    policy: PricePolicy | None = None,
) -> list[Outcome]:
    """The best outcomes for the customer that the stack modes allow: several where all ties tie."""
    till = Till(lines, context, at, policy or PricePolicy())
    ordered = sorted(offers, key=order_of_action)
    alone = [offer for offer in ordered if offer.stack.mode is StackMode.EXCLUSIVE]
    always = [offer for offer in alone if offer.stack.choose is ExclusiveChoice.ALWAYS]
    for offer in sorted(always, key=lambda one: (-one.priority, one.id)):
        forced = play(till, [offer])
        if forced is not None and forced.discount_minor > 0:
            return [forced]
    others = [offer for offer in ordered if offer not in alone]
    played = [play(till, chosen) for chosen in (*choices(others), *([offer] for offer in alone))]
    outcomes = [outcome for outcome in played if outcome is not None]
    best = min(outcome.rank for outcome in outcomes)
    return [outcome for outcome in outcomes if outcome.rank == best]


def order_of_action(offer: Offer) -> tuple[int, int, bool, str]:
    return (int(offer.level), -offer.priority, offer.coupon is not None, offer.id)


def choices(offers: Sequence[Offer]) -> Iterator[list[Offer]]:
    """Every set of offers that may be switched on together, in order of action."""
    free = [offer for offer in offers if offer.stack.mode is StackMode.STACK]
    grouped: dict[tuple[str, StackScope], list[Offer]] = {}
    for offer in offers:
        if offer.stack.mode is StackMode.BEST_OF:
            grouped.setdefault((offer.stack.group, offer.stack.scope), []).append(offer)
    ways = [
        list(subsets(members, 1 if scope is StackScope.BASKET else len(members)))
        for (_, scope), members in grouped.items()
    ]
    for chosen in product(*ways):
        on = [*free, *chain.from_iterable(chosen)]
        yield sorted(on, key=order_of_action)


def subsets(members: Sequence[Offer], size_max: int) -> Iterator[tuple[Offer, ...]]:
    return chain.from_iterable(combinations(members, size) for size in range(size_max + 1))


def play(till: Till, offers: Sequence[Offer]) -> Outcome | None:
    """Let these offers act one after the other; each sees what the earlier ones left.

    None where lines choose at the turn of an offer that has nothing to give.
    """
    world = world_of(till.lines)
    taken: dict[str, dict[int, int]] = {}
    settled: set[str] = set()
    for offer in offers:
        group = rivals(offer, offers)
        if offer.id in settled:
            continue
        settled.update(rival.id for rival in group)
        wanted = [(rival, proposal(till, world, rival)) for rival in group]
        if len(group) > 1 and not wanted[0][1]:
            return None
        for winner, units in contest(till, wanted):
            for unit in units:
                shares = taken.setdefault(winner.id, {})
                shares[unit.line] = shares.get(unit.line, 0) + unit.value
            for unit in units:
                mine = world.units_of(unit.line)[unit.place]
                mine.value -= unit.value
                mine.is_used = mine.is_used or unit.is_used
    given = [(offer, taken[offer.id]) for offer in offers if sum(taken.get(offer.id, {}).values())]
    nets = tuple(world.net(line) for line in range(len(till.lines)))
    return Outcome(nets, tuple((offer, dict(shares)) for offer, shares in given))


def rivals(offer: Offer, offers: Sequence[Offer]) -> list[Offer]:
    """The offers among which each line chooses when this one's turn comes."""
    if offer.stack.mode is not StackMode.BEST_OF or offer.stack.scope is not StackScope.LINE:
        return [offer]
    return [other for other in offers if other.stack == offer.stack]


def contest(till: Till, wanted: Sequence[Wish]) -> Sequence[Wish]:
    """What each offer of a group takes off which units, if each line takes the best."""
    if len(wanted) == 1:
        return wanted
    won: list[Wish] = [(offer, []) for offer, _ in wanted]
    for line in range(len(till.lines)):
        parts = [[unit for unit in units if unit.line == line] for _, units in wanted]
        sums = [sum(unit.value for unit in part) for part in parts]
        if sums and max(sums) > 0:
            best = sums.index(max(sums))
            won[best][1].extend(parts[best])
    return won


def proposal(till: Till, world: World, offer: Offer) -> list[Unit]:
    """Units with what the offer would take off each, and whether it would use the unit up."""
    if not may_act(till, world, offer):
        return []
    units_left = None
    if offer.limits.per_member_units is not None:
        had = till.context.member_units.get(offer.id, 0) if till.context.member else 0
        units_left = max(0, offer.limits.per_member_units - had)
    after = deepcopy(world)
    REWARDS[type(offer.reward)](Turn(world, after, offer, till.policy, units_left))
    found = [
        Unit(old.line, old.place, old.list_minor, old.value - new.value, is_used=new.is_used)
        for old, new in zip(world.units, after.units, strict=True)
        if new.value < old.value or new.is_used != old.is_used or means_whole_lines(offer)
    ]
    return within_budget(till, world, offer, found)


def within_budget(till: Till, world: World, offer: Offer, found: list[Unit]) -> list[Unit]:
    left = offer.limits.budget_left
    total = sum(unit.value for unit in found)
    if total == 0:
        return []
    if left is None or total <= left:
        return found
    if offer.limits.budget_policy is BudgetPolicy.SKIP or left <= 0:
        return []
    lines = sorted({unit.line for unit in found})
    parts = [[unit for unit in found if unit.line == line] for line in lines]
    sums = [sum(unit.value for unit in part) for part in parts]
    clipped = share_out(left, sums, sums, till.policy.allocation)
    for part, amount in zip(parts, clipped, strict=True):
        # What comes off a whole line is shared by what its units cost, else as it was.
        costs = [world.units_of(unit.line)[unit.place].value for unit in part]
        weights = costs if means_whole_lines(offer) else [unit.value for unit in part]
        for unit, value in zip(part, share_out(amount, weights, weights), strict=True):
            unit.value = value
    return found


def means_whole_lines(offer: Offer) -> bool:
    match offer.reward:
        case PercentOff(max_units=most, max_units_per_line=most_per_line):
            return most is None and most_per_line is None and not offer.limits.per_member_units
        case AmountOff(max_units=most):
            return most is None and not offer.limits.per_member_units
        case reward:
            return isinstance(reward, AmountOffLine | Every | Tiers)


def may_act(till: Till, world: World, offer: Offer) -> bool:
    context = till.context
    if offer.coupon is not None and context.coupons.get(offer.coupon) is not CouponState.VALID:
        return False
    if offer.limits.per_member is not None:
        uses = context.member_uses.get(offer.id, 0) if context.member else 0
        if uses >= offer.limits.per_member:
            return False
    return is_open(offer.valid, till.at) and all(
        holds(condition, till, world, offer) for condition in offer.when
    )


def holds(condition: Condition, till: Till, world: World, offer: Offer) -> bool:
    context = till.context
    match condition:
        case ForMember(tiers, groups):
            member = context.member
            return (
                member is not None
                and (not tiers or member.tier in tiers)
                and (not groups or bool(member.groups & groups))
            )
        case OrderNo(n):
            return context.orders_before is not None and context.orders_before + 1 == n
        case MinSpend() | MinQty():
            return is_reached(condition, world, offer)
        case Distinct(scope, count):
            return len({world.goods[i].sku for i in counted(world, scope, offer)}) >= count
        case Contains(scope):
            return counted(world, scope, offer) != []


def counted(world: World, scope: Selector, offer: Offer) -> list[int]:
    """The lines that help to reach a threshold; what is given away must not be what earns it."""
    lines = matching(world, scope)
    if isinstance(offer.reward, Gift | AddOn):
        return [i for i in lines if i not in matching(world, offer.target)]
    return lines


def is_reached(condition: MinSpend | MinQty, world: World, offer: Offer) -> bool:
    lines = counted(world, condition.scope, offer)
    if isinstance(condition, MinSpend):
        worth = world.listed if condition.basis is SpendBasis.LIST else world.net
        spent = sum(worth(i) for i in lines)
        return spent > condition.amount if condition.is_strict else spent >= condition.amount
    if condition.uom:
        goods = [world.goods[i] for i in lines]
        weights = [one.qty_milli for one in goods if one.uom == condition.uom]
        return sum(weights) >= condition.qty_milli
    return sum(1000 * len(world.units_of(i)) for i in lines) >= condition.qty_milli


def matching(world: World, selector: Selector) -> list[int]:
    return [i for i in range(len(world.goods)) if world.matches(i, selector)]


def is_open(valid: Validity, at: PricingInstant) -> bool:
    """Whether the instant lies within what is stated; the ends of a period are not part of it."""
    here = (at.day.isoformat(), at.second)
    stated = [
        valid.from_at_ms is None or valid.from_at_ms <= at.at_ms,
        valid.to_at_ms is None or at.at_ms < valid.to_at_ms,
        valid.from_local is None or valid.from_local <= here,
        valid.to_local is None or here < valid.to_local,
        any(is_day(valid, day) for day in opening_days(valid, at)),
    ]
    return all(stated)


def opening_days(valid: Validity, at: PricingInstant) -> Iterator[date]:
    """The days on which a daily window opened that is open now."""
    if not valid.daily:
        yield at.day
    for start, end in valid.daily:
        if start < end and start <= at.second < end:
            yield at.day
        if end < start and at.second >= start:
            yield at.day
        if end < start and at.second < end:
            yield at.day - timedelta(days=1)


def is_day(valid: Validity, day: date) -> bool:
    return (not valid.dates or day.isoformat() in valid.dates) and (
        not valid.weekdays or day.isoweekday() in valid.weekdays
    )
