from __future__ import annotations

import pytest

from shared.kernel.errors import RefusedError
from shared.price.context import PricePolicy
from shared.price.floor import floor_unit_minor
from shared.price.refund import refund_minor, refund_repriced_minor
from shared.price.tax import TaxSum, tax_minor, tax_sums

INCLUSIVE = PricePolicy()
EXCLUSIVE = PricePolicy(prices_include_tax=False)


@pytest.mark.parametrize(
    ("net", "bp", "inside", "on_top"),
    [(11300, 1300, 1300, 1469), (10282, 1300, 1183, 1337), (9918, 900, 819, 893), (500, 0, 0, 0)],
)
def test_tax_is_in_the_price_or_on_top_of_it(net: int, bp: int, inside: int, on_top: int) -> None:
    assert tax_minor(net, bp, INCLUSIVE) == inside
    assert tax_minor(net, bp, EXCLUSIVE) == on_top


def test_taxes_are_added_per_rate_in_ascending_order() -> None:
    sums = tax_sums([(1300, 100, 12), (0, 50, 0), (1300, 30, 3)])
    assert sums == (TaxSum(0, 50, 0), TaxSum(1300, 130, 15))


def test_the_floor_is_the_higher_of_minimum_price_and_minimum_margin() -> None:
    assert floor_unit_minor(500, None, None, 0) == 500
    assert floor_unit_minor(500, 400, None, 0) == 500
    assert floor_unit_minor(500, None, 2000, 0) == 500
    assert floor_unit_minor(500, 800, 2000, 0) == 1000
    assert floor_unit_minor(1200, 800, 2000, 0) == 1200
    assert floor_unit_minor(0, 800, 0, 0) == 800


def test_the_margin_is_kept_after_tax_and_rounded_up() -> None:
    # 8.00 cost, 20 % margin, 13 % tax: 8.00 / 0.8 x 1.13 = 11.30.
    assert floor_unit_minor(0, 800, 2000, 1300) == 1130
    assert floor_unit_minor(0, 801, 2000, 1300) == 1132  # 11.314...


def test_partial_returns_add_up_to_what_was_paid() -> None:
    parts = [refund_minor(1000, 3000, before, 1000) for before in (0, 1000, 2000)]
    assert parts == [333, 334, 333]
    assert refund_minor(1500, 2000, 0, 1000) == 750
    assert refund_minor(0, 1000, 0, 1000) == 0
    assert refund_minor(999, 1234, 0, 1234) == 999


@pytest.mark.parametrize("returning", [0, -1000, 3000])
def test_no_more_than_is_left_may_come_back(returning: int) -> None:
    with pytest.raises(RefusedError, match=r"return\.quantity") as refused:
        refund_minor(1000, 3000, 1000, returning)
    assert refused.value.params == {"left": "2"}


def test_claw_back_never_asks_for_money() -> None:
    assert refund_repriced_minor(10_000, 8_000) == 2_000
    assert refund_repriced_minor(8_000, 10_000) == 0
