"""What rewards without sets take: percentages, amounts, prices, tiers, gifts.

Each function only looks: it returns the effect that the reward would have on the goods now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from shared.kernel.quantity import extended_minor
from shared.price.context import PricePolicy
from shared.price.goods import Effect, Goods, Unit, dearest_first
from shared.price.offer import Level, Offer, PercentBase
from shared.price.prorate import percent_of, prorate, spread
from shared.price.reward import (
    AmountOff,
    AmountOffEach,
    AmountOffLine,
    Every,
    PercentOff,
    Pick,
    Step,
    TierBy,
    Tiers,
)


@dataclass(slots=True)
class Act:
    """One offer about to act: its goods, and how many units its limits leave (None: any).

    `is_rough` lets it answer with a lump where the shares of the lines are not needed yet.
    """

    offer: Offer
    goods: Goods
    targets: Sequence[int]
    policy: PricePolicy
    units_left: int | None = None
    is_rough: bool = False

    def room(self, line: int) -> int:
        """How much this offer may take off a line."""
        return self.goods.room(line, ignores_floor=self.offer.ignores_floor)

    def rooms(self) -> list[int]:
        """How much it may take off each of its lines."""
        goods = self.goods
        if self.offer.ignores_floor or not goods.has_floors:
            return self.values()
        return [self.room(line) for line in self.targets]

    def values(self) -> list[int]:
        """What each of its lines costs now."""
        return list(map(self.goods.values.__getitem__, self.targets))

    def bases(self) -> list[int]:
        """What a percentage of each of its lines is taken of."""
        if self.offer.percent_base is PercentBase.CURRENT:
            return self.values()
        return list(map(self.goods.lists.__getitem__, self.targets))

    def base_minor(self) -> int:
        """What a percentage of all its lines together is taken of."""
        if self.offer.percent_base is PercentBase.CURRENT:
            return self.goods.worth(self.targets)
        return sum(self.bases())

    def percent(self, base_minor: int, bp: int) -> int:
        """A share in the chain's rounding."""
        return percent_of(base_minor, bp, self.policy.rounding)

    def limit(self, max_units: int | None) -> int | None:
        """The stricter of a reward's and the member's limit."""
        if max_units is None or self.units_left is None:
            return self.units_left if max_units is None else max_units
        return min(max_units, self.units_left)


class Picked(NamedTuple):
    """Units of one line that a limited reward takes, by their numbers."""

    line: int
    numbers: tuple[int, ...]
    worth: int


def percent_off(act: Act, reward: PercentOff) -> Effect | None:
    """Rounded per line, on basket level once and then allocated; clamped by the floors."""
    max_units = act.limit(reward.max_units)
    if max_units is not None or reward.max_units_per_line is not None:
        picked = pick_units(act, max_units, reward.max_units_per_line, reward.pick)
        return _percent_of_units(act, reward, picked)
    return percent_of_lines(act, reward.bp, reward.cap)


def percent_of_lines(act: Act, bp: int, cap: int | None = None) -> Effect | None:
    """A percentage of whole lines."""
    if act.offer.level is Level.BASKET:
        return _allocated(act, _capped(act.percent(act.base_minor(), bp), cap))
    rounding = act.policy.rounding
    amounts = [percent_of(base, bp, rounding) for base in act.bases()]
    amounts = list(map(min, amounts, act.rooms()))
    if cap is not None and sum(amounts) > cap:
        amounts = prorate(cap, act.values(), amounts, act.policy.allocation)
    return _of_lines(act, amounts)


def _capped(amount: int, cap: int | None) -> int:
    return amount if cap is None else min(amount, cap)


def amount_off(act: Act, reward: AmountOff) -> Effect | None:
    """One amount over all target lines, or over the picked units."""
    max_units = act.limit(reward.max_units)
    if max_units is None:
        return _allocated(act, reward.amount)
    picked = pick_units(act, max_units, None, reward.pick)
    return _shared_by_units(act, reward.amount, picked)


