from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from shared.stock.cold_chain import ColdRule, ColdState, broken_limit, step_cold

MINUTE_MS = 60_000
FRIDGE = ColdRule(0, 7_000, patience_ms=10 * MINUTE_MS, door_grace_ms=5 * MINUTE_MS)


def told_of(celsius: list[int | None], *, doors: tuple[int, ...] = (), rule: ColdRule = FRIDGE):
    """Verdicts by minute, one reading a minute; the door is open in the minutes `doors`."""
    state, told = ColdState(), []
    for minute, each in enumerate(celsius):
        state, verdict = step_cold(
            state, each, rule, minute * MINUTE_MS, is_door_open=minute in doors
        )
        told += [] if verdict is None else [(minute, verdict)]
    return told, state


def test_each_limit_is_named() -> None:
    assert broken_limit(7_001, FRIDGE) == 7_000
    assert broken_limit(-1, FRIDGE) == 0
    assert broken_limit(7_000, FRIDGE) is None


def test_warm_for_longer_than_goods_allow_is_told_once() -> None:
    told, state = told_of([4_000, *([9_500] * 30)])
    assert told == [(11, "broken")]
    assert state.is_broken


def test_too_cold_counts_as_well() -> None:
    assert told_of([-2_000] * 12)[0] == [(10, "broken")]


def test_a_short_warm_spell_is_none() -> None:
    assert told_of([9_000] * 10 + [5_000] + [9_000] * 10)[0] == []


def test_an_open_door_gives_more_time_but_not_for_ever() -> None:
    assert told_of([9_000] * 15, doors=(2, 3))[0] == []
    assert told_of([9_000] * 20, doors=(2, 3))[0] == [(15, "broken")]
    assert told_of([9_000] * 30, doors=tuple(range(30)))[0] == [(15, "broken")]


def test_it_is_restored_when_it_has_been_cold_for_a_while() -> None:
    told, state = told_of([9_000] * 11 + [11_000, 8_000] + [5_000] * 3)
    assert told == [(10, "broken"), (15, "restored")]
    assert state == ColdState(worst_milli=11_000)


def test_just_within_the_limit_does_not_end_an_alarm() -> None:
    assert told_of([9_000] * 11 + [6_900] * 30)[0] == [(10, "broken")]


def test_a_silent_sensor_of_a_warm_place_still_breaks_the_chain() -> None:
    assert told_of([9_000, *([None] * 12)])[0] == [(10, "broken")]
    assert told_of([4_000, *([None] * 60)])[0] == []


@given(st.lists(st.one_of(st.none(), st.integers(-5_000, 15_000)), max_size=200))
def test_verdicts_take_turns(celsius: list[int | None]) -> None:
    told, state = told_of(celsius)
    assert [each for _, each in told] == (["broken", "restored"] * 100)[: len(told)]
    assert state.is_broken is (len(told) % 2 == 1)


@given(st.lists(st.integers(0, 7_000), max_size=100))
def test_within_the_limits_nothing_is_ever_told(celsius: list[int]) -> None:
    told, state = told_of(list(celsius), rule=replace(FRIDGE, patience_ms=0))
    assert told == []
    assert state == ColdState()
