"""Rewards that make sets of units and use them up: N for X, bundles, n-th unit, buy-get, groups.

A unit that was used, on the buy side or the get side, serves no second offer of this kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shared.price.condition import Selector
from shared.price.effect import Act, Picked, clamped, effect_of, group_by_line, units_cut
from shared.price.goods import Effect, Unit, dearest_first
from shared.price.offer import PercentBase
from shared.price.prorate import prorate
from shared.price.reward import (
    BundlePrice,
    BuyGet,
    GroupEach,
    GroupOrder,
    NthUnit,
    Pairing,
    Pick,
    SetPrice,
    SetReward,
)
from shared.price.slots import fill_slots


def set_effect(act: Act, reward: SetReward) -> Effect | None:
    """What a set-type reward would do now."""
    match reward:
        case SetPrice():
            return _set_price(act, reward)
        case BundlePrice():
            return _bundle_price(act, reward)
        case NthUnit():
            return _nth_unit(act, reward)
        case BuyGet():
            return _buy_get(act, reward)
        case GroupEach():
            return _group_each(act, reward)


def _most(*limits: int | None) -> int | None:
    """The strictest of several limits."""
    known = [limit for limit in limits if limit is not None]
    return min(known) if known else None


def _sets_left(act: Act, units_per_set: int) -> int | None:
    """How many sets the offer's and the member's limits leave."""
    by_units = None if act.units_left is None else act.units_left // units_per_set
    return _most(act.offer.limits.max_times, by_units)


def _set_price(act: Act, reward: SetPrice) -> Effect | None:
    key = dearest_first if reward.pick is Pick.DEAREST else None  # units sort cheapest first
    queue = sorted(act.goods.free_units(act.targets), key=key)
    sets = _complete(queue, reward.size, None)
    cheaper = [each for each in sets if _worth(each) > reward.amount]
    return _sets_for(act, cheaper, reward.amount, _sets_left(act, reward.size))


def _complete(queue: Sequence[Unit], size: int, most: int | None) -> list[Sequence[Unit]]:
    sets = [queue[at : at + size] for at in range(0, len(queue) - size + 1, size)]
    return sets[:most]


def _worth(units: Iterable[Unit]) -> int:
    return sum(unit.value for unit in units)


def _bundle_price(act: Act, reward: BundlePrice) -> Effect | None:
    places = [slot.select for slot in reward.slots for _ in range(slot.qty)]
    free = sorted(act.goods.free_units(act.targets), key=dearest_first)
    takers = _takers(act, places, free)
    sets: list[Sequence[Unit]] = []
    while True:
        chosen = fill_slots(free, takers, len(places))
        if not chosen or _worth(chosen) <= reward.amount:
            break
        sets.append(chosen)
        gone = set(chosen)
        free = [unit for unit in free if unit not in gone]
    return _sets_for(act, sets, reward.amount, _sets_left(act, len(places)))


def _takers(
    act: Act, places: Sequence[Selector], free: Sequence[Unit]
) -> dict[int, tuple[int, ...]]:
    """Per line the places of a bundle that its units may fill."""
    chosen = {selector: set(act.goods.select(selector)) for selector in places}
    return {
        line: tuple(at for at, selector in enumerate(places) if line in chosen[selector])
        for line in {unit.line for unit in free}
    }


def _sets_for(
    act: Act, sets: Iterable[Sequence[Unit]], amount: int, most: int | None
) -> Effect | None:
    """Each set for one amount, up to `most`; its cut is shared over its lines, then its units.

    A set that the floors keep from getting cheaper is not used up and does not count.
    """
    cuts: dict[int, list[int]] = {}
    real: list[Sequence[Unit]] = []
    for units in sets:
        if most is not None and len(real) >= most:
            break
        if _share_set(act, group_by_line(units), _worth(units) - amount, cuts):
            real.append(units)
    found = effect_of(cuts, len(real))
    return _using(found, [unit for units in real for unit in units])


def _share_set(act: Act, picked: Sequence[Picked], cut: int, cuts: dict[int, list[int]]) -> bool:
    """Add a set's cut to those of the earlier ones; False where there is no room for any."""
    rooms = [min(each.worth, act.room(each.line) - sum(cuts.get(each.line, ()))) for each in picked]
    worths = [each.worth for each in picked]
    amounts = prorate(min(cut, sum(rooms)), worths, rooms, act.policy.allocation)
    for each, amount in zip(picked, amounts, strict=True):
        by_unit = units_cut(act.goods, each, amount)
        before = cuts.get(each.line, [0] * len(by_unit))
        cuts[each.line] = [a + b for a, b in zip(before, by_unit, strict=True)]
    return any(amounts)


def _using(effect: Effect | None, units: Iterable[Unit]) -> Effect | None:
    """The effect with the units that it uses up, discounted or not."""
    if effect is None:
        return None
    used = tuple((each.line, frozenset(each.numbers)) for each in group_by_line(list(units)))
    return effect._replace(used=used)


