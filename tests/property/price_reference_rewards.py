"""What each kind of reward does to the units, for the second reading: one function for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, permutations

from shared.price.condition import Selector
from shared.price.context import PricePolicy
from shared.price.offer import Level, Offer, PercentBase
from shared.price.reward import (
    AddOn,
    AmountOff,
    AmountOffEach,
    AmountOffLine,
    BundlePrice,
    BuyGet,
    Every,
    Gift,
    GroupEach,
    GroupOrder,
    NthUnit,
    Pairing,
    PercentOff,
    Pick,
    PriceEach,
    Reward,
    SetPrice,
    Slot,
    TierBy,
    Tiers,
)
from tests.property.price_reference_units import Unit, World, rounded, share_out

ENDLESS = 10**18


@dataclass(slots=True)
class Turn:
    """One offer's turn. `units_left` is how many units this member may still get cheaper.

    `before` is the basket at its start, which says what the offer means; it changes `world`.
    """

    before: World
    world: World
    offer: Offer
    policy: PricePolicy
    units_left: int | None = None

    def target(self) -> list[Unit]:
        return self.fitting(self.world.units, self.offer.target)

    def fitting(self, units: Iterable[Unit], selector: Selector) -> list[Unit]:
        return [unit for unit in units if self.before.matches(unit.line, selector)]

    def unused(self, *selectors: Selector) -> list[Unit]:
        units = [unit for unit in self.target() if not unit.is_used]
        for selector in selectors:
            units = self.fitting(units, selector)
        return units

    def cut(self, unit: Unit, amount: int) -> int:
        """Take an amount off one unit, as far as unit and floor allow."""
        taken = min(amount, unit.value, self.world.room(unit.line, self.offer))
        unit.value -= taken
        return taken

    def cut_all(self, cuts: Iterable[tuple[Unit, int]]) -> None:
        """Take an amount off each of some units; at a floor the last units of a line give way."""
        for unit, amount in sorted(cuts, key=lambda cut: (cut[0].line, cut[0].place)):
            self.cut(unit, amount)

    def share_of(self, units: Sequence[Unit], bp: int) -> int:
        """A percentage of these units together, rounded once."""
        is_list = self.offer.percent_base is PercentBase.LIST
        base = sum(unit.list_minor if is_list else unit.value for unit in units)
        return rounded(Fraction(base * bp, 10_000), self.policy.rounding)

    def cut_together(self, units: Sequence[Unit], amount: int) -> None:
        """Share one amount among lines by value, then each line's share among its units."""
        parts = by_line(units)
        worth = [sum(unit.value for unit in part) for part in parts]
        rooms = [
            min(value, self.world.room(part[0].line, self.offer))
            for part, value in zip(parts, worth, strict=True)
        ]
        for part, share in zip(
            parts, share_out(amount, worth, rooms, self.policy.allocation), strict=True
        ):
            self.cut_line(part, share)

    def cut_line(self, part: Sequence[Unit], amount: int) -> None:
        """Take an amount off units of one line, by their values."""
        values = [unit.value for unit in part]
        clamped = min(amount, self.world.room(part[0].line, self.offer))
        for unit, share in zip(part, share_out(clamped, values, values), strict=True):
            unit.value -= share

    def limited(self, reward_limit: int | None = None) -> int:
        limits = [ENDLESS if n is None else n for n in (reward_limit, self.units_left)]
        return min(limits)

    def sets_max(self, units_per_set: int) -> int:
        times = self.offer.limits.max_times
        return min(ENDLESS if times is None else times, self.limited() // units_per_set)


def by_line(units: Iterable[Unit]) -> list[list[Unit]]:
    parts: dict[int, list[Unit]] = {}
    for unit in units:
        parts.setdefault(unit.line, []).append(unit)
    return [parts[line] for line in sorted(parts)]


def dearest(units: Iterable[Unit]) -> list[Unit]:
    return sorted(units, key=lambda unit: (-unit.value, unit.line, unit.place))


def cheapest(units: Iterable[Unit]) -> list[Unit]:
    return sorted(units, key=lambda unit: (unit.value, unit.line, unit.place))


def picked(turn: Turn, reward: PercentOff | AmountOff | AmountOffEach) -> list[Unit]:
    """The units that a limited reward takes, in the order of the basket."""
    line_limit = getattr(reward, "max_units_per_line", None)
    if reward.max_units is None and line_limit is None and turn.units_left is None:
        return turn.target()
    order = cheapest if reward.pick is Pick.CHEAPEST else dearest
    units = [unit for unit in turn.target() if unit.value > 0]
    if line_limit is not None:
        units = [unit for part in by_line(units) for unit in order(part)[:line_limit]]
    chosen = order(units)[: turn.limited(reward.max_units)]
    return sorted(chosen, key=lambda unit: (unit.line, unit.place))


def percent_off(turn: Turn) -> None:
    reward = turn.offer.reward
    assert isinstance(reward, PercentOff)
    percent(turn, picked(turn, reward), reward.bp, reward.cap)


def percent(turn: Turn, units: Sequence[Unit], bp: int, cap: int | None = None) -> None:
    cap = ENDLESS if cap is None else cap
    if turn.offer.level is Level.BASKET:
        turn.cut_together(units, min(cap, turn.share_of(units, bp)))
        return
    parts = by_line(units)
    shares = []
    for part in parts:
        room = turn.world.room(part[0].line, turn.offer)
        shares.append(min(turn.share_of(part, bp), room, sum(unit.value for unit in part)))
    worth = [sum(unit.value for unit in part) for part in parts]
    shares = share_out(min(cap, sum(shares)), worth, shares, turn.policy.allocation)
    for part, share in zip(parts, shares, strict=True):
        turn.cut_line(part, share)


def amount_off(turn: Turn) -> None:
    reward = turn.offer.reward
    assert isinstance(reward, AmountOff)
    turn.cut_together(picked(turn, reward), reward.amount)


def amount_off_each(turn: Turn) -> None:
    reward = turn.offer.reward
    assert isinstance(reward, AmountOffEach)
    turn.cut_all((unit, reward.amount) for unit in picked(turn, reward))


def amount_off_line(turn: Turn) -> None:
    reward = turn.offer.reward
    assert isinstance(reward, AmountOffLine)
    for part in by_line(turn.target()):
        turn.cut_line(part, reward.amount)


def price_each(turn: Turn) -> None:
    reward = turn.offer.reward
    assert isinstance(reward, PriceEach | AddOn)
    dearer = [unit for unit in turn.target() if unit.value > price_of(turn, unit, reward.amount)]
    chosen = dearest(dearer)[: turn.limited(reward.max_units)]
    turn.cut_all((unit, unit.value - price_of(turn, unit, reward.amount)) for unit in chosen)


def price_of(turn: Turn, unit: Unit, amount: int) -> int:
    line = turn.world.goods[unit.line]
    return rounded(Fraction(amount * line.qty_milli, 1000)) if line.is_weighed else amount


def gift(turn: Turn) -> None:
    reward = turn.offer.reward
    assert isinstance(reward, Gift)
    worthy = [unit for unit in turn.target() if unit.value > 0]
    for part in by_line(cheapest(worthy)[: turn.limited(reward.max_units)]):
        units = sorted(part, key=lambda unit: unit.place)
        turn.cut_line(units, sum(unit.value for unit in units))


def tiers(turn: Turn) -> None:
    reward = turn.offer.reward
    assert isinstance(reward, Tiers)
    units = turn.target()
    spend = sum(unit.value for unit in units)
    reached = spend if reward.by is TierBy.SPEND else len(units)
    steps = [step for step in reward.steps if step.at <= reached]
    if not steps:
        return
    step = max(steps, key=lambda one: one.at)
    if step.bp is not None:
        percent(turn, units, step.bp)
    elif step.amount is not None:
        turn.cut_together(units, step.amount)


def every(turn: Turn) -> None:
    reward = turn.offer.reward
    assert isinstance(reward, Every)
    times = sum(unit.value for unit in turn.target()) // reward.spend
    for limit in (reward.max_times, turn.offer.limits.max_times):
        times = times if limit is None else min(times, limit)
    turn.cut_together(turn.target(), times * reward.amount)


def sell_set(turn: Turn, units: Sequence[Unit], amount: int) -> bool:
    """Sell these units together for one amount; False if that would not be cheaper."""
    saving = sum(unit.value for unit in units) - amount
    before = sum(unit.value for unit in units)
    if saving > 0:
        turn.cut_together(sorted(units, key=lambda unit: (unit.line, unit.place)), saving)
    if sum(unit.value for unit in units) == before:
        return False
    use_up(units)
    return True


def use_up(units: Iterable[Unit]) -> None:
    for unit in units:
        unit.is_used = True


def set_price(turn: Turn) -> None:
    reward = turn.offer.reward
    assert isinstance(reward, SetPrice)
    order = dearest if reward.pick is Pick.DEAREST else cheapest
    queue, sold = order(turn.unused()), 0
    while len(queue) >= reward.size and sold < turn.sets_max(reward.size):
        sold += sell_set(turn, queue[: reward.size], reward.amount)
        queue = queue[reward.size :]


def bundle_price(turn: Turn) -> None:
    reward = turn.offer.reward
    assert isinstance(reward, BundlePrice)
    places = [slot.select for slot in reward.slots for _ in range(slot.qty)]
    passed: list[Unit] = []
    sold = 0
    while sold < turn.sets_max(len(places)):
        free = [unit for unit in turn.unused() if unit not in passed]
        units = filled(turn, places, dearest(free))
        if units is None:
            return
        passed += units
        sold += sell_set(turn, units, reward.amount)


def filled(turn: Turn, places: Sequence[Selector], free: list[Unit]) -> list[Unit] | None:
    """The first units in the order given that fill all places, each unit one of them."""
    fitting = {
        unit.line: [turn.before.matches(unit.line, place) for place in places] for unit in free
    }
    for units in combinations(free, len(places)):
        for seats in permutations(range(len(places))):
            if all(fitting[unit.line][seat] for unit, seat in zip(units, seats, strict=True)):
                return list(units)
    return None


def nth_unit(turn: Turn) -> None:
    reward = turn.offer.reward
    assert isinstance(reward, NthUnit)
    queue = dearest(turn.unused())
    sets = min(len(queue) // reward.n, turn.sets_max(1))
    if reward.pairing is Pairing.DESC_GROUPS:
        buy = [unit for i, unit in enumerate(queue[: sets * reward.n], 1) if i % reward.n]
        get = [unit for i, unit in enumerate(queue[: sets * reward.n], 1) if not i % reward.n]
    else:
        buy, get = queue[: sets * (reward.n - 1)], queue[len(queue) - sets :]
    turn.cut_all((unit, turn.share_of([unit], reward.bp)) for unit in get)
    use_up([*buy, *get])


def buy_get(turn: Turn) -> None:
    reward = turn.offer.reward
    assert isinstance(reward, BuyGet)
    gets_left = turn.limited(reward.max_get_units)
    got: list[Unit] = []
    for _ in range(turn.sets_max(1)):
        buy, get = buy_and_get(turn, reward, gets_left - len(got))
        if len(buy) < reward.buy.qty or not get:
            break
        got += get
        use_up([*buy, *get])
    turn.cut_all((unit, off_each(turn, unit, reward)) for unit in got)


def off_each(turn: Turn, unit: Unit, reward: BuyGet | GroupEach) -> int:
    if reward.bp is not None:
        return turn.share_of([unit], reward.bp)
    return (reward.amount_each if isinstance(reward, BuyGet) else reward.amount) or 0


def buy_and_get(turn: Turn, reward: BuyGet, gets_left: int) -> tuple[list[Unit], list[Unit]]:
    """The units of the next set's two sides."""

    def could_be(slot: Slot) -> list[Unit]:
        return turn.unused(slot.select)

    gettable = [unit for unit in could_be(reward.get) if unit.value > 0]
    is_dearest = reward.get_pick is Pick.DEAREST
    queue = (cheapest if is_dearest else dearest)(could_be(reward.buy))
    only_buy = [unit for unit in queue if unit not in gettable]
    either = [unit for unit in queue if unit in gettable]
    buy = [*only_buy, *either][: reward.buy.qty]
    get = [unit for unit in (dearest if is_dearest else cheapest)(gettable) if unit not in buy]
    return buy, get[: min(reward.get.qty, gets_left)]


def group_each(turn: Turn) -> None:
    reward = turn.offer.reward
    assert isinstance(reward, GroupEach)
    queue = dearest(turn.unused())
    if reward.order is GroupOrder.LARGEST_LINE_FIRST:
        sizes = {part[0].line: len(part) for part in by_line(turn.world.units)}
        queue = sorted(queue, key=lambda unit: (-sizes[unit.line], unit.line))
    sets = min(len(queue) // reward.size, turn.sets_max(reward.size))
    grouped = queue[: sets * reward.size]
    turn.cut_all((unit, off_each(turn, unit, reward)) for unit in grouped)
    use_up(grouped)


REWARDS: dict[type[Reward], Callable[[Turn], None]] = {
    PercentOff: percent_off,
    AmountOff: amount_off,
    AmountOffEach: amount_off_each,
    AmountOffLine: amount_off_line,
    PriceEach: price_each,
    AddOn: price_each,
    Gift: gift,
    Tiers: tiers,
    Every: every,
    SetPrice: set_price,
    BundlePrice: bundle_price,
    NthUnit: nth_unit,
    BuyGet: buy_get,
    GroupEach: group_each,
}
