"""After wrong PINs: wait, longer each time."""

import pytest

from edge.staff.lockout import FORGET_MS, TRACKED_MAX, Lockout
from shared.kernel.errors import RefusedError


def wait_s(lockout: Lockout, operator: str, mono_ms: int, place: str = "1") -> int:
    try:
        lockout.check(operator, place, mono_ms)
    except RefusedError as error:
        return int(error.params["wait_s"] or 0)
    return 0


def test_the_first_two_slips_cost_nothing() -> None:
    lockout = Lockout()
    for _ in range(2):
        lockout.failed("a", "1", 0)
    assert wait_s(lockout, "a", 0) == 0


def test_the_wait_doubles_up_to_an_hour() -> None:
    lockout = Lockout()
    waits = []
    for _ in range(15):
        lockout.failed("a", "1", 0)
        waits.append(wait_s(lockout, "a", 0))
    assert waits == [0, 0, 5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600]


class Kept:
    """Keeps failures as a file would."""

    def __init__(self) -> None:
        self.times: dict[tuple[str, str], int] = {}

    def failures(self) -> dict[tuple[str, str], int]:
        return dict(self.times)

    def put_failures(self, operator: str, place: str, times: int) -> None:
        self.times[operator, place] = times


def test_a_restart_begins_the_wait_anew() -> None:
    kept = Kept()
    lockout = Lockout(kept)
    for _ in range(5):
        lockout.failed("a", "1", 0)
    after = Lockout(kept)
    after.load(1_000_000)
    assert wait_s(after, "a", 1_000_000) == 20
    after.failed("a", "1", 1_020_000)
    assert wait_s(after, "a", 1_020_000) == 40


def test_the_right_pin_is_kept_as_well() -> None:
    kept = Kept()
    lockout = Lockout(kept)
    lockout.failed("a", "1", 0)
    lockout.succeeded("a", "1")
    assert kept.times == {("a", "1"): 0}


def test_head_office_is_told_at_the_tenth_try_and_each_time_they_have_doubled() -> None:
    told: list[tuple[str, int, int]] = []
    lockout = Lockout(alarm=lambda *fact: told.append(fact))
    for _ in range(100):
        lockout.failed("a", "1", 0)
    assert told == [("a", 10, 640), ("a", 20, 3600), ("a", 40, 3600), ("a", 80, 3600)]
    assert lockout.worst(0) == 100


def test_of_a_hundred_thousand_guesses_in_a_day_a_few_dozen_are_tried() -> None:
    """What an hour's wait means: the guesser who never sleeps tries 24 PINs a day."""
    lockout, now_ms, tried = Lockout(), 0, 0
    for _ in range(100_000):
        try:
            lockout.check("a", "1", now_ms)
        except RefusedError:
            now_ms += 864  # 100,000 of them spread over a day
            continue
        lockout.failed("a", "1", now_ms)
        tried += 1
    assert tried <= 12 + 24


def test_others_are_not_locked_out() -> None:
    lockout = Lockout()
    for _ in range(5):
        lockout.failed("a", "1", 0)
    assert wait_s(lockout, "b", 0) == 0


def test_the_wait_ends_and_the_right_pin_forgives() -> None:
    lockout = Lockout()
    for _ in range(3):
        lockout.failed("a", "1", 0)
    assert wait_s(lockout, "a", 4_999) == 1
    assert wait_s(lockout, "a", 5_000) == 0
    lockout.succeeded("a", "1")
    lockout.failed("a", "1", 5_000)
    assert wait_s(lockout, "a", 5_000) == 0


def test_a_flood_of_names_takes_no_memory() -> None:
    lockout = Lockout()
    for number in range(TRACKED_MAX + 500):
        lockout.failed(str(number), "1", 0)
    assert len(lockout._wrong) <= TRACKED_MAX


def test_the_code_is_stable() -> None:
    lockout = Lockout()
    for _ in range(3):
        lockout.failed("a", "1", 0)
    with pytest.raises(RefusedError, match=r"session\.locked_out"):
        lockout.check("a", "1", 0)


def test_a_flood_of_names_does_not_end_a_long_wait() -> None:
    lockout = Lockout()
    for _ in range(12):
        lockout.failed("a", "1", 0)
    for number in range(TRACKED_MAX + 500):
        lockout.failed(str(number), "1", 0)
    assert wait_s(lockout, "a", 0) == 2560


def test_each_place_waits_for_itself_and_head_office_hears_of_all_together() -> None:
    told: list[tuple[str, int, int]] = []
    lockout = Lockout(alarm=lambda *fact: told.append(fact))
    for place in ("1", "2", "1 unknown"):
        for _ in range(4):
            lockout.failed("a", place, 0)
    assert wait_s(lockout, "a", 0, "2") == 10
    assert wait_s(lockout, "a", 0, "2 unknown") == 0
    assert told == [("a", 10, 0)]
    lockout.succeeded("a", "2")
    assert (wait_s(lockout, "a", 0, "2"), wait_s(lockout, "a", 0, "1")) == (0, 10)
    assert lockout.worst(0) == 8
    lockout.forget("a")
    assert (wait_s(lockout, "a", 0), lockout.worst(0)) == (0, 0)


def test_a_day_without_a_wrong_pin_is_forgotten() -> None:
    lockout = Lockout()
    for _ in range(12):
        lockout.failed("a", "1", 0)
    assert lockout.worst(FORGET_MS - 1) == 12
    assert lockout.worst(FORGET_MS) == 0
    lockout.failed("a", "1", FORGET_MS)
    assert wait_s(lockout, "a", FORGET_MS) == 0
