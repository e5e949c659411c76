"""Offers for some people and some goods never reach others."""

from __future__ import annotations

import pytest

from shared.price.condition import ALL, Condition, ForMember, OrderNo, Selector
from shared.price.context import MemberStanding, PriceContext
from shared.price.offer import Level, PercentBase
from shared.price.reward import (
    AmountOff,
    BuyGet,
    Gift,
    PercentOff,
    SetPrice,
    Slot,
    Step,
    TierBy,
    Tiers,
)
from tests.unit.shared.price.pricing import given, in_group, line, offer, priced

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


def test_units_are_told_what_a_basket_discount_took_off_them_while_groups_are_chosen() -> None:
    # 1, 1, 1, 1: half off one of them (0), 20 % off the basket (0.6 -> 1 off the next), then 1
    # off the cheapest that is worth something.
    found = priced(
        [line(1, 1, 4)],
        offer("half", PercentOff(5000, max_units=1), level=Level.PRICE),
        offer("fifth", PercentOff(2000), level=Level.BASKET),
        offer("one", AmountOff(1, max_units=1), level=Level.BASKET, priority=-1),
        offer("group", PercentOff(1), stack=in_group("g"), level=Level.PRICE),
    )
    assert given(found) == {"half": 1, "fifth": 1, "one": 1}
    assert found.nets == (1,)


def test_a_line_of_a_negative_amount_is_left_alone() -> None:
    deposit = line(2, -500)
    ten = offer("ten", AmountOff(1000), level=Level.BASKET)
    assert priced([line(1, 2000), deposit], ten).nets == (1000, -500)
