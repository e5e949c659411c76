"""One offer against another, by what they say: which acts wherever, and which gives no less."""

from __future__ import annotations

from typing import Any

import pytest

from shared.price.condition import (
    ALL,
    Condition,
    Contains,
    Distinct,
    ForMember,
    MinQty,
    MinSpend,
    OrderNo,
    Selector,
    SpendBasis,
)
from shared.price.lint_catalogue import Catalogue, LintItem
from shared.price.lint_compare import acts_wherever, gives_at_least
from shared.price.lint_subject import Subject, Survey
from shared.price.offer import Level, Limits, Offer, PercentBase, Stack, StackMode, StackScope
from shared.price.reward import (
    AddOn,
    AmountOff,
    AmountOffEach,
    AmountOffLine,
    Every,
    Gift,
    NthUnit,
    PercentOff,
    PriceEach,
    Reward,
    SetPrice,
    Step,
    TierBy,
    Tiers,
)

CATALOGUE = Catalogue(
    (
        LintItem("tea", 1000, category="drink"),
        LintItem("cola", 300, category="drink"),
        LintItem("bread", 500, category="food"),
        LintItem("ham", 12_990, category="deli", is_weighed=True),
    )
)
DRINKS = Selector(categories=frozenset({"drink"}))
TEA = Selector(skus=frozenset({"tea"}))
FRESH = Selector(undiscounted=True)
BY_LINE = Stack(StackMode.BEST_OF, "g", StackScope.LINE)


def an_offer(reward: Reward, *when: Condition, **more: Any) -> Offer:
    return Offer(
        "x", more.pop("level", Level.BASKET), reward, more.pop("target", ALL), when, **more
    )


def subject(offer: Offer) -> Subject:
    (found,) = Survey([offer], CATALOGUE).subjects
    return found


def is_wherever(strong: Offer, weak: Offer, *, but_steps: bool = False) -> bool:
    return acts_wherever(subject(strong), subject(weak), CATALOGUE, but_steps=but_steps)


def is_no_less(strong: Offer, weak: Offer) -> bool | None:
    return gives_at_least(subject(strong), subject(weak), CATALOGUE)


GOLD, STAFF = frozenset({"gold"}), frozenset({"staff"})


@pytest.mark.parametrize(
    ("needs", "has", "is_implied"),
    [
        (MinSpend(ALL, 100), MinSpend(ALL, 100), True),
        (MinSpend(ALL, 100), MinSpend(ALL, 99), False),
        (MinSpend(ALL, 100), MinSpend(ALL, 99, is_strict=True), True),
        (MinSpend(ALL, 100, is_strict=True), MinSpend(ALL, 100), False),
        (MinSpend(ALL, 100, is_strict=True), MinSpend(ALL, 101), True),
        (MinSpend(ALL, 100), MinSpend(DRINKS, 100), True),
        (MinSpend(DRINKS, 100), MinSpend(ALL, 100), False),
        (MinSpend(ALL, 100, basis=SpendBasis.LIST), MinSpend(ALL, 100), True),
        (MinSpend(ALL, 100), MinSpend(ALL, 100, basis=SpendBasis.LIST), False),
        (MinSpend(FRESH, 100), MinSpend(FRESH, 200), True),
        (MinSpend(FRESH, 100), MinSpend(ALL, 200), False),
        (MinSpend(ALL, 100), MinSpend(FRESH, 200), False),
        (MinQty(ALL, 2000), MinQty(ALL, 3000), True),
        (MinQty(ALL, 3000), MinQty(ALL, 2000), False),
        (MinQty(ALL, 500, "kg"), MinQty(ALL, 1000, "kg"), True),
        (MinQty(ALL, 500, "kg"), MinQty(ALL, 1000), False),
        (Distinct(ALL, 2), Distinct(DRINKS, 2), True),
        (Distinct(ALL, 3), Distinct(DRINKS, 2), False),
        (Contains(DRINKS), Contains(TEA), True),
        (Contains(TEA), Contains(DRINKS), False),
        (Contains(ALL), MinQty(TEA, 1000), True),
        (MinQty(ALL, 1000), Contains(ALL), False),
        (MinQty(ALL, 1000), MinSpend(ALL, 100), False),
        (ForMember(), ForMember(GOLD), True),
        (ForMember(GOLD), ForMember(), False),
        (ForMember(GOLD), ForMember(GOLD, STAFF), True),
        (ForMember(GOLD | {"silver"}), ForMember(GOLD), True),
        (ForMember(GOLD), ForMember(GOLD | {"silver"}), False),
        (ForMember(groups=STAFF), ForMember(GOLD), False),
        (ForMember(), OrderNo(1), True),
        (ForMember(GOLD), OrderNo(1), False),
        (ForMember(groups=STAFF), OrderNo(1), False),
        (OrderNo(1), OrderNo(1), True),
        (OrderNo(1), OrderNo(2), False),
        (OrderNo(1), ForMember(), False),
        (ForMember(), MinSpend(ALL, 1), False),
        (Contains(ALL), ForMember(), False),
    ],
)
def test_a_condition_holds_where_a_stricter_one_does(
    needs: Condition, has: Condition, is_implied: bool
) -> None:
    reward = SetPrice(2, 100)
    assert is_wherever(an_offer(reward, needs), an_offer(reward, has)) is is_implied


