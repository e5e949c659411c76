"""No way around the wait after wrong PINs."""

import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest
from argon2 import PasswordHasher

from edge.replica.catalog import StaffMember
from edge.staff.lockout import FREE_TRIES, Lockout
from edge.staff.service import StaffRoom, check_pin
from shared.kernel.errors import ForbiddenError, RefusedError

HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("1234")
MANAGER = StaffMember("1001", "Manager", "manager", HASH, ())


def a_room() -> StaffRoom:
    clock = SimpleNamespace(mono_ms=lambda: 0)
    return StaffRoom(None, clock, None, lambda: (MANAGER,), lambda: 1, Lockout())


def tried(room: StaffRoom, operator: str, pin: str = "0000") -> str:
    try:
        return check_pin(room=room, operator=operator, pin=pin).id
    except (ForbiddenError, RefusedError) as error:
        return error.code


def test_names_that_nobody_has_do_not_end_a_manager_s_wait() -> None:
    room = a_room()
    for _ in range(FREE_TRIES):
        assert tried(room, "1001") == "session.bad_pin"
    assert tried(room, "1001", "1234") == "session.locked_out"
    for number in range(2000):
        tried(room, f"nobody-{number}")
    assert tried(room, "1001", "1234") == "session.locked_out"


@pytest.mark.parametrize("operator", ["1001", "nobody"])
def test_many_at_once_get_no_more_tries_than_one_after_the_other(operator: str) -> None:
    room = a_room()
    answers: list[str] = []
    guesses = [
        threading.Thread(target=lambda: answers.append(tried(room, operator))) for _ in range(12)
    ]
    for guess in guesses:
        guess.start()
    for guess in guesses:
        guess.join()
    assert answers.count("session.bad_pin") == FREE_TRIES
    assert answers.count("session.locked_out") == 12 - FREE_TRIES


@pytest.mark.parametrize(
    ("first_day", "last_day", "day", "answer"),
    [
        ("", "", "2026-11-22", "1001"),
        ("2026-11-22", "", "2026-11-22", "1001"),
        ("2026-11-23", "", "2026-11-22", "session.bad_pin"),
        ("", "2026-11-22", "2026-11-22", "1001"),
        ("", "2026-11-21", "2026-11-22", "session.bad_pin"),
        ("", "2026-11-21", "", "1001"),
    ],
)
def test_an_operator_signs_in_from_the_first_to_the_last_day(
    first_day: str, last_day: str, day: str, answer: str
) -> None:
    member = replace(MANAGER, valid_from=first_day, valid_to=last_day)
    room = replace(a_room(), staff=lambda: (member,), today=lambda: day)
    assert tried(room, "1001", "1234") == answer
