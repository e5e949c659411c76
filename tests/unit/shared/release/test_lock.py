from __future__ import annotations

import pytest

from shared.release.lock import (
    BASKET,
    DRAWER,
    IDLE_MS,
    LATER,
    PRINTING,
    TRADING,
    WINDOW,
    Hours,
    Shop,
    held_by_hours,
    held_by_shop,
    in_window,
    is_window,
)


@pytest.mark.parametrize(
    ("shop", "held"),
    [
        (Shop(1, False, False, 0, IDLE_MS), BASKET),
        (Shop(0, True, False, 0, IDLE_MS), DRAWER),
        (Shop(0, False, False, 1, IDLE_MS), PRINTING),
        (Shop(0, False, True, 0, IDLE_MS - 1), TRADING),
        (Shop(0, False, True, 0, IDLE_MS), ""),
        (Shop(0, False, False, 0, 0), ""),
    ],
)
def test_software_waits_for_the_shop(shop: Shop, held: str) -> None:
    assert held_by_shop(shop) == held


@pytest.mark.parametrize(
    ("hours", "held"),
    [
        (Hours("", 0, 5, 0), ""),
        (Hours("", 6, 5, 0), LATER),
        (Hours("02:00-05:00", 0, 5, 119), WINDOW),
        (Hours("02:00-05:00", 0, 5, 120), ""),
    ],
)
def test_software_waits_for_its_hours(hours: Hours, held: str) -> None:
    assert held_by_hours(hours) == held


@pytest.mark.parametrize(
    ("window", "open_minutes", "shut_minutes"),
    [
        ("02:00-05:00", (120, 299), (119, 300)),
        ("22:30-01:15", (1350, 1439, 0, 74), (75, 1349)),
        ("", (0, 1439), ()),
        ("nonsense", (), (0, 720)),
        ("03:00-03:00", (), (180, 0)),
    ],
)
def test_a_window_may_go_over_midnight(
    window: str, open_minutes: tuple[int, ...], shut_minutes: tuple[int, ...]
) -> None:
    assert all(in_window(window, minute) for minute in open_minutes)
    assert not any(in_window(window, minute) for minute in shut_minutes)


def test_only_times_of_day_make_a_window() -> None:
    assert is_window("")
    assert is_window("00:00-23:59")
    assert not is_window("2:00-5:00")
    assert not is_window("24:00-05:00")