def test_every_condition_must_be_implied_by_some_condition() -> None:
    one = an_offer(Gift(), MinSpend(ALL, 100), ForMember())
    assert is_wherever(one, an_offer(Gift(), ForMember(GOLD), MinSpend(ALL, 200)))
    assert not is_wherever(one, an_offer(Gift(), MinSpend(ALL, 200)))
    assert is_wherever(an_offer(Gift()), an_offer(Gift(), MinSpend(ALL, 200)))


@pytest.mark.parametrize(
    ("weak", "needs", "is_implied"),
    [
        (Every(100, 5), MinSpend(ALL, 100), True),
        (Every(100, 5), MinSpend(ALL, 101), False),
        (Tiers(TierBy.SPEND, (Step(100, amount=5), Step(200, amount=9))), MinSpend(ALL, 100), True),
        (
            Tiers(TierBy.SPEND, (Step(100, amount=5), Step(200, amount=9))),
            MinSpend(ALL, 200),
            False,
        ),
        (Tiers(TierBy.QTY, (Step(3, amount=5),)), MinQty(ALL, 3000), True),
        (Tiers(TierBy.QTY, (Step(3, amount=5),)), MinQty(ALL, 3001), False),
        (Tiers(TierBy.QTY, (Step(3, amount=5),)), MinSpend(ALL, 3), False),
    ],
)
def test_what_the_first_step_demands_is_a_condition_too(
    weak: Reward, needs: Condition, is_implied: bool
) -> None:
    assert is_wherever(an_offer(SetPrice(1, 1), needs), an_offer(weak)) is is_implied


def test_a_threshold_that_is_compared_as_a_step_is_left_to_that() -> None:
    strong = an_offer(AmountOff(9), MinSpend(ALL, 100))
    weak = an_offer(AmountOff(5))
    assert not is_wherever(strong, weak)
    assert is_wherever(strong, weak, but_steps=True)
    of_list = an_offer(AmountOff(9), MinSpend(ALL, 100, basis=SpendBasis.LIST))
    assert not is_wherever(of_list, weak, but_steps=True)
    elsewhere = an_offer(AmountOff(9), MinSpend(DRINKS, 100))
    assert not is_wherever(elsewhere, weak, but_steps=True)
    assert not is_wherever(strong, an_offer(Gift()), but_steps=True)


@pytest.mark.parametrize(
    ("strong", "weak", "is_it"),
    [
        ({}, {"coupon": "C"}, True),
        ({"coupon": "C"}, {"coupon": "C"}, True),
        ({"coupon": "C"}, {}, False),
        ({"target": ALL}, {"target": DRINKS}, True),
        ({"target": DRINKS}, {"target": ALL}, False),
        ({"limits": Limits(max_times=2)}, {"limits": Limits(max_times=2)}, True),
        ({"limits": Limits(max_times=1)}, {"limits": Limits(max_times=2)}, False),
        ({"limits": Limits(max_times=1)}, {}, False),
        ({"limits": Limits(per_member=1)}, {}, False),
        ({"limits": Limits(per_member_units=1)}, {}, False),
        ({"limits": Limits(budget_left=1)}, {}, False),
        ({}, {"limits": Limits(1, 1, 1, 1)}, True),
    ],
)
def test_a_stricter_offer_does_not_act_wherever_a_looser_one_does(
    strong: dict[str, Any], weak: dict[str, Any], is_it: bool
) -> None:
    assert is_wherever(an_offer(Gift(), **strong), an_offer(Gift(), **weak)) is is_it


def amount(off: int, *when: Condition, **more: Any) -> Offer:
    return an_offer(AmountOff(off), *when, **more)


def percent(bp: int, *when: Condition, **more: Any) -> Offer:
    return an_offer(PercentOff(bp), *when, **more)


def tiers(*steps: Step) -> Offer:
    return an_offer(Tiers(TierBy.SPEND, steps))


