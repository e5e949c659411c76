from __future__ import annotations

from datetime import date

import pytest

from shared.price.context import PricingInstant
from shared.price.offer import Validity
from shared.price.window import ALWAYS, opened_on, why_closed

SATURDAY = date(2026, 11, 21)
SUNDAY = date(2026, 11, 22)
HOUR = 3600
NIGHT = (22 * HOUR, 2 * HOUR)


def at(day: date, second: int, at_ms: int = 1000) -> PricingInstant:
    return PricingInstant(at_ms, day, second)


def test_an_offer_without_window_is_open() -> None:
    assert why_closed(ALWAYS, at(SATURDAY, 0)) is None
    assert why_closed(Validity(), at(SATURDAY, 0)) is None


@pytest.mark.parametrize(
    ("at_ms", "why"), [(999, "not_yet"), (1000, None), (1999, None), (2000, "over")]
)
def test_instants_are_half_open(at_ms: int, why: str | None) -> None:
    assert why_closed(Validity(1000, 2000), at(SATURDAY, 0, at_ms)) == why


@pytest.mark.parametrize(
    ("day", "second", "why"),
    [
        (SATURDAY, 8 * HOUR - 1, "not_yet"),
        (SATURDAY, 8 * HOUR, None),
        (SUNDAY, 9 * HOUR - 1, None),
        (SUNDAY, 9 * HOUR, "over"),
        (date(2026, 11, 20), 23 * HOUR, "not_yet"),
        (date(2026, 11, 23), 0, "over"),
    ],
)
def test_instants_of_the_stores_own_clock_are_half_open(
    day: date, second: int, why: str | None
) -> None:
    valid = Validity(from_local=("2026-11-21", 8 * HOUR), to_local=("2026-11-22", 9 * HOUR))
    assert why_closed(valid, at(day, second)) == why


@pytest.mark.parametrize(
    ("second", "why"),
    [(10 * HOUR - 1, "not_now"), (10 * HOUR, None), (12 * HOUR - 1, None), (12 * HOUR, "not_now")],
)
def test_a_daily_window_opens_and_closes_at_the_second(second: int, why: str | None) -> None:
    assert why_closed(Validity(daily=((10 * HOUR, 12 * HOUR),)), at(SATURDAY, second)) == why


@pytest.mark.parametrize(
    ("day", "second", "why"),
    [
        (SATURDAY, 22 * HOUR - 1, "not_now"),
        (SATURDAY, 22 * HOUR, None),
        (SUNDAY, 2 * HOUR - 1, None),
        (SUNDAY, 2 * HOUR, "not_now"),
        (SUNDAY, 23 * HOUR, "not_now"),
        (SATURDAY, 1 * HOUR, "not_now"),
    ],
)
def test_a_window_over_midnight_belongs_to_the_day_it_opened(
    day: date, second: int, why: str | None
) -> None:
    assert why_closed(Validity(weekdays=frozenset({6}), daily=(NIGHT,)), at(day, second)) == why
    valid = Validity(dates=frozenset({"2026-11-21"}), daily=(NIGHT,))
    assert why_closed(valid, at(day, second)) == why


def test_dates_and_weekdays_count_without_a_daily_window() -> None:
    assert why_closed(Validity(dates=frozenset({"2026-11-21"})), at(SATURDAY, 5)) is None
    assert why_closed(Validity(dates=frozenset({"2026-11-21"})), at(SUNDAY, 5)) == "not_now"
    assert why_closed(Validity(weekdays=frozenset({7})), at(SUNDAY, 5)) is None
    assert why_closed(Validity(weekdays=frozenset({7})), at(SATURDAY, 5)) == "not_now"


def test_of_several_windows_one_that_counts_is_enough() -> None:
    # 01:00 on Sunday stands in Saturday's night window and in Sunday's early one.
    both = (NIGHT, (0, 3 * HOUR))
    for daily in (both, both[::-1]):
        for weekday in (6, 7):
            valid = Validity(weekdays=frozenset({weekday}), daily=daily)
            assert why_closed(valid, at(SUNDAY, HOUR)) is None
            assert opened_on(valid, at(SUNDAY, HOUR)) == (SATURDAY if weekday == 6 else SUNDAY)


def test_a_window_of_no_length_is_never_open() -> None:
    assert why_closed(Validity(daily=((HOUR, HOUR),)), at(SUNDAY, HOUR)) == "not_now"
