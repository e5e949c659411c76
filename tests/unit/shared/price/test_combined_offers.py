"""Offers that meet on the same goods: what each leaves the next, unit by unit."""

from __future__ import annotations

import pytest

from shared.price.condition import ALL, Condition, ForMember, MinQty, MinSpend, Selector
from shared.price.context import (
    Allocation,
    MemberStanding,
    PriceContext,
    PricePolicy,
    Rounding,
)
from shared.price.derive import derive
from shared.price.explain import derive_and_hint, hints
from shared.price.offer import BudgetPolicy, Level, Limits, Offer, StackScope, Validity
from shared.price.offer_book import OfferBook
from shared.price.reward import (
    AddOn,
    AmountOff,
    AmountOffEach,
    BuyGet,
    Every,
    GroupEach,
    NthUnit,
    PercentOff,
    Pick,
    PriceEach,
    Reward,
    SetPrice,
    Slot,
    Step,
    TierBy,
    Tiers,
)
from tests.unit.shared.price.pricing import (
    NOBODY,
    NOON,
    explained,
    given,
    hinted,
    in_group,
    line,
    offer,
    priced,
    refused,
    skus,
)

HALF = 5_000
FREE = 10_000


def basket(name: str, reward: Reward, *when: Condition, **more: object) -> Offer:
    return offer(name, reward, *when, level=Level.BASKET, **more)


def test_what_came_off_whole_lines_is_shared_by_what_each_unit_still_costs() -> None:
    # 100 100 100 -> 50 100 100 -> 10 % of 250: 45 90 90 -> 10 % of 225 is 23: 40 81 81.
    found = priced(
        [line(1, 100, 3)],
        offer("one half", PercentOff(HALF, max_units=1), priority=9),
        offer("a tenth", PercentOff(1000), priority=8),
        offer("a tenth more", PercentOff(1000), priority=7),
        offer("third free", NthUnit(3, FREE)),
    )
    assert given(found) == {"one half": 50, "a tenth": 25, "a tenth more": 23, "third free": 40}
    assert found.nets == (162,)


def test_units_of_all_earlier_sets_stay_used_up() -> None:
    twice = Limits(max_times=1)
    found = priced(
        [line(1, 100, 5)],
        offer("first pair", SetPrice(2, 150), priority=9, limits=twice),
        offer("second pair", SetPrice(2, 160), priority=8, limits=twice),
        offer("second unit half", NthUnit(2, HALF)),
    )
    assert given(found) == {"first pair": 50, "second pair": 40}


def test_a_group_is_judged_by_what_the_rest_then_reaches() -> None:
    """1000 off all leaves tea at 49.50, which misses the 50.00 of the later offer; 900 does not."""
    lines = [line(1, 5500, category="tea"), line(2, 4500)]
    tea = Selector(categories=frozenset({"tea"}))
    found = priced(
        lines,
        basket("more", AmountOff(1000), stack=in_group("g"), priority=9),
        basket("less", AmountOff(900), stack=in_group("g"), priority=9),
        basket("tea", Every(5000, 500), target=tea),
    )
    assert given(found) == {"less": 900, "tea": 500}


def test_two_lumps_off_all_goods_count_before_a_tier_of_all_goods() -> None:
    """100.00 - 10.00 - 5.00 misses 90.00: the smaller first one leaves more in the end."""
    steps = Tiers(TierBy.SPEND, (Step(9000, amount=800),))
    found = priced(
        [line(1, 6000), line(2, 4000)],
        basket("ten", AmountOff(1000), stack=in_group("g"), priority=9),
        basket("five", AmountOff(500), stack=in_group("g"), priority=9),
        basket("always", AmountOff(500), priority=8),
        basket("tier", steps),
    )
    assert given(found) == {"five": 500, "always": 500, "tier": 800}


def test_many_groups_are_chosen_well_without_trying_all_combinations() -> None:
    """Four members in each of five groups are 3,125 combinations; none disturbs another."""
    offers = [
        basket(f"{group}{off}", AmountOff(off), stack=in_group(group))
        for group in "abcde"
        for off in (100, 400, 300, 200)
    ]
    found = priced([line(1, 9000), line(2, 5000)], *offers)
    assert given(found) == {f"{group}400": 400 for group in "abcde"}


