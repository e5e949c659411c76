"""Offers for some people and some goods never reach others."""

from __future__ import annotations

import pytest

from shared.price.condition import ALL, Condition, ForMember, OrderNo, Selector
from shared.price.context import MemberStanding, PriceContext
from shared.price.offer import PercentBase
from shared.price.reward import BuyGet, Gift, PercentOff, SetPrice, Slot, Step, TierBy, Tiers
from tests.unit.shared.price.pricing import given, line, offer, priced

STRANGER = PriceContext(member=MemberStanding("m"), orders_before=3)


@pytest.mark.parametrize("condition", [ForMember(groups=frozenset({"staff"})), OrderNo(1)])
@pytest.mark.parametrize("target", [Selector(), Selector(undiscounted=True)])
def test_a_gift_for_some_is_not_given_to_others(condition: Condition, target: Selector) -> None:
    gift = offer("gift", Gift(3), condition, target=target)
    assert priced([line(1, 250, 3)], gift, context=STRANGER).nets == (750,)


def test_a_line_of_no_quantity_lends_no_unit() -> None:
    none = line(1, 100, 0)
    pair = offer("pair", SetPrice(2, 66))
    assert priced([none, line(2, 199)], pair).nets == (0, 199)
    three = offer("three", Tiers(TierBy.QTY, (Step(3, bp=1000),)))
    assert priced([none, line(2, 199, 2)], three).nets == (0, 398)


def test_a_line_that_comes_back_counts_for_nothing_and_gets_nothing() -> None:
    back = line(1, 1000, -1)
    tenth = offer("tenth", PercentOff(1000))
    assert priced([back, line(2, 500)], tenth).nets == (-1000, 450)


def test_a_percentage_of_the_list_price_adds_up_over_the_units() -> None:
    # 16.35 for two: 8.18 and 8.17; half of each is 4.09.
    both = offer(
        "both",
        BuyGet(Slot(ALL), Slot(ALL), bp=5000),
        percent_base=PercentBase.LIST,
    )
    goods = line(1, 818, 2, list_minor=1635)
    assert given(priced([goods], both)) == {"both": 409}