def _allocated(act: Act, amount: int) -> Effect | None:
    goods = act.goods
    if goods.has_floors and not act.offer.ignores_floor:
        rooms = act.rooms()
        most = min(amount, sum(rooms))
        return _of_lines(act, prorate(most, act.values(), rooms, act.policy.allocation))
    most = min(amount, goods.worth(act.targets))
    if most <= 0:
        return None
    lump = Effect(act.targets, (), lump=most)
    return lump if act.is_rough else goods.shared(lump)


def _of_lines(act: Act, amounts: Sequence[int]) -> Effect | None:
    lines = act.targets
    if 0 in amounts:
        lines = [line for line, amount in zip(lines, amounts, strict=True) if amount]
        amounts = [amount for amount in amounts if amount]
    return Effect(lines, amounts) if amounts else None


def pick_units(
    act: Act, max_units: int | None, max_per_line: int | None, pick: Pick
) -> list[Picked]:
    """The units that a limited reward takes, of those that are worth something, by line."""
    key = None if pick is Pick.CHEAPEST else dearest_first  # units sort cheapest first
    queue = []
    for line in act.targets:
        values = enumerate(act.goods.unit_values(line))
        units = sorted((Unit(value, line, n) for n, value in values if value > 0), key=key)
        queue += units[:max_per_line]
    chosen = sorted(queue, key=key)[:max_units]
    return group_by_line(chosen)


def group_by_line(units: Sequence[Unit]) -> list[Picked]:
    """Units by line, lines and numbers ascending."""
    by_line: dict[int, list[Unit]] = {}
    for unit in units:
        by_line.setdefault(unit.line, []).append(unit)
    return [
        Picked(
            line,
            tuple(sorted(unit.number for unit in by_line[line])),
            sum(unit.value for unit in by_line[line]),
        )
        for line in sorted(by_line)
    ]


def _percent_of_units(act: Act, reward: PercentOff, picked: Sequence[Picked]) -> Effect | None:
    bases = [_unit_base(act, each) for each in picked]
    if act.offer.level is Level.BASKET:
        amount = _capped(act.percent(sum(bases), reward.bp), reward.cap)
        return _shared_by_units(act, amount, picked)
    amounts = [
        min(act.percent(base, reward.bp), each.worth, act.room(each.line))
        for base, each in zip(bases, picked, strict=True)
    ]
    if reward.cap is not None and sum(amounts) > reward.cap:
        worths = [each.worth for each in picked]
        amounts = prorate(reward.cap, worths, amounts, act.policy.allocation)
    return _of_units(act, picked, amounts)


def _unit_base(act: Act, picked: Picked) -> int:
    if act.offer.percent_base is PercentBase.CURRENT:
        return picked.worth
    listed = act.goods.listed_units(picked.line)
    return sum(listed[number] for number in picked.numbers)


def _shared_by_units(act: Act, amount: int, picked: Sequence[Picked]) -> Effect | None:
    rooms = [min(each.worth, act.room(each.line)) for each in picked]
    worths = [each.worth for each in picked]
    amounts = prorate(min(amount, sum(rooms)), worths, rooms, act.policy.allocation)
    return _of_units(act, picked, amounts)


def _of_units(act: Act, picked: Sequence[Picked], amounts: Sequence[int]) -> Effect | None:
    parts = {
        each.line: units_cut(act.goods, each, amount)
        for each, amount in zip(picked, amounts, strict=True)
    }
    return effect_of(parts)


def units_cut(goods: Goods, picked: Picked, amount: int) -> list[int]:
    """An amount off the picked units of one line, by what they are worth; for each unit."""
    values = goods.unit_values(picked.line)
    shares = spread(amount, [values[number] for number in picked.numbers])
    by_unit = [0] * len(values)
    for number, share in zip(picked.numbers, shares, strict=True):
        by_unit[number] = share
    return by_unit


