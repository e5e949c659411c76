"""After wrong PINs: wait, longer each time."""

import pytest

from edge.staff.lockout import Lockout
from shared.kernel.errors import RefusedError


def wait_s(lockout: Lockout, operator: str, mono_ms: int) -> int:
    try:
        lockout.check(operator, mono_ms)
    except RefusedError as error:
        return int(error.params["wait_s"] or 0)
    return 0


def test_the_first_two_slips_cost_nothing() -> None:
    lockout = Lockout()
    for _ in range(2):
        lockout.failed("a", 0)
    assert wait_s(lockout, "a", 0) == 0


def test_the_wait_doubles_up_to_five_minutes() -> None:
    lockout = Lockout()
    waits = []
    for _ in range(10):
        lockout.failed("a", 0)
        waits.append(wait_s(lockout, "a", 0))
    assert waits == [0, 0, 5, 10, 20, 40, 80, 160, 300, 300]


def test_others_are_not_locked_out() -> None:
    lockout = Lockout()
    for _ in range(5):
        lockout.failed("a", 0)
    assert wait_s(lockout, "b", 0) == 0


def test_the_wait_ends_and_the_right_pin_forgives() -> None:
    lockout = Lockout()
    for _ in range(3):
        lockout.failed("a", 0)
    assert wait_s(lockout, "a", 4_999) == 1
    assert wait_s(lockout, "a", 5_000) == 0
    lockout.succeeded("a")
    lockout.failed("a", 5_000)
    assert wait_s(lockout, "a", 5_000) == 0


def test_a_flood_of_names_takes_no_memory() -> None:
    lockout = Lockout()
    for number in range(5_000):
        lockout.failed(str(number), 0)
    assert len(lockout._failures) <= 1000


def test_the_code_is_stable() -> None:
    lockout = Lockout()
    for _ in range(3):
        lockout.failed("a", 0)
    with pytest.raises(RefusedError, match=r"session\.locked_out"):
        lockout.check("a", 0)