def _nth_unit(act: Act, reward: NthUnit) -> Effect | None:
    queue = sorted(act.goods.free_units(act.targets), key=dearest_first)
    times = len(queue) // reward.n
    most = _most(act.offer.limits.max_times, act.units_left)
    times = times if most is None else min(times, most)
    if times == 0:
        return None
    if reward.pairing is Pairing.DESC_GROUPS:
        used = queue[: times * reward.n]
        cheaper = used[reward.n - 1 :: reward.n]
    else:
        cheaper = queue[len(queue) - times :]
        used = [*queue[: times * (reward.n - 1)], *cheaper]
    taken = [(unit, act.percent(_base(act, unit), reward.bp)) for unit in cheaper]
    return _using(_units_off(act, taken, times), used)


def _base(act: Act, unit: Unit) -> int:
    """What a percentage of a unit is taken of: its value, or its share of the list amount."""
    if act.offer.percent_base is PercentBase.CURRENT:
        return unit.value
    return act.goods.listed_units(unit.line)[unit.number]


def _units_off(act: Act, taken: Sequence[tuple[Unit, int]], times: int) -> Effect | None:
    """An amount off each of some units, none below nought, no line below its floor."""
    cuts: dict[int, list[int]] = {}
    for unit, amount in taken:
        count = act.goods.counts[unit.line]
        by_unit = cuts.setdefault(unit.line, [0] * count)
        by_unit[unit.number] += min(amount, unit.value)
    return effect_of({line: clamped(act, line, cuts[line]) for line in cuts}, times)


def _buy_get(act: Act, reward: BuyGet) -> Effect | None:
    goods = act.goods
    free = goods.free_units(act.targets)
    buying, getting = set(goods.select(reward.buy.select)), set(goods.select(reward.get.select))
    gettable = [unit for unit in free if unit.line in getting and unit.value > 0]
    buyable = [unit for unit in free if unit.line in buying]
    gets, buys = sorted(gettable), sorted(buyable, key=dearest_first)
    if reward.get_pick is Pick.DEAREST:
        gets, buys = sorted(gettable, key=dearest_first), sorted(buyable)
    # Units that cannot be got are bought first.
    buys.sort(key=lambda unit: unit.line in getting and unit.value > 0)
    used, got, times = _pair(reward, buys, gets, _limits_of(act, reward))
    taken = [(unit, _got_off(act, reward, unit)) for unit in got]
    return _using(_units_off(act, taken, times), used)


def _limits_of(act: Act, reward: BuyGet) -> tuple[int | None, int | None]:
    return act.offer.limits.max_times, _most(reward.max_get_units, act.units_left)


def _got_off(act: Act, reward: BuyGet, unit: Unit) -> int:
    if reward.bp is not None:
        return act.percent(_base(act, unit), reward.bp)
    return reward.amount_each or 0


def _pair(
    reward: BuyGet,
    buys: Sequence[Unit],
    gets: Sequence[Unit],
    limits: tuple[int | None, int | None],
) -> tuple[list[Unit], list[Unit], int]:
    """Rounds of buying and getting while both sides are there: used units, got units, rounds."""
    max_times, max_units = limits
    used: list[Unit] = []
    got: list[Unit] = []
    gone: set[Unit] = set()
    buying, getting = _Queue(buys), _Queue(gets)
    times = 0
    while (max_times is None or times < max_times) and (max_units is None or len(got) < max_units):
        bought = buying.first(reward.buy.qty, gone)
        left = reward.get.qty if max_units is None else min(reward.get.qty, max_units - len(got))
        gained = getting.first(left, gone, but=bought)
        if len(bought) < reward.buy.qty or not gained:
            break
        gone.update(bought, gained)
        used += bought
        got += gained
        times += 1
    return used + got, got, times


class _Queue:
    """Units in order; its head moves past those that are gone, so each is passed once."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self._units = units
        self._head = 0

    def first(self, count: int, gone: set[Unit], but: Sequence[Unit] = ()) -> list[Unit]:
        """The first units that are neither gone nor among `but`."""
        units = self._units
        while self._head < len(units) and units[self._head] in gone:
            self._head += 1
        found: list[Unit] = []
        for at in range(self._head, len(units)):
            if len(found) == count:
                break
            if units[at] not in gone and units[at] not in but:
                found.append(units[at])
        return found


def _group_each(act: Act, reward: GroupEach) -> Effect | None:
    queue = sorted(act.goods.free_units(act.targets), key=dearest_first)
    if reward.order is GroupOrder.LARGEST_LINE_FIRST:
        counts = {line: act.goods.counts[line] for line in act.targets}
        queue.sort(key=lambda unit: (-counts[unit.line], unit.line))
    most = _sets_left(act, reward.size)
    sets = _complete(queue, reward.size, most)
    units = [unit for each in sets for unit in each]
    taken = [(unit, _each_off(act, reward, unit)) for unit in units]
    return _using(_units_off(act, taken, len(sets)), units)


def _each_off(act: Act, reward: GroupEach, unit: Unit) -> int:
    if reward.bp is not None:
        return act.percent(_base(act, unit), reward.bp)
    return reward.amount or 0