def test_many_groups_give_up_a_member_that_costs_more_than_it_gives() -> None:
    """The later offer wants 100.00 left; each group's dearer member would take it below."""
    offers = [
        basket(f"{group}{off}", AmountOff(off), stack=in_group(group), priority=9)
        for group in "abcde"
        for off in (10, 20, 30, 40)
    ]
    late = basket("late", AmountOff(5000), MinSpend(ALL, 10_000))
    found = priced([line(1, 10_170)], *offers, late)
    assert given(found)["late"] == 5000
    assert found.discount_minor == 5170


def test_a_line_that_took_another_member_leaves_the_loser_beaten() -> None:
    by_line = in_group("g", StackScope.LINE)
    found = explained(
        [line(1, 1000)],
        offer("fifth", PercentOff(2000), stack=by_line),
        offer("tenth", PercentOff(1000), stack=by_line),
    )
    assert given(found.derivation) == {"fifth": 200}
    assert refused(found)["tenth"][0] == "beaten"


def test_each_share_tells_how_many_units_it_touched() -> None:
    found = priced([line(1, 100, 3)], offer("one", PercentOff(HALF, max_units=1)))
    assert [share.units for share in found.applied[0].shares] == [1]
    found = priced([line(1, 100, 3)], offer("all", PercentOff(HALF)))
    assert [share.units for share in found.applied[0].shares] == [3]


def test_sets_are_counted() -> None:
    found = priced([line(1, 100, 5)], offer("pairs", NthUnit(2, HALF)))
    assert [applied.times for applied in found.applied] == [2]


def test_a_percentage_that_just_meets_its_cap_is_rounded_line_by_line() -> None:
    lines = [line(1, 5), line(2, 5), line(3, 5), line(4, 94)]
    assert priced(lines, offer("o", PercentOff(1000, cap=12))).nets == (4, 4, 4, 85)
    assert priced(lines, offer("o", PercentOff(1000, cap=11))).discount_minor == 11


def test_a_capped_percentage_of_some_units_is_shared_among_them() -> None:
    found = priced(
        [line(1, 300), line(2, 100, 2)],
        offer("o", PercentOff(HALF, cap=100, max_units=2, pick=Pick.DEAREST)),
    )
    assert found.nets == (225, 175)


def test_a_cap_that_some_units_just_meet_changes_nothing() -> None:
    lines = [line(1, 5, 2), line(2, 5, 2), line(3, 5, 2), line(4, 94, 2)]
    reward = PercentOff(1000, cap=12, max_units_per_line=1)
    assert priced(lines, offer("o", reward)).nets == (9, 9, 9, 179)


MEMBER_LIMIT = Limits(per_member_units=3)
MEMBER = PriceContext(member=MemberStanding("m"))


@pytest.mark.parametrize(
    ("reward", "discount"),
    [
        (SetPrice(2, 150), 50),  # one pair; the second would be the fourth unit
        (GroupEach(2, amount=10), 20),
        (NthUnit(2, HALF), 150),  # three units half, of four pairs
        (BuyGet(Slot(ALL), Slot(ALL), bp=FREE), 300),
        (PercentOff(1000), 30),
        (AmountOff(90), 90),
        (AmountOffEach(10), 30),
        (PriceEach(90), 30),
        (AddOn(90, max_units=5), 30),
        (AddOn(90, max_units=2), 20),
    ],
)
def test_a_member_gets_no_more_units_than_are_left(reward: Reward, discount: int) -> None:
    found = priced([line(1, 100, 8)], offer("o", reward, limits=MEMBER_LIMIT), context=MEMBER)
    assert found.discount_minor == discount


def test_a_member_who_had_some_units_gets_the_others() -> None:
    context = PriceContext(member=MemberStanding("m"), member_units={"o": 2})
    found = priced(
        [line(1, 100, 8)], offer("o", SetPrice(1, 90), limits=MEMBER_LIMIT), context=context
    )
    assert found.discount_minor == 10


def test_two_sets_on_one_line_share_the_room_above_its_floor() -> None:
    """Four at 1.00 with a floor of 0.80 have 0.80 of room; each pair would take 0.60."""
    found = priced([line(1, 100, 4, floor_unit_minor=80)], offer("o", SetPrice(2, 140)))
    assert found.nets == (320,)


def test_a_set_passes_what_a_floored_line_cannot_give_to_the_other() -> None:
    lines = [line(1, 100, floor_unit_minor=90), line(2, 100)]
    assert priced(lines, offer("o", SetPrice(2, 140))).nets == (90, 50)


def test_what_costs_nothing_is_no_gift_of_a_pair() -> None:
    found = priced(
        [line(1, 100), line(2, 0), line(3, 50)],
        offer("o", BuyGet(Slot(skus("s1")), Slot(skus("s2", "s3")), bp=FREE)),
    )
    assert found.nets == (100, 0, 0)


