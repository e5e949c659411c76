from __future__ import annotations

import pytest

from shared.price.context import Allocation, Rounding
from shared.price.prorate import percent_of, prorate, share_of, spread


@pytest.mark.parametrize(
    ("base", "bp", "half_up", "half_even", "floor"),
    [
        (1750, 300, 53, 52, 52),
        (250, 1000, 25, 25, 25),
        (10, 500, 1, 0, 0),
        (30, 500, 2, 2, 1),
        (31, 500, 2, 2, 1),
        (29, 500, 1, 1, 1),
        (999, 10_000, 999, 999, 999),
        (0, 500, 0, 0, 0),
    ],
)
def test_a_percentage_is_rounded_as_the_chain_says(
    base: int, bp: int, half_up: int, half_even: int, floor: int
) -> None:
    assert percent_of(base, bp) == half_up
    assert percent_of(base, bp, Rounding.HALF_EVEN) == half_even
    assert percent_of(base, bp, Rounding.FLOOR) == floor


def test_shares_add_up_and_the_odd_units_go_to_the_largest_fractions() -> None:
    assert spread(400, [200, 200, 200]) == [134, 133, 133]
    assert spread(2000, [11300, 10900]) == [1018, 982]
    assert spread(5, [1, 1, 8]) == [1, 0, 4]
    assert spread(0, [3, 4]) == [0, 0]


def test_a_tie_of_fractions_goes_to_the_first() -> None:
    assert spread(1, [7, 7]) == [1, 0]
    assert spread(3, [5, 5, 5, 5]) == [1, 1, 1, 0]


def test_what_weighs_nothing_gets_nothing() -> None:
    assert spread(3, [0, 1, 1]) == [0, 2, 1]
    assert spread(7, [0, 0]) == [0, 0]
    assert spread(7, []) == []


def test_the_odd_units_go_where_the_house_rule_says() -> None:
    assert spread(400, [200, 200, 200], Allocation.LAST_LINE) == [133, 133, 134]
    assert spread(401, [200, 200, 200, 0], Allocation.LAST_LINE) == [133, 133, 135, 0]
    assert spread(401, [0, 200, 200, 200], Allocation.FIRST_LINE) == [0, 134, 134, 133]


def test_what_a_full_part_cannot_take_is_shared_out_again() -> None:
    assert prorate(1200, [1000, 2000, 5000, 3000], [1000, 100, 0, 100]) == [1000, 100, 0, 100]
    assert prorate(600, [1000, 2000, 3000], [1000, 2000, 100]) == [167, 333, 100]


def test_no_part_gets_more_than_its_room_and_rooms_that_are_too_small_are_filled() -> None:
    assert prorate(50, [10, 10], [20, 20]) == [20, 20]
    assert prorate(50, [10, 0], [20, 20]) == [20, 0]
    assert prorate(3, [10, 10], [0, 0]) == [0, 0]


def test_a_share_is_rounded_half_up() -> None:
    assert [share_of(1000, part, 3) for part in (0, 1, 2, 3)] == [0, 333, 667, 1000]
    assert share_of(5, 1, 2) == 3
