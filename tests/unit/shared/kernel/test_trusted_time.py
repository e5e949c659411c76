from dataclasses import replace

import pytest

from shared.kernel.trusted_time import (
    JUMP_MAX_MS,
    Mark,
    TimeSource,
    Wall,
    first_mark,
    heard,
    observed,
    time_statement,
)

NOON = 1_795_320_000_000
HOUR = 3_600_000
YEAR = 365 * 24 * HOUR
BEGIN = Wall(NOON, 1000, "boot-1", is_ntp=True)


def seen(mark: Mark, *, after_ms: int, off_ms: int = 0, boot: str = "", ntp: bool = False) -> Mark:
    """The mark after a look at a clock that is off by so much, `after_ms` later in truth."""
    later = mark.mono_ms + after_ms if not boot else 5000
    return observed(mark, Wall(NOON + after_ms + off_ms, later, boot or mark.boot, is_ntp=ntp))


@pytest.fixture
def known() -> Mark:
    return first_mark(BEGIN, 0)


@pytest.mark.parametrize("off_ms", [-HOUR, -40 * YEAR, HOUR, 10 * YEAR, 23 * HOUR])
def test_a_clock_that_is_set_while_the_box_runs_moves_nothing(known: Mark, off_ms: int) -> None:
    mark = seen(known, after_ms=HOUR, off_ms=off_ms)
    assert (mark.shown_ms, mark.sure_ms, mark.is_trusted) == (NOON + HOUR, NOON + HOUR, True)


def test_without_ntp_the_time_goes_on_by_what_has_passed(known: Mark) -> None:
    mark = known
    for hour in range(1, 200):
        mark = observed(mark, Wall(7, 1000 + hour * HOUR, "boot-1"))
        assert (mark.shown_ms, mark.source) == (NOON + hour * HOUR, TimeSource.NTP)


def test_after_a_restart_a_plausible_clock_is_believed(known: Mark) -> None:
    mark = seen(known, after_ms=9 * HOUR, boot="boot-2")
    assert (mark.shown_ms, mark.source) == (NOON + 9 * HOUR, TimeSource.WALL)
    assert mark.is_trusted


@pytest.mark.parametrize("wall_ms", [0, NOON - 5 * HOUR, NOON + JUMP_MAX_MS + 1, NOON + 10 * YEAR])
def test_after_a_restart_another_clock_is_not(known: Mark, wall_ms: int) -> None:
    mark = observed(known, Wall(wall_ms, 5000, "boot-2"))
    assert not mark.is_trusted
    assert (mark.shown_ms, mark.sure_ms) == (NOON, NOON), "time does not go back, nor ahead"
    later = observed(mark, Wall(wall_ms + HOUR, 5000 + HOUR, "boot-2"))
    assert (later.sure_ms, later.is_trusted) == (NOON + HOUR, False)
    right = observed(later, Wall(NOON + 48 * HOUR, 6000 + HOUR, "boot-2", is_ntp=True))
    assert (right.shown_ms, right.is_trusted) == (NOON + 48 * HOUR, True)


def test_a_clock_that_creeps_ahead_is_followed_for_a_day_in_all(known: Mark) -> None:
    mark = observed(known, Wall(NOON, 5000, "boot-2"))
    for step in range(1, 30):
        mark = observed(mark, Wall(NOON + step * 2 * HOUR, 5000, "boot-2"))
    assert mark.sure_ms <= NOON + JUMP_MAX_MS


def test_ntp_cannot_set_back_what_it_has_said(known: Mark) -> None:
    mark = seen(known, after_ms=HOUR, off_ms=-3 * HOUR, ntp=True)
    assert (mark.shown_ms, mark.is_trusted) == (NOON + HOUR, False)
    assert seen(known, after_ms=HOUR, off_ms=-100, ntp=True).is_trusted, "a little is no matter"


def test_ntp_corrects_a_clock_that_was_only_plausible(known: Mark) -> None:
    wrong = seen(known, after_ms=0, off_ms=10 * HOUR, boot="boot-2")
    assert wrong.shown_ms == NOON + 10 * HOUR
    right = observed(wrong, Wall(NOON + HOUR, 5000 + HOUR, "boot-2", is_ntp=True))
    assert (right.shown_ms, right.source) == (NOON + HOUR, TimeSource.NTP)


def test_head_office_has_the_last_word(known: Mark) -> None:
    wall = Wall(NOON + 9 * HOUR, 2000, "boot-1", is_ntp=True)
    mark = heard(known, wall, NOON + 1000)
    assert (mark.shown_ms, mark.source) == (NOON + 1000, TimeSource.SIGNED)
    disputed = observed(mark, replace(wall, utc_ms=wall.utc_ms + HOUR, mono_ms=2000 + HOUR))
    assert (disputed.shown_ms, disputed.source) == (NOON + 1000 + HOUR, TimeSource.SIGNED)
    agreed = observed(mark, Wall(NOON + 1500, 2400, "boot-1", is_ntp=True))
    assert agreed.source is TimeSource.NTP


def test_an_answer_that_took_a_moment_does_not_set_time_back(known: Mark) -> None:
    assert heard(known, BEGIN, NOON - 900).shown_ms == NOON


def test_a_box_without_memory_goes_by_its_clock_and_says_that_nobody_vouches_for_it() -> None:
    mark = first_mark(Wall(NOON, 1000, "boot-1"), floor_ms=NOON - YEAR)
    assert (mark.shown_ms, mark.sure_ms, mark.is_trusted) == (NOON, 0, False)
    early = first_mark(Wall(0, 1000, "boot-1"), floor_ms=NOON)
    assert early.shown_ms == NOON, "its journal is no older than now"
    again = seen(mark, after_ms=HOUR, boot="boot-2")
    assert not again.is_trusted, "what was never known is not made true by a restart"
    assert heard(again, Wall(0, 6000, "boot-2"), NOON).is_trusted


def test_what_is_signed_names_the_question_and_nothing_else() -> None:
    nonce = bytes(range(16))
    assert time_statement(nonce, 258) == b"tbt1" + nonce + b"\0\0\0\0\0\0\1\2"


def test_an_ntp_that_steps_back_a_little_lets_time_stand_until_it_has_caught_up(
    known: Mark,
) -> None:
    """A box without head office would else trust no clock again until somebody restarts it."""
    ahead = observed(known, Wall(NOON + HOUR, 1000 + HOUR, "boot-1", is_ntp=True))
    stepped = observed(ahead, Wall(NOON + HOUR - 4000, 2000 + HOUR, "boot-1", is_ntp=True))
    assert (stepped.shown_ms, stepped.is_trusted) == (NOON + HOUR, True)
    again = observed(stepped, Wall(NOON + HOUR + 4000, 10_000 + HOUR, "boot-1", is_ntp=True))
    assert (again.shown_ms, again.source) == (NOON + HOUR + 4000, TimeSource.NTP)


def test_a_head_office_a_few_seconds_ahead_of_ntp_costs_no_trust(known: Mark) -> None:
    told = heard(known, Wall(NOON + 1000, 2000, "boot-1", is_ntp=True), NOON + 6000)
    assert told.shown_ms == NOON + 6000
    after = seen(told, after_ms=2000, ntp=True)
    assert (after.shown_ms, after.is_trusted) == (NOON + 6000, True)