@pytest.mark.parametrize(
    ("strong", "weak", "is_it"),
    [
        (amount(9), amount(9), True),
        (amount(8), amount(9), False),
        (amount(9, MinSpend(ALL, 100)), amount(9, MinSpend(ALL, 100)), True),
        (amount(9, MinSpend(ALL, 101)), amount(9, MinSpend(ALL, 100)), False),
        (amount(9, MinSpend(ALL, 100, is_strict=True)), amount(9, MinSpend(ALL, 100)), False),
        (percent(1000), percent(999), True),
        (percent(999), percent(1000), False),
        (percent(1000), amount(10, MinSpend(ALL, 100)), True),
        (percent(1000), amount(11, MinSpend(ALL, 100)), False),
        (amount(10), percent(1), False),
        (tiers(Step(100, amount=5), Step(200, amount=20)), amount(20, MinSpend(ALL, 200)), True),
        (tiers(Step(100, amount=5), Step(200, amount=20)), amount(21, MinSpend(ALL, 200)), False),
        (amount(20), tiers(Step(100, amount=5), Step(200, amount=20)), True),
        (amount(19), tiers(Step(100, amount=5), Step(200, amount=20)), False),
        (amount(9), amount(9, target=DRINKS), True),
        (amount(9, target=DRINKS), amount(9), True),
        (amount(9, stack=BY_LINE), amount(5, target=DRINKS, stack=BY_LINE), False),
        (percent(1000, stack=BY_LINE), percent(500, target=DRINKS, stack=BY_LINE), False),
        (an_offer(Every(100, 9)), an_offer(Every(100, 9)), True),
        (an_offer(Every(99, 9)), an_offer(Every(100, 9)), True),
        (an_offer(Every(101, 9)), an_offer(Every(100, 9)), False),
        (an_offer(Every(100, 8)), an_offer(Every(100, 9)), False),
        (an_offer(Every(100, 9, 2)), an_offer(Every(100, 9, 3)), False),
        (an_offer(Every(100, 9)), an_offer(Every(100, 9, 3)), True),
        (an_offer(SetPrice(2, 100)), an_offer(SetPrice(2, 100)), True),
        (an_offer(SetPrice(2, 99)), an_offer(SetPrice(2, 100)), True),
        (an_offer(SetPrice(2, 101)), an_offer(SetPrice(2, 100)), False),
        (an_offer(SetPrice(3, 100)), an_offer(SetPrice(2, 100)), False),
        (an_offer(AddOn(99)), an_offer(AddOn(100)), True),
        (an_offer(AddOn(101)), an_offer(AddOn(100)), False),
        (an_offer(NthUnit(2, 5000)), an_offer(NthUnit(2, 4000)), True),
        (an_offer(NthUnit(2, 4000)), an_offer(NthUnit(2, 5000)), False),
        (an_offer(NthUnit(3, 5000)), an_offer(NthUnit(2, 5000)), False),
        (an_offer(Gift(2)), an_offer(Gift(1)), True),
        (an_offer(Gift(1)), an_offer(Gift(2)), False),
        (an_offer(PercentOff(500, cap=9)), an_offer(PercentOff(500, cap=9)), True),
        (an_offer(PercentOff(500, cap=8)), an_offer(PercentOff(500, cap=9)), False),
        (percent(500), an_offer(PercentOff(500, cap=9)), True),
        (an_offer(PercentOff(500, cap=9)), percent(500), False),
        (an_offer(Gift(), target=ALL), an_offer(Gift(), target=DRINKS), False),
    ],
)
def test_a_reward_gives_no_less_when_all_its_words_are_as_good(
    strong: Offer, weak: Offer, is_it: bool
) -> None:
    assert is_no_less(strong, weak) is is_it


LINE_LEVEL = {"level": Level.LINE, "target": DRINKS}


@pytest.mark.parametrize(
    ("strong", "weak", "is_it"),
    [
        (AmountOffEach(100), PercentOff(1000), True),  # tea 100, cola 30
        (AmountOffEach(99), PercentOff(1000), False),
        (PriceEach(250), AmountOffEach(50), True),  # tea 750, cola 50
        (PriceEach(251), AmountOffEach(50), False),
        (PriceEach(900), AmountOffEach(1), False),
        (PercentOff(5000), AmountOffEach(150), True),  # cola 150
        (PercentOff(4999), AmountOffEach(150), False),
        (PercentOff(10_000), AmountOffEach(5000), True),  # no unit below nought
        (PercentOff(500, max_units=1), AmountOffEach(1), None),
        (AmountOffLine(50), AmountOffEach(1), None),
    ],
)
def test_cuts_per_unit_are_compared_at_list_prices(
    strong: Reward, weak: Reward, is_it: bool | None
) -> None:
    one, other = an_offer(strong, **LINE_LEVEL), an_offer(weak, **LINE_LEVEL)
    assert is_no_less(one, other) is is_it


def test_more_goods_only_help_where_each_unit_counts_alone() -> None:
    narrow = {"level": Level.LINE, "target": TEA, "stack": BY_LINE}
    wide = {"level": Level.LINE, "target": DRINKS, "stack": BY_LINE}
    for reward in (PercentOff(500), AmountOffEach(5), AmountOffLine(5), PriceEach(5)):
        assert is_no_less(an_offer(reward, **wide), an_offer(reward, **narrow)) is True
    for reward in (PercentOff(500, cap=9), AmountOff(5), Every(5, 1), NthUnit(2, 5)):
        assert is_no_less(an_offer(reward, **wide), an_offer(reward, **narrow)) is False


def test_nobody_can_say_across_levels_bases_floors_and_weights() -> None:
    plain = percent(1000)
    assert is_no_less(plain, percent(500, level=Level.LINE)) is None
    assert is_no_less(plain, percent(500, percent_base=PercentBase.LIST)) is None
    assert is_no_less(plain, percent(500, ignores_floor=True)) is None
    assert is_no_less(percent(1000, ignores_floor=True), percent(500)) is True
    weighed = an_offer(AmountOffEach(1), level=Level.LINE)
    assert is_no_less(an_offer(PercentOff(500), level=Level.LINE), weighed) is None
