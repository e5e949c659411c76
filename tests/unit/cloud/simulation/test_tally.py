"""Sums that merge, and of single baskets only the worst."""

from __future__ import annotations

import itertools

from cloud.simulation.tally import WORST_OF_STORE, Change, WorstBasket, WorstBaskets


def worst(share_ppm: int, receipt: str = "1-1", discount: int = 100) -> WorstBasket:
    return WorstBasket(share_ppm, discount, "2026-01-05", "17", receipt, 1_000)


def test_the_worst_baskets_are_kept_whatever_the_order() -> None:
    found = [worst(5), worst(1), worst(9), worst(7)]
    for order in itertools.permutations(found):
        assert WorstBaskets(2, order).ranked() == (worst(9), worst(7))


def test_equal_shares_go_by_amount_and_then_by_receipt() -> None:
    found = [worst(5, "1-1"), worst(5, "1-3"), worst(5, "1-2"), worst(5, "1-0", discount=200)]
    for order in itertools.permutations(found):
        kept = WorstBaskets(3, order).ranked()
        assert [each.receipt_no for each in kept] == ["1-0", "1-3", "1-2"]


def test_merging_keeps_no_more_than_one_part_would() -> None:
    left = WorstBaskets(WORST_OF_STORE, (worst(n) for n in range(0, 100, 2)))
    left.merge(WorstBaskets(WORST_OF_STORE, (worst(n) for n in range(1, 100, 2))))
    assert [each.share_ppm for each in left.ranked()] == list(range(99, 89, -1))


def test_who_pays_less_wins_and_who_pays_the_same_does_neither() -> None:
    change = Change()
    for saved in (300, -20, 0, 50):
        change.add(saved)
    assert change == Change(winners=2, winners_minor=350, losers=1, losers_minor=20)
    change.merge(Change(1, 10, 2, 40))
    assert change == Change(winners=3, winners_minor=360, losers=3, losers_minor=60)
