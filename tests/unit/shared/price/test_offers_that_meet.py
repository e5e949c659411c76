"""Baskets in which a second reading of the rules once found other amounts than the engine."""

from __future__ import annotations

from shared.price.condition import ALL, ForMember, MinQty, OrderNo, Selector
from shared.price.context import MemberStanding, PriceContext, PriceLine
from shared.price.offer import Level, Limits, PercentBase, StackScope
from shared.price.reward import (
    AddOn,
    AmountOff,
    AmountOffEach,
    BundlePrice,
    BuyGet,
    Gift,
    GroupEach,
    GroupOrder,
    NthUnit,
    Pairing,
    PercentOff,
    SetPrice,
    Slot,
    Step,
    TierBy,
    Tiers,
)
from tests.unit.shared.price.pricing import given, in_group, line, offer, priced, skus

MEMBER = PriceContext(MemberStanding("m-1"), orders_before=4)


def test_a_gift_for_some_members_is_none_for_others_though_it_asks_for_list_prices() -> None:
    goods = [line(1, 250, 3)]
    staff = ForMember(groups=frozenset({"staff"}))
    for needs in (staff, OrderNo(1)):
        for reward in (Gift(), AddOn(100)):
            gift = offer("gift", reward, needs, target=Selector(undiscounted=True))
            assert priced(goods, gift, context=MEMBER).nets == (750,)


def test_gifts_do_not_count_towards_the_pieces_that_earn_them() -> None:
    gift = offer("gift", Gift(), MinQty(ALL, 3000), target=skus("s2"))
    assert priced([line(1, 100, 2), line(2, 50)], gift).nets == (200, 50)
    assert priced([line(1, 100, 3), line(2, 50)], gift).nets == (300, 0)


def test_pieces_that_cost_less_already_do_not_use_up_an_add_on() -> None:
    grams = PriceLine(2, "s2", 3, 199, is_weighed=True)
    assert grams.gross_minor == 1
    assert priced([line(1, 38), grams], offer("add", AddOn(58, max_units=1))).nets == (38, 0)


def test_a_set_without_room_neither_uses_units_up_nor_counts_for_the_limit() -> None:
    goods = [line(1, 500, 2, floor_unit_minor=500), line(2, 300, 2)]
    pair = offer("pair", SetPrice(2, 400), limits=Limits(max_times=1), priority=1)
    assert given(priced(goods, pair)) == {"pair": 200}
    later = offer("later", NthUnit(2, 5000), target=skus("s1"), ignores_floor=True)
    assert given(priced(goods, pair, later)) == {"pair": 200, "later": 250}


def test_an_offer_that_may_not_act_does_not_decide_when_its_group_acts() -> None:
    goods = [line(1, 636, 3)]
    fifth = offer("fifth", PercentOff(2000), stack=in_group("g", StackScope.LINE))
    third = offer("third", NthUnit(3, 3333), priority=5, target=Selector(undiscounted=True))
    staff = offer(
        "staff",
        PercentOff(500),
        ForMember(groups=frozenset({"staff"})),
        level=Level.PRICE,
        stack=in_group("g", StackScope.LINE),
    )
    assert priced(goods, fifth, third).nets == priced(goods, fifth, third, staff).nets


def test_a_line_of_no_quantity_lends_no_unit() -> None:
    goods = [line(1, 100, 0), line(2, 199, 3)]
    pairs = offer("pairs", BuyGet(Slot(ALL), Slot(ALL), bp=10_000))
    assert given(priced(goods, pairs)) == {"pairs": 199}
    assert priced(goods, offer("four", SetPrice(4, 100))).nets == (0, 597)
    assert priced(goods, offer("tier", Tiers(TierBy.QTY, (Step(4, bp=1000),)))).nets == (0, 597)


def test_units_are_picked_after_all_that_came_off_the_whole_line() -> None:
    tiny = offer("tiny", PercentOff(1), level=Level.PRICE, stack=in_group("g"))
    half = offer("half", PercentOff(5000, max_units=1), level=Level.PRICE)
    fifth = offer("fifth", PercentOff(2000), level=Level.BASKET)
    one = offer("one", AmountOff(1, max_units=1), level=Level.BASKET)
    assert priced([line(1, 1, 4)], tiny, half, fifth, one).nets == (1,)


def test_list_shares_of_untouched_units_are_what_the_units_cost() -> None:
    pair = BuyGet(Slot(ALL), Slot(ALL), bp=5000)
    goods = [line(1, 5, 2, list_minor=9)]
    of_list = offer("pair", pair, percent_base=PercentBase.LIST)
    assert priced(goods, of_list).nets == priced(goods, offer("pair", pair)).nets == (7,)


def test_a_bundle_takes_the_dearest_units_that_fill_its_places() -> None:
    goods = [line(1, 13, 2), line(2, 11), line(3, 1000)]
    both = offer("both", BundlePrice(10, (Slot(ALL), Slot(skus("s2", "s3")))))
    # 1000 with 13, then 11 with 13: not 1000 with 11, which leaves both 13 alone.
    assert priced(goods, both).nets == (5, 5, 10)


def test_the_largest_line_gives_its_dearest_units_first() -> None:
    goods = [line(1, 100, 3), line(2, 300, 2)]
    one = offer("one", AmountOffEach(40, max_units=1), priority=1, target=skus("s2"))
    groups = offer("twos", GroupEach(2, bp=1000, order=GroupOrder.LARGEST_LINE_FIRST))
    # All of s1, and of 260 and 300 the latter.
    assert given(priced(goods, one, groups)) == {"one": 40, "twos": 60}


def test_pairs_dearest_first_discount_the_cheaper_of_each() -> None:
    nth = offer("nth", NthUnit(2, 10_000, Pairing.DESC_GROUPS))
    assert priced([line(1, 10), line(2, 40), line(3, 30), line(4, 20)], nth).nets == (0, 40, 0, 20)
