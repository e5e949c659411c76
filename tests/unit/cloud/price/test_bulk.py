"""Many prices at once: whole numbers, endings, members."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.price.bulk import BulkChange, Direction, Ending, Members, Move, changed_rows
from cloud.price.table import PriceRow

NINES = Ending(10, 9)
NINETY_NINES = Ending(100, 99)


@pytest.mark.parametrize(
    ("ending", "minor", "expected"),
    [
        (NINES, 199, 199),
        (NINES, 203, 199),
        (NINES, 204, 199),  # as near: the lower
        (NINES, 205, 209),
        (NINES, 4, 9),
        (NINETY_NINES, 148, 99),
        (NINETY_NINES, 150, 199),
        (NINETY_NINES, 1, 99),
        (Ending(100, 0), 30, 100),
        (Ending(10, 9, Direction.UP), 200, 209),
        (Ending(10, 9, Direction.DOWN), 208, 199),
        (Ending(10, 9, Direction.DOWN), 3, 9),
        (Ending(50, 45), 1_000, 995),
    ],
)
def test_a_price_gets_the_nearest_ending(ending: Ending, minor: int, expected: int) -> None:
    assert ending.applied(minor) == expected


@given(
    st.integers(1, 99_999_999),
    st.integers(2, 1000).flatmap(lambda step: st.tuples(st.just(step), st.integers(0, step - 1))),
    st.sampled_from(Direction),
)
def test_every_price_ends_as_asked_and_is_never_far(
    minor: int, parts: tuple[int, int], direction: Direction
) -> None:
    step, rest = parts
    found = Ending(step, rest, direction).applied(minor)
    assert found > 0
    assert found % step == rest
    assert abs(found - minor) < step


@pytest.mark.parametrize(
    ("change", "minor", "expected"),
    [
        (BulkChange(Move.SET, 250), 199, 250),
        (BulkChange(Move.PERCENT, -1000), 199, 179),
        (BulkChange(Move.PERCENT, 1000), 5, 6),  # 5.5: a half goes up
        (BulkChange(Move.PERCENT, 333), 100, 103),
        (BulkChange(Move.AMOUNT, -20), 199, 179),
        (BulkChange(Move.PERCENT, -1000, NINES), 199, 179),
        (BulkChange(Move.PERCENT, 1000, NINETY_NINES), 1000, 1099),
    ],
)
def test_a_price_moves_by_percent_amount_or_to_a_price(
    change: BulkChange, minor: int, expected: int
) -> None:
    assert change.moved(minor) == expected


def row(regular: int | None, member: int | None = None) -> PriceRow:
    return PriceRow("store-1", "4006381333931", 0, regular, member)


@pytest.mark.parametrize(
    ("change", "member", "expected"),
    [
        (BulkChange(Move.PERCENT, -1000), None, None),
        (BulkChange(Move.PERCENT, -1000), 180, 162),
        (BulkChange(Move.PERCENT, -1000), 0, 0),  # a gift stays one
        (BulkChange(Move.PERCENT, -1000, members=Members.KEPT), 150, 150),
        (BulkChange(Move.PERCENT, -1000, members=Members.KEPT), 180, None),  # 180 is all pay
        (BulkChange(Move.PERCENT, -1000, members=Members.DROPPED), 150, None),
        (BulkChange(Move.SET, 160), 150, 150),
        (BulkChange(Move.SET, 140), 150, None),
    ],
)
def test_members_never_pay_more_than_everybody(
    change: BulkChange, member: int | None, expected: int | None
) -> None:
    (found,) = changed_rows([row(200, member)], change)
    assert found.member_minor == expected


def test_rows_that_stay_as_they_are_or_say_nothing_are_left_out() -> None:
    rows = [row(199), row(None), row(210)]
    assert list(changed_rows(rows, BulkChange(Move.AMOUNT, 0, NINES))) == [row(209)]
