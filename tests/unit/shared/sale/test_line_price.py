from __future__ import annotations

from shared.sale.line_price import (
    MemberPrice,
    PriceModifier,
    StatedMemberAmount,
    StoreCoupon,
    modifiers_of,
)


def test_no_rule_changes_nothing() -> None:
    assert modifiers_of(500, 1000, ()) == ()


def test_a_member_pays_the_member_price() -> None:
    assert modifiers_of(1000, 2000, [MemberPrice(399)]) == (
        PriceModifier("member_price", -202, "price_book"),
    )


def test_a_weighed_saving_is_the_difference_of_two_rounded_amounts() -> None:
    # 0.333 kg: 5.01 -> 1.67 and 4.00 -> 1.33; the difference 0.34 is not 0.333 x 1.01.
    assert modifiers_of(167, 333, [MemberPrice(400)])[0].amount_minor == -34


def test_a_member_price_above_the_regular_one_does_nothing() -> None:
    assert modifiers_of(500, 1000, [MemberPrice(501)]) == ()
    assert modifiers_of(500, 1000, [MemberPrice(500)]) == ()
    assert modifiers_of(500, 1000, [StatedMemberAmount(600)]) == ()


def test_a_member_price_of_nought_gives_the_line_away() -> None:
    assert modifiers_of(500, 1000, [MemberPrice(0)])[0].amount_minor == -500


def test_a_stated_amount_is_for_the_whole_line() -> None:
    assert modifiers_of(1000, 3000, [StatedMemberAmount(800)]) == (
        PriceModifier("member_price", -200, "override"),
    )


def test_a_coupon_takes_no_more_than_is_there() -> None:
    assert modifiers_of(300, 1000, [StoreCoupon(500, "c1")]) == (
        PriceModifier("store_coupon", -300, "coupon", "c1"),
    )


def test_each_rule_sees_what_the_earlier_ones_left() -> None:
    found = modifiers_of(
        500, 1000, [MemberPrice(100), StoreCoupon(250, "c1"), StoreCoupon(1, "c2")]
    )
    assert [modifier.amount_minor for modifier in found] == [-400, -100]
