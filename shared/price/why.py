"""Why an offer that was allowed to act found nothing to take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shared.kernel.quantity import extended_minor
from shared.price.condition import Selector
from shared.price.effect import Act, counted
from shared.price.eligibility import Reason
from shared.price.goods import Goods
from shared.price.reward import (
    AddOn,
    BundlePrice,
    BuyGet,
    Every,
    GroupEach,
    NthUnit,
    PriceEach,
    SetPrice,
    SetReward,
    TierBy,
    Tiers,
)

Users = Sequence[tuple[str, frozenset[int]]]
"""Offers that used units up, each with the lines of those units."""


def why_nothing(act: Act, users: Users) -> Reason:
    """The reason in a code with parameters; `users` are the set-type offers that acted before."""
    reward = act.offer.reward
    if not act.targets:
        return Reason("no_goods")
    if isinstance(reward, Tiers):
        return _below_step(act, reward)
    if isinstance(reward, Every):
        short = reward.spend - act.goods.worth(act.targets)
        if short > 0:
            return Reason("spend", {"short_minor": short, "amount_minor": reward.spend})
    if isinstance(reward, SetReward):
        return _why_no_set(act, reward, users)
    if isinstance(reward, PriceEach | AddOn) and _is_dearer(act, reward.amount):
        return Reason("not_cheaper", {"amount_minor": reward.amount})
    return Reason("no_room")


def _below_step(act: Act, reward: Tiers) -> Reason:
    first = min(step.at for step in reward.steps)
    short = first - counted(act.goods, act.targets, reward.by)
    if short <= 0:
        return Reason("no_room")
    if reward.by is TierBy.QTY:
        return Reason("qty", {"missing": short})
    return Reason("spend", {"short_minor": short, "amount_minor": first})


def _is_dearer(act: Act, amount: int) -> bool:
    """Whether everything already costs no more than the special price."""
    lines = ((line, act.goods.lines[line]) for line in act.targets)
    prices = (
        (line, extended_minor(amount, each.qty_milli) if each.is_weighed else amount * each.units)
        for line, each in lines
    )
    return all(act.goods.values[line] <= price for line, price in prices)


def _why_no_set(act: Act, reward: SetReward, users: Users) -> Reason:
    missing = _missing(act.goods, act.targets, reward, but_used=True)
    if missing is None:
        amount = reward.amount if isinstance(reward, SetPrice | BundlePrice) else None
        return (
            Reason("no_room") if amount is None else Reason("not_cheaper", {"amount_minor": amount})
        )
    if _missing(act.goods, act.targets, reward, but_used=False) is not None:
        return missing
    offer = next((name for name, lines in users if not lines.isdisjoint(act.targets)), "")
    return Reason("used_up", {"offer": offer})


def _missing(
    goods: Goods, targets: Iterable[int], reward: SetReward, *, but_used: bool
) -> Reason | None:
    """What one set still lacks; with `but_used` units that other offers use do not count."""
    lines = list(targets)
    match reward:
        case SetPrice(size=size) | GroupEach(size=size) | NthUnit(n=size):
            return _lack(size - _count(goods, lines, but_used=but_used))
        case BuyGet():
            return _missing_of_pair(goods, lines, reward, but_used=but_used)
        case BundlePrice(slots=slots):
            lacking = 0
            for slot in slots:
                mine = goods.narrow(lines, slot.select)
                lacking += max(0, slot.qty - _count(goods, mine, but_used=but_used))
            return _lack(lacking)


def _count(goods: Goods, lines: Iterable[int], *, but_used: bool) -> int:
    return sum(goods.counts[line] - but_used * len(goods.used[line]) for line in lines)


def _lack(missing: int) -> Reason | None:
    return Reason("incomplete", {"missing": missing}) if missing > 0 else None


def _missing_of_pair(
    goods: Goods, lines: list[int], reward: BuyGet, *, but_used: bool
) -> Reason | None:
    buying, getting = _sides(goods, lines, reward.buy.select, reward.get.select)
    bought = _count(goods, buying, but_used=but_used)
    if bought < reward.buy.qty:
        return Reason("incomplete", {"missing": reward.buy.qty - bought})
    both = _count(goods, {*buying, *getting}, but_used=but_used)
    gets = _count(goods, getting, but_used=but_used)
    if gets == 0 or both <= reward.buy.qty:
        return Reason("get_missing", {"missing": reward.get.qty})
    return None


def _sides(
    goods: Goods, lines: list[int], buy: Selector, get: Selector
) -> tuple[list[int], list[int]]:
    return goods.narrow(lines, buy), goods.narrow(lines, get)
