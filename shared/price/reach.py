"""Whether an offer can ever act on these goods, whatever other offers do before it.

Offers only take: no line is worth more later than before the first of them. So a threshold that
the untouched goods do not reach is out of reach, and an offer that is never tried costs nothing,
above all where groups multiply the combinations. Only what depends on other discounts
(`undiscounted`) cannot be judged beforehand, and counts as within reach.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.price.condition import Condition, ForMember, OrderNo, Selector
from shared.price.context import PriceContext
from shared.price.effect import step_of
from shared.price.eligibility import why_fails
from shared.price.goods import Goods
from shared.price.offer import Offer
from shared.price.reward import (
    AddOn,
    BundlePrice,
    BuyGet,
    Every,
    Gift,
    GroupEach,
    NthUnit,
    Reward,
    SetPrice,
    Slot,
    Tiers,
)
from shared.price.select import depends_on_discounts


def can_reach(
    offer: Offer, targets: Sequence[int] | None, goods: Goods, context: PriceContext
) -> bool:
    """False only for an offer that can never act; `goods` are those before any offer.

    `targets` are the offer's lines where they are known beforehand.
    """
    is_open = depends_on_discounts(offer.target)
    is_own_open = is_open and isinstance(offer.reward, Gift | AddOn)
    for condition in offer.when:
        if not _may_change(condition, is_own_open=is_own_open) and why_fails(
            condition, offer, goods, context
        ):
            return False
    if is_open:
        return True
    lines = goods.select(offer.target) if targets is None else targets
    return bool(lines) and _has_enough(offer.reward, lines, goods)


def _may_change(condition: Condition, *, is_own_open: bool) -> bool:
    """Whether what it counts is known only at the offer's turn; the customer is known before."""
    if isinstance(condition, ForMember | OrderNo):
        return False
    return is_own_open or depends_on_discounts(condition.scope)


def _has_enough(  # noqa: PLR0911 - one arm per kind of reward
    reward: Reward, lines: Sequence[int], goods: Goods
) -> bool:
    match reward:
        case Tiers():
            return step_of(goods, lines, reward) is not None
        case Every(spend):
            return goods.worth(lines) >= spend
        case SetPrice(size=size) | GroupEach(size=size):
            return _units(goods, lines) >= size
        case NthUnit(n):
            return _units(goods, lines) >= n
        case BundlePrice(_, slots):
            return all(_fills(slot, goods) for slot in slots)
        case BuyGet(buy, get):
            return _fills(buy, goods) and _fills(get, goods, 1) and _are_two(buy, get, goods)
        case _:
            return True


def _units(goods: Goods, lines: Sequence[int]) -> int:
    return sum(goods.lines[line].units for line in lines)


def _fills(slot: Slot, goods: Goods, units: int | None = None) -> bool:
    if depends_on_discounts(slot.select):
        return True
    return _units(goods, goods.select(slot.select)) >= (slot.qty if units is None else units)


def _are_two(buy: Slot, get: Slot, goods: Goods) -> bool:
    """A unit is bought or got, never both: together they must be one more than is bought."""
    either: tuple[Selector, Selector] = (buy.select, get.select)
    if any(depends_on_discounts(select) for select in either):
        return True
    lines = {line for select in either for line in goods.select(select)}
    return _units(goods, sorted(lines)) > buy.qty
