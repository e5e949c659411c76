"""How far prices move."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cloud.release.moves import ItemFacts, PriceChange, moves_of, next_price
from shared.publication.revision import Record, RecordKind

NOW = 1_000_000
GTIN = "4006381333931"


def record(*prices: tuple[Any, ...], key: str = GTIN) -> Record:
    return Record(RecordKind.PRICE, key, {"prices": [list(each) for each in prices]})


def change(old: Record | None, new: Record | None, item: ItemFacts | None = None) -> PriceChange:
    return PriceChange("store-1", GTIN, old, new, item or ItemFacts("Tea"))


@pytest.mark.parametrize(
    ("old", "new", "steps", "bp"),
    [
        (record((0, 100, None)), record((0, 100, None), (NOW + 5, 150, None)), (100, 150), 5_000),
        (record((0, 100, None)), record((0, 100, None), (NOW - 5, 50, None)), (100, 50), 5_000),
        (record((0, 100, 100)), record((0, 100, 20)), (100, 100), 8_000),
        (None, record((0, 100, None)), (None, 100), None),
        (record((0, 100, None)), None, (100, None), None),
        # A price for a week, after which the old one counts again.
        (
            record((0, 100, None)),
            record((0, 100, None), (NOW + 5, 70, None, NOW + 9)),
            (100, 70),
            3_000,
        ),
    ],
)
def test_the_largest_step_that_is_still_to_come_is_told(
    old: Record | None, new: Record | None, steps: tuple[int | None, int | None], bp: int | None
) -> None:
    found = moves_of([change(old, new)], NOW)
    (move,) = found.moves
    assert ((move.old_minor, move.new_minor), move.move_bp) == (steps, bp)
    assert (found.moves_total, found.move_bp_max, move.name) == (1, bp or 0, "Tea")


def test_what_is_over_moves_nothing() -> None:
    old = record((0, 100, None), (10, 200, None))
    new = record((0, 999, None), (10, 200, None))
    assert moves_of([change(old, new)], NOW).moves == []
    assert next_price(change(old, new), NOW) is None


def test_a_new_price_below_cost_is_told_with_tax_and_an_old_one_is_not() -> None:
    item = ItemFacts("Tea", cost_minor=100, tax_bp=1_000)
    was_low = record((0, 90, None))
    found = moves_of(
        [
            change(was_low, was_low, item),
            change(record((0, 200, None)), record((0, 109, None)), item),
            change(record((0, 200, None)), record((0, 110, None)), item),
            change(record((0, 200, None)), record((0, 200, 105)), item),
        ],
        NOW,
    )
    assert [(loss.price_minor, loss.cost_minor) for loss in found.losses] == [
        (109, 110),
        (105, 110),
    ]
    assert found.losses_total == 2


def test_the_largest_hundred_of_many_are_kept() -> None:
    changes = [change(record((0, 1_000, None)), record((0, 1_000 + n, None))) for n in range(3_000)]
    found = moves_of(changes, NOW)
    assert (len(found.moves), found.moves_total) == (100, 2_999)
    assert found.moves[0].new_minor == 3_999


def test_times_on_the_stores_clock_and_other_levels_are_read() -> None:
    key = f"{GTIN}/c"
    new = record(("2026-11-27T00:00", 80, None), key=key)
    found = next_price(PriceChange("", key, record((0, 100, None), key=key), new), NOW)
    assert found is None  # the chain says nothing until that day
    (move,) = moves_of([PriceChange("", key, None, new)], NOW).moves
    assert (move.gtin, move.from_at_ms, move.new_minor) == (GTIN, 1_795_737_600_000, 80)


def test_a_price_of_a_narrower_scope_moves_the_one_that_counted_until_then() -> None:
    wide = record((0, 100, None), key=f"{GTIN}/c")
    begun = replace(change(None, record((0, 10, None))), wide=wide)
    ended = replace(change(record((0, 500, None)), record((0, 500, None, NOW - 1))), wide=wide)
    same = replace(change(None, record((0, 100, None))), wide=wide)
    moves = [moves_of([each], NOW) for each in (begun, ended, same)]
    assert [found.move_bp_max for found in moves] == [9_000, 8_000, 0]
    assert [len(found.moves) for found in moves] == [1, 1, 0]
