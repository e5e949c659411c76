"""Cash rounding by the rules of the countries that have it."""

from __future__ import annotations

import pytest

from shared.kernel.rounding import NO_ROUNDING, CashRounding, RoundingMode

SWISS = CashRounding(5)
HONG_KONG = CashRounding(10, RoundingMode.NEAREST)
NEW_ZEALAND = CashRounding(10, RoundingMode.NEAREST_DOWN)
FOR_THE_CUSTOMER = CashRounding(10, RoundingMode.DOWN)


@pytest.mark.parametrize(
    ("rule", "due", "rounded"),
    [
        (NO_ROUNDING, 1237, 1237),
        (SWISS, 1232, 1230),
        (SWISS, 1233, 1235),
        (SWISS, 1237, 1235),
        (SWISS, 1238, 1240),
        (SWISS, 2, 0),
        (HONG_KONG, 1234, 1230),
        (HONG_KONG, 1235, 1240),
        (NEW_ZEALAND, 1235, 1230),
        (NEW_ZEALAND, 1236, 1240),
        (FOR_THE_CUSTOMER, 1239, 1230),
        (CashRounding(100), 1250, 1300),
        (CashRounding(5, RoundingMode.NEAREST_DOWN), 1233, 1235),
    ],
)
def test_an_amount_goes_to_the_step_of_the_rule(rule: CashRounding, due: int, rounded: int) -> None:
    assert rule.rounded(due) == rounded