def amount_off_each(act: Act, reward: AmountOffEach) -> Effect | None:
    """An amount off each unit, no unit below nought."""
    max_units = act.limit(reward.max_units)
    picked = pick_units(act, max_units, reward.max_units_per_line, reward.pick)
    return _by_value(act, picked, lambda value: min(value, reward.amount))


def _by_value(act: Act, picked: Sequence[Picked], taken: Callable[[int], int]) -> Effect | None:
    """Cuts by a function of each picked unit's value."""
    parts = {}
    for each in picked:
        values = act.goods.unit_values(each.line)
        by_unit = [0] * len(values)
        for number in each.numbers:
            by_unit[number] = taken(values[number])
        parts[each.line] = clamped(act, each.line, by_unit)
    return effect_of(parts)


def effect_of(parts: Mapping[int, Sequence[int]], times: int = 1) -> Effect | None:
    """An effect from what comes off each unit, by line; None when that is nothing."""
    sums = [(line, sum(parts[line])) for line in sorted(parts)]
    found = [(line, amount) for line, amount in sums if amount > 0]
    if not found:
        return None
    lines, amounts = zip(*found, strict=True)
    return Effect(lines, amounts, parts, times)


def clamped(act: Act, line: int, by_unit: list[int]) -> list[int]:
    """Cuts of units, no more together than the line's room; the last units give way."""
    excess = sum(by_unit) - act.room(line)
    for number in range(len(by_unit) - 1, -1, -1):
        if excess <= 0:
            break
        less = min(excess, by_unit[number])
        by_unit[number] -= less
        excess -= less
    return by_unit


def amount_off_line(act: Act, reward: AmountOffLine) -> Effect | None:
    """An amount off each line."""
    return _of_lines(act, [min(reward.amount, room) for room in act.rooms()])


def price_each(act: Act, amount: int, max_units: int | None) -> Effect | None:
    """A price for each unit where it is lower; a weighed line costs price times weight."""
    queue = []
    for line in act.targets:
        goods = act.goods.lines[line]
        price = extended_minor(amount, goods.qty_milli) if goods.is_weighed else amount
        values = enumerate(act.goods.unit_values(line))
        queue += [(Unit(value, line, n), value - price) for n, value in values if value > price]
    queue.sort(key=lambda each: dearest_first(each[0]))
    parts: dict[int, list[int]] = {}
    for unit, less in queue[: act.limit(max_units)]:
        by_unit = parts.setdefault(unit.line, [0] * act.goods.counts[unit.line])
        by_unit[unit.number] = less
    return effect_of({line: clamped(act, line, by_unit) for line, by_unit in parts.items()})


def tiers(act: Act, reward: Tiers) -> Effect | None:
    """The highest step that the target reaches."""
    step = step_of(act.goods, act.targets, reward)
    if step is None:
        return None
    if step.bp is not None:
        return percent_of_lines(act, step.bp)
    return _allocated(act, step.amount or 0)


def step_of(goods: Goods, targets: Sequence[int], reward: Tiers) -> Step | None:
    """The highest step reached, by spend in minor units or by pieces; None below the first."""
    reached = counted(goods, targets, reward.by)
    steps = [step for step in reward.steps if step.at <= reached]
    return max(steps, key=lambda step: step.at) if steps else None


def counted(goods: Goods, targets: Sequence[int], by: TierBy) -> int:
    """What tiers count: the target's worth now, or its units."""
    if by is TierBy.SPEND:
        return goods.worth(targets)
    return sum(goods.counts[line] for line in targets)


def every(act: Act, reward: Every) -> Effect | None:
    """The amount as often as the spend is reached in full."""
    times = act.goods.worth(act.targets) // reward.spend
    for most in (reward.max_times, act.offer.limits.max_times):
        times = times if most is None else min(times, most)
    effect = _allocated(act, reward.amount * times)
    return None if effect is None else effect._replace(times=times)
