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


def test_the_wait_doubles_up_to_an_hour() -> None:
    lockout = Lockout()
    waits = []
    for _ in range(15):
        lockout.failed("a", 0)
        waits.append(wait_s(lockout, "a", 0))
    assert waits == [0, 0, 5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600]


class Kept:
    """Keeps failures as a file would."""

    def __init__(self) -> None:
        self.times: dict[str, int] = {}

    def failures(self) -> dict[str, int]:
        return dict(self.times)

    def put_failures(self, operator: str, times: int) -> None:
        self.times[operator] = times


def test_a_restart_begins_the_wait_anew() -> None:
    kept = Kept()
    lockout = Lockout(kept)
    for _ in range(5):
        lockout.failed("a", 0)
    after = Lockout(kept)
    after.load(1_000_000)
    assert wait_s(after, "a", 1_000_000) == 20
    after.failed("a", 1_020_000)
    assert wait_s(after, "a", 1_020_000) == 40


def test_the_right_pin_is_kept_as_well() -> None:
    kept = Kept()
    lockout = Lockout(kept)
    lockout.failed("a", 0)
    lockout.succeeded("a")
    assert kept.times == {"a": 0}


def test_head_office_is_told_at_the_tenth_try_and_each_time_they_have_doubled() -> None:
    told: list[tuple[str, int, int]] = []
    lockout = Lockout(alarm=lambda *fact: told.append(fact))
    for _ in range(100):
        lockout.failed("a", 0)
    assert told == [("a", 10, 640), ("a", 20, 3600), ("a", 40, 3600), ("a", 80, 3600)]
    assert lockout.worst() == 100


def test_of_a_hundred_thousand_guesses_in_a_day_a_few_dozen_are_tried() -> None:
    """What an hour's wait means: the guesser who never sleeps tries 24 PINs a day."""
    lockout, now_ms, tried = Lockout(), 0, 0
    for _ in range(100_000):
        try:
            lockout.check("a", now_ms)
        except RefusedError:
            now_ms += 864  # 100,000 of them spread over a day
            continue
        lockout.failed("a", now_ms)
        tried += 1
    assert tried <= 12 + 24


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
