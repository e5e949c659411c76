"""What must hold whatever the offers are."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from shared.kernel.quantity import extended_minor
from shared.price.context import PriceContext, PriceLine, PricePolicy
from shared.price.derivation import Derivation
from shared.price.derive import derive
from shared.price.offer import BudgetPolicy, Level, Limits, Offer, Stack, StackMode, StackScope
from shared.price.offer_book import OfferBook
from shared.price.refund import refund_minor
from shared.price.reward import PercentOff
from shared.price.tax import tax_minor, tax_sums
from tests.property.price_strategies import (
    BPS,
    NOON,
    PRICES,
    Scene,
    price_lines,
    price_offers,
    scenes,
)

CHANCE = st.randoms(use_true_random=False)


def found_in(scene: Scene) -> Derivation:
    return derive(scene.lines, OfferBook.of(scene.offers), scene.context, NOON, scene.policy)


def starts(lines: Sequence[PriceLine]) -> list[int]:
    return [line.gross_minor if line.start_minor is None else line.start_minor for line in lines]


@given(scenes())
def test_lines_and_offers_add_up_to_the_minor_unit(scene: Scene) -> None:
    found = found_in(scene)
    left = dict(zip([line.key for line in scene.lines], starts(scene.lines), strict=True))
    for applied in found.applied:
        assert applied.amount_minor == sum(share.amount_minor for share in applied.shares) > 0
        for share in applied.shares:
            left[share.line] -= share.amount_minor
    assert tuple(left.values()) == found.nets
    assert sum(starts(scene.lines)) - found.discount_minor == sum(found.nets)


@given(scenes())
def test_taxes_of_the_rates_add_up_to_those_of_the_lines(scene: Scene) -> None:
    nets = found_in(scene).nets
    rates = [line.tax_bp for line in scene.lines]
    taxes = [tax_minor(net, rate, scene.policy) for net, rate in zip(nets, rates, strict=True)]
    sums = tax_sums(zip(rates, nets, taxes, strict=True))
    assert sum(each.tax_minor for each in sums) == sum(taxes)
    assert sum(each.net_minor for each in sums) == sum(nets)
    assert [each.tax_bp for each in sums] == sorted(set(rates))


@given(scenes())
def test_no_line_falls_below_nought_or_gets_dearer(scene: Scene) -> None:
    for net, start in zip(found_in(scene).nets, starts(scene.lines), strict=True):
        assert 0 <= net <= start


@given(scenes())
def test_no_offer_that_minds_floors_goes_below_one(scene: Scene) -> None:
    mindful = tuple(replace(offer, ignores_floor=False) for offer in scene.offers)
    nets = found_in(replace(scene, offers=mindful)).nets
    for line, net, start in zip(scene.lines, nets, starts(scene.lines), strict=True):
        assert net >= min(start, extended_minor(line.floor_unit_minor, line.qty_milli))


@given(scenes(), st.data())
def test_one_more_offer_in_a_best_of_group_never_makes_the_basket_dearer(
    scene: Scene, data: st.DataObject
) -> None:
    scope = data.draw(st.sampled_from(StackScope))
    stack = Stack(StackMode.BEST_OF, "a group", scope)
    rivals = tuple(
        replace(offer, stack=stack) if offer.stack.mode is StackMode.BEST_OF else offer
        for offer in scene.offers
        if scope is StackScope.BASKET or offer.stack.scope is StackScope.LINE
    )
    more = (*rivals, data.draw(price_offers("one more", stack)))
    before, after = replace(scene, offers=rivals), replace(scene, offers=more)
    assert sum(found_in(after).nets) <= sum(found_in(before).nets)


@given(scenes(), CHANCE)
def test_pricing_again_or_offers_in_another_order_change_nothing(
    scene: Scene, chance: random.Random
) -> None:
    shuffled = list(scene.offers)
    chance.shuffle(shuffled)
    found = found_in(scene)
    assert found == found_in(scene) == found_in(replace(scene, offers=tuple(shuffled)))


@given(scenes(offers_max=1), CHANCE)
def test_the_order_of_lines_does_not_change_the_total(scene: Scene, chance: random.Random) -> None:
    # Where values tie or a floor stops a share, the order of the lines decides who pays.
    lines = [replace(line, floor_unit_minor=0, start_minor=None) for line in scene.lines]
    assume(all(line.list_minor is None for line in lines))
    values = [line.gross_minor // line.units for line in lines]
    assume(len(set(values)) == len(values))
    shuffled = lines.copy()
    chance.shuffle(shuffled)
    found = found_in(replace(scene, lines=tuple(lines)))
    other = found_in(replace(scene, lines=tuple(shuffled)))
    assert sum(found.nets) == sum(other.nets)


@given(scenes(), st.data())
def test_goods_that_are_not_promotable_neither_count_nor_share(
    scene: Scene, data: st.DataObject
) -> None:
    apart = replace(data.draw(price_lines(99)), is_promotable=False, start_minor=None)
    place = data.draw(st.integers(0, len(scene.lines)))
    lines = (*scene.lines[:place], apart, *scene.lines[place:])
    nets = found_in(replace(scene, lines=lines)).nets
    assert nets[place] == apart.gross_minor
    assert nets[:place] + nets[place + 1 :] == found_in(scene).nets


@given(scenes(), st.integers(0, 500), st.sampled_from(BudgetPolicy))
def test_no_offer_gives_more_than_its_budget_has_left(
    scene: Scene, left: int, policy: BudgetPolicy
) -> None:
    limits = Limits(budget_left=left, budget_policy=policy)
    offers = tuple(replace(offer, limits=limits) for offer in scene.offers)
    for applied in found_in(replace(scene, offers=offers)).applied:
        assert applied.amount_minor <= left


@given(scenes())
def test_an_offer_whose_coupon_was_not_handed_in_is_as_good_as_absent(scene: Scene) -> None:
    without = tuple(offer for offer in scene.offers if offer.coupon != "GONE")
    assert found_in(scene).nets == found_in(replace(scene, offers=without)).nets


def percent_on(lines: Sequence[PriceLine], *bps: int) -> tuple[int, ...]:
    offers = [Offer(f"p{n}", Level.LINE, PercentOff(bp)) for n, bp in enumerate(bps)]
    scene = Scene(tuple(lines), tuple(offers), PriceContext(), PricePolicy())
    return found_in(scene).nets


@given(st.integers(1, 20), st.integers(0, 100), st.integers(0, 100), st.integers(1, 9))
def test_percentages_that_need_no_rounding_scale_with_the_quantity(
    price: int, first: int, second: int, times: int
) -> None:
    one = PriceLine(1, "apple", 1000, 10_000 * price)
    many = replace(one, qty_milli=1000 * times)
    bps = (100 * first, 100 * second)
    assert percent_on([many], *bps)[0] == times * percent_on([one], *bps)[0]


@given(PRICES, BPS, st.integers(1, 9))
def test_a_percentage_of_many_is_that_of_one_but_for_rounding(
    price: int, bp: int, times: int
) -> None:
    one = PriceLine(1, "apple", 1000, price)
    many = replace(one, qty_milli=1000 * times)
    gap = percent_on([many], bp)[0] - times * percent_on([one], bp)[0]
    assert 2 * abs(gap) <= times + 1


@given(scenes(), st.lists(st.integers(1, 4000), max_size=4))
def test_what_comes_back_piece_by_piece_adds_up_to_what_was_paid(
    scene: Scene, wishes: list[int]
) -> None:
    sold = [line for line in scene.lines if line.qty_milli]
    for line, net in zip(sold, found_in(replace(scene, lines=tuple(sold))).nets, strict=True):
        returned = refunded = 0
        for wish in (*wishes, line.qty_milli):
            more = min(wish, line.qty_milli - returned)
            if more:
                refund = refund_minor(net, line.qty_milli, returned, more)
                assert refund >= 0
                returned, refunded = returned + more, refunded + refund
        assert (returned, refunded) == (line.qty_milli, net)
