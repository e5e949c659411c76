"""Which PINs are refused, and when one has run out."""

from __future__ import annotations

import pytest

from shared.kernel.errors import RefusedError
from shared.staff.pin import check_new_pin, is_expired, is_weak


@pytest.mark.parametrize(
    "pin",
    [
        *("1234", "4321", "0123", "7890", "9876", "0987", "12345678", "87654321"),
        *("1111", "0000", "000000", "1212", "123123", "12341234", "1221", "5225"),
        *("1988", "2026", "1231", "3112", "0229", "2902", "880229", "290288"),
        *("19880229", "29021988", "20261231"),
        *("2580", "1004", "5201", "131420"),
    ],
)
def test_what_people_guess_is_refused(pin: str) -> None:
    assert is_weak(pin)


@pytest.mark.parametrize("pin", ["4711", "8042", "97263", "736915", "84016273", "6173"])
def test_what_they_do_not_is_taken(pin: str) -> None:
    check_new_pin(pin, "1001")


@pytest.mark.parametrize(
    ("pin", "operator"), [("4711", "4711"), ("4711", "E4711"), ("64711", "4711")]
)
def test_one_s_own_number_is_no_pin(pin: str, operator: str) -> None:
    with pytest.raises(RefusedError, match=r"pin\.weak"):
        check_new_pin(pin, operator)


@pytest.mark.parametrize("pin", ["", "471", "471100000", "47a1", "４７１１", "47 11", "-471"])
def test_a_pin_is_four_to_eight_digits(pin: str) -> None:
    with pytest.raises(RefusedError, match=r"pin\.digits"):
        check_new_pin(pin, "1001")


def test_a_role_may_ask_for_more_digits() -> None:
    with pytest.raises(RefusedError, match=r"pin\.digits"):
        check_new_pin("4711", "1001", 6)
    check_new_pin("471183", "1001", 6)


def test_most_pins_are_left() -> None:
    weak = sum(is_weak(f"{number:04}") for number in range(10_000))
    assert weak < 1200


@pytest.mark.parametrize(
    ("set_on", "days", "today", "has_run_out"),
    [
        ("2026-11-01", 21, "2026-11-22", False),
        ("2026-11-01", 21, "2026-11-23", True),
        ("2026-11-01", 0, "2036-11-22", False),
        ("", 21, "2026-11-22", False),
        ("2026-11-01", 21, "", False),
    ],
)
def test_a_pin_lasts_its_days(set_on: str, days: int, today: str, *, has_run_out: bool) -> None:
    assert is_expired(set_on, days, today) is has_run_out
