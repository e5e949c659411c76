from __future__ import annotations

from datetime import date

import pytest

from shared.item.gs1_date import date_of, days_in, is_yymmdd

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("digits", "day"),
    [
        ("261122", date(2026, 11, 22)),
        ("261100", date(2026, 11, 30)),
        ("280200", date(2028, 2, 29)),
        ("770101", date(1977, 1, 1)),
        ("760101", date(2076, 1, 1)),
        ("991231", date(1999, 12, 31)),
    ],
)
def test_two_digits_of_a_year_are_near_today(digits: str, day: date) -> None:
    assert date_of(digits, TODAY) == day


def test_near_the_end_of_a_century_the_next_one_is_near() -> None:
    assert date_of("010131", date(2098, 1, 1)) == date(2101, 1, 31)
    assert date_of("990131", date(2001, 1, 1)) == date(1999, 1, 31)


def test_every_day_of_four_years_is_one_and_no_other() -> None:
    good = sum(
        is_yymmdd(f"{year:02}{month:02}{day:02}")
        for year in range(24, 28)
        for month in range(100)
        for day in range(100)
    )
    assert good == 4 * 365 + 1
    assert [days_in(year, 2) for year in (1900, 2000, 2023, 2024)] == [28, 29, 28, 29]
