from __future__ import annotations

import pytest

from shared.kernel.quantity import extended_minor, format_milli, round_half_up


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [(5, 10, 1), (4, 10, 0), (15, 10, 2), (-5, 10, -1), (-4, 10, 0), (-15, 10, -2), (7, 1, 7)],
)
def test_halves_go_away_from_zero(numerator: int, denominator: int, rounded: int) -> None:
    assert round_half_up(numerator, denominator) == rounded


@pytest.mark.parametrize("denominator", [0, -10])
def test_a_denominator_must_be_positive(denominator: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        round_half_up(1, denominator)


@pytest.mark.parametrize(
    ("unit", "milli", "amount"),
    [(500, 3000, 1500), (1299, 355, 461), (999, 500, 500), (1, 499, 0), (1, 500, 1), (0, 9000, 0)],
)
def test_a_weighed_amount_is_rounded_once(unit: int, milli: int, amount: int) -> None:
    assert extended_minor(unit, milli) == amount


@pytest.mark.parametrize(
    ("milli", "text"),
    [(3000, "3"), (355, "0.355"), (1500, "1.5"), (10, "0.01"), (0, "0"), (-1500, "-1.5")],
)
def test_thousandths_read_without_trailing_zeros(milli: int, text: str) -> None:
    assert format_milli(milli) == text