def test_the_last_round_gives_only_the_units_that_the_limit_leaves() -> None:
    buy, get = Slot(skus("s1")), Slot(skus("s2"), qty=2)
    found = priced(
        [line(1, 100, 4), line(2, 50, 8)],
        offer("o", BuyGet(buy, get, bp=FREE, max_get_units=3)),
    )
    assert found.nets == (400, 250)
    assert found.applied[0].times == 2


def test_a_pair_stops_where_its_rounds_are_limited() -> None:
    buy, get = Slot(skus("s1")), Slot(skus("s2"))
    found = priced(
        [line(1, 100, 4), line(2, 50, 8)],
        offer("o", BuyGet(buy, get, amount_each=20), limits=Limits(max_times=3)),
    )
    assert found.nets == (400, 340)


def test_a_special_price_that_is_dearer_says_so_for_weighed_goods_too() -> None:
    cheese = line(1, 200, 1).__class__(1, "cheese", 1500, 200, is_weighed=True)
    found = explained([cheese], offer("o", PriceEach(200)))
    assert refused(found) == {"o": ("not_cheaper", {"amount_minor": 200})}
    floored = cheese.__class__(1, "c", 1500, 200, is_weighed=True, floor_unit_minor=200)
    assert refused(explained([floored], offer("o", PriceEach(199)))) == {"o": ("no_room", {})}


def test_a_gift_that_was_scanned_is_no_longer_hinted_at() -> None:
    wanted = MinSpend(ALL, 10_000)
    add_on = offer("o", AddOn(90), wanted, target=skus("s1"))
    assert hinted(explained([line(1, 100), line(2, 500)], add_on)) == []


def test_the_top_tier_leaves_nothing_to_hint_at() -> None:
    tiers = offer("o", Tiers(TierBy.QTY, (Step(2, bp=500), Step(4, bp=1000))))
    codes = {
        pieces: [code for _, code, _ in hinted(explained([line(1, 100, pieces)], tiers))]
        for pieces in (2, 3, 4, 5)
    }
    assert codes == {2: ["next_qty"], 3: ["next_qty"], 4: [], 5: []}


def test_in_a_large_group_a_member_that_no_line_took_is_told_so() -> None:
    """Beyond six members lines choose among all at once."""
    by_line = in_group("g", StackScope.LINE)
    offers = [
        offer("a", PercentOff(3000), stack=by_line, target=skus("s1")),
        offer("b", PercentOff(3000), stack=by_line, target=skus("s2")),
        *(offer(f"c{n}", PercentOff(100 * n), stack=by_line) for n in range(1, 6)),
    ]
    found = explained([line(1, 1000), line(2, 1000)], *offers)
    assert given(found.derivation) == {"a": 300, "b": 300}
    assert {code for code, _ in refused(found).values()} == {"beaten_by_line"}


def test_a_group_names_its_winner_and_not_what_gave_most() -> None:
    found = explained(
        [line(1, 10_000)],
        basket("big", AmountOff(3000)),
        basket("winner", AmountOff(200), stack=in_group("g")),
        basket("loser", AmountOff(150), stack=in_group("g")),
    )
    assert refused(found) == {"loser": ("beaten", {"offer": "winner", "more_minor": 50})}


def test_of_two_near_misses_the_nearer_comes_first() -> None:
    found = explained(
        [line(1, 9000)],
        basket("a", AmountOff(100), MinSpend(ALL, 10_000)),
        basket("b", AmountOff(100), MinSpend(ALL, 9500)),
        basket("c", AmountOff(100), MinSpend(ALL, 9900)),
    )
    assert [name for name, _, _ in hinted(found)] == ["b", "c", "a"]


def test_a_tier_that_is_reached_may_find_no_room() -> None:
    tiers = basket("o", Tiers(TierBy.SPEND, (Step(100, amount=10),)))
    found = explained([line(1, 100, floor_unit_minor=100)], tiers)
    assert refused(found) == {"o": ("no_room", {})}


def test_missing_pieces_are_a_whole_number() -> None:
    found = explained([line(1, 100)], basket("o", AmountOff(10), MinQty(ALL, 3000)))
    ((_, params),) = refused(found).values()
    assert str(params["missing"]) == "2"


