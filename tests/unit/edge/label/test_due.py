"""Which labels have to change when the prices of an item do."""

from __future__ import annotations

import pytest

from edge.label.due import LabelChange, Prices, changes_of
from shared.price.price_book import NO_PRICE_MINOR, DatedPrice

NOW, SOON, LATER = 1_000, 2_000, 3_000


def prices(*entries: tuple[int, int, int | None]) -> Prices:
    return tuple(DatedPrice(*entry) for entry in entries)


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        pytest.param([(0, 500, None)], [(0, 500, None)], [], id="nothing changed"),
        pytest.param(
            [(0, 500, None)], [(0, 450, None)], [(NOW, 500, 450, None)], id="another price now"
        ),
        pytest.param(
            [(0, 500, None)], [(0, 500, 450)], [(NOW, 500, 500, 450)], id="a member price came"
        ),
        pytest.param([], [(0, 500, None)], [(NOW, None, 500, None)], id="a new item"),
        pytest.param([(0, 500, None)], [], [(NOW, 500, None, None)], id="an item without a price"),
        pytest.param(
            [(0, 500, None)],
            [(0, 500, None), (SOON, 450, None)],
            [(SOON, 500, 450, None)],
            id="a price of tomorrow",
        ),
        pytest.param(
            [(0, 500, None)],
            [(0, 500, None), (SOON, 450, None), (LATER, 500, None)],
            [(SOON, 500, 450, None), (LATER, 450, 500, None)],
            id="a price for a while",
        ),
        pytest.param(
            [(0, 500, None)],
            [(0, 500, None), (SOON, 500, None)],
            [],
            id="a later entry that says the same",
        ),
        pytest.param(
            [(0, 500, None)],
            [(0, 500, None), (SOON, NO_PRICE_MINOR, None)],
            [(SOON, 500, None, None)],
            id="a price that ends",
        ),
    ],
)
def test_a_label_changes_when_what_it_says_does(
    before: list[tuple[int, int, int | None]],
    after: list[tuple[int, int, int | None]],
    changes: list[tuple[int, int | None, int | None, int | None]],
) -> None:
    found = list(changes_of(prices(*before), prices(*after), NOW))
    assert found == [LabelChange(*change) for change in changes]
