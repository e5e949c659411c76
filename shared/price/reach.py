"""Whether an offer can ever act on these goods, whatever other offers do before it.

Offers only take: no line is worth more later than before the first of them. So a threshold that
the untouched goods do not reach is out of reach, and an offer that is never tried costs nothing,
above all where groups multiply the combinations. Only what depends on other discounts
(`undiscounted`) cannot be judged beforehand, and counts as within reach.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.price.condition import Selector
from shared.price.context import PriceContext
from shared.price.effect import step_of
from shared.price.eligibility import why_fails
from shared.price.goods import Goods
from shared.price.offer_book import Rule
from shared.price.reward import (
    BundlePrice,
    BuyGet,
    Every,
    GroupEach,
    NthUnit,
    Reward,
    SetPrice,
    Slot,
    Tiers,
)
from shared.price.select import depends_on_discounts


def can_reach(
    rule: Rule, targets: Sequence[int] | None, goods: Goods, context: PriceContext
) -> bool:
    """False only for an offer that can never act; `goods` are those before any offer.

    `targets` are the offer's lines where they are known beforehand.
    """
    offer = rule.offer
    for condition in rule.early_conditions:
        if why_fails(condition, offer, goods, context) is not None:
            return False
    if rule.is_target_open:
        return True
    lines = goods.select(offer.target) if targets is None else targets
    return bool(lines) and _has_enough(offer.reward, lines, goods)


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
    return sum(map(goods.counts.__getitem__, lines))


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