def test_floors_leave_the_odd_minor_unit_where_the_house_wants_it() -> None:
    lines = [line(1, 10, floor_unit_minor=1), line(2, 10), line(3, 10)]
    nets = {
        rule: priced(lines, basket("o", AmountOff(2)), policy=PricePolicy(allocation=rule)).nets
        for rule in Allocation
    }
    assert nets == {
        Allocation.LARGEST_REMAINDER: (9, 9, 10),
        Allocation.FIRST_LINE: (9, 9, 10),
        Allocation.LAST_LINE: (10, 10, 8),
    }


def test_a_till_shows_what_is_priced_and_hinted_at_one_by_one() -> None:
    lines = [line(1, 15), line(2, 15)]
    book = OfferBook.of(
        [offer("o", PercentOff(1000)), basket("p", AmountOff(5), MinSpend(ALL, 30))]
    )
    policy = PricePolicy(rounding=Rounding.FLOOR)
    found, near = derive_and_hint(lines, book, NOBODY, NOON, policy)
    assert found == derive(lines, book, NOBODY, NOON, policy)
    assert near == hints(lines, book, NOBODY, NOON, policy)
    assert [hint.code for hint in near] == ["spend"]
    assert found.nets == (14, 14)


def test_all_rounds_of_a_pair_use_their_units_up() -> None:
    pairs = offer("pairs", BuyGet(Slot(skus("s1")), Slot(skus("s2")), bp=FREE), priority=9)
    later = offer("later", SetPrice(3, 200), target=skus("s1"))
    found = priced([line(1, 100, 4), line(2, 50, 2)], pairs, later)
    assert given(found) == {"pairs": 100}


def test_groups_of_units_are_counted() -> None:
    found = priced([line(1, 100, 5)], offer("o", GroupEach(2, amount=10)))
    assert [applied.times for applied in found.applied] == [2]


def test_a_spend_that_is_short_by_one_minor_unit_is_short() -> None:
    found = explained([line(1, 99)], basket("o", Every(100, 5)))
    assert refused(found) == {"o": ("spend", {"short_minor": 1, "amount_minor": 100})}


def test_an_offer_may_mean_only_what_was_lowered_before() -> None:
    lowered = Selector(exclude=Selector(undiscounted=True))
    found = priced(
        [line(1, 100), line(2, 100)],
        offer("first", PercentOff(1000), target=skus("s1"), priority=9),
        offer("again", PercentOff(1000), target=lowered),
    )
    assert found.nets == (81, 100)


def test_a_line_takes_a_member_that_gives_one_minor_unit() -> None:
    by_line = in_group("g", StackScope.LINE)
    found = priced([line(1, 10)], offer("o", PercentOff(1000), stack=by_line))
    assert given(found) == {"o": 1}


def test_a_clipped_budget_leaves_the_odd_minor_unit_where_the_house_wants_it() -> None:
    limits = Limits(budget_left=5, budget_policy=BudgetPolicy.CLIP)
    lines = [line(1, 100), line(2, 100)]
    clipped = offer("o", PercentOff(1000), limits=limits)
    assert priced(lines, clipped).nets == (97, 98)
    last = PricePolicy(allocation=Allocation.LAST_LINE)
    assert priced(lines, clipped, policy=last).nets == (98, 97)


def test_an_offer_with_two_thresholds_waits_for_what_a_group_takes() -> None:
    late = basket(
        "late",
        AmountOff(300),
        MinSpend(skus("s1"), 5000),
        MinSpend(skus("s2"), 1),
        target=skus("s3"),
    )
    group = basket("g", AmountOff(1000), target=skus("s1"), stack=in_group("g"), priority=9)
    found = priced([line(1, 5500), line(2, 100), line(3, 900)], group, late)
    assert given(found) == {"g": 1000}


def test_of_two_missing_pieces_the_fewer_come_first() -> None:
    found = explained(
        [line(1, 100, 3)],
        basket("a", AmountOff(10), MinQty(ALL, 5000)),
        basket("b", AmountOff(10), MinQty(ALL, 4000)),
    )
    assert [name for name, _, _ in hinted(found)] == ["b", "a"]


def test_near_misses_know_the_hour_and_the_member() -> None:
    lines = [line(1, 90)]
    closed = Validity(daily=((0, 60),))
    book = OfferBook.of(
        [
            basket("closed", AmountOff(5), MinSpend(ALL, 100), valid=closed),
            basket("members", AmountOff(5), ForMember(), MinSpend(ALL, 100)),
        ]
    )
    for near in (hints(lines, book, MEMBER, NOON), derive_and_hint(lines, book, MEMBER, NOON)[1]):
        assert [(hint.offer.id, hint.code) for hint in near] == [("members", "spend")]
