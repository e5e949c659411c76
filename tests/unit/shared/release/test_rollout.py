from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.errors import RefusedError
from shared.release.rollout import (
    CANARY_STORES,
    Plan,
    WaveFacts,
    next_move,
    plan_of,
    waves_of,
)

PLAN = Plan((1, 10, 50, 100), 60)


def stores(count: int, kinds: int = 1) -> list[tuple[str, str]]:
    return [(f"s{n}", f"pi{n % kinds}") for n in range(count)]


def test_a_plan_is_read_as_people_write_it() -> None:
    assert plan_of("1%, 10%,50,100%", 60) == PLAN


@pytest.mark.parametrize("text", ["", "50%", "10%,5%,100%", "1%,1%,100%", "0,100", "1%,x,100%"])
def test_waves_that_do_not_grow_to_all_stores_are_refused(text: str) -> None:
    with pytest.raises(RefusedError, match=r"software\.plan"):
        plan_of(text, 60)


def test_waves_grow_by_their_shares() -> None:
    assert [len(wave) for wave in waves_of(PLAN, stores(1000), "7")] == [10, 90, 400, 500]


def test_the_first_wave_has_one_store_of_each_kind_of_box() -> None:
    first = waves_of(PLAN, stores(500, kinds=9), "7")[0]
    assert {int(store[1:]) % 9 for store in first} == set(range(9))


@given(st.integers(0, 40), st.integers(1, 5))
def test_every_store_is_in_exactly_one_wave(count: int, kinds: int) -> None:
    waves = waves_of(PLAN, stores(count, kinds), "seed")
    dealt = [store for wave in waves for store in wave]
    assert sorted(dealt) == sorted(store for store, _ in stores(count, kinds))
    assert all(waves)
    assert not waves or len(waves[0]) >= min(count, CANARY_STORES)
    assert waves_of(PLAN, stores(count, kinds), "seed") == waves


def test_another_rollout_begins_with_other_stores() -> None:
    assert waves_of(PLAN, stores(1000), "7")[0] != waves_of(PLAN, stores(1000), "8")[0]


@pytest.mark.parametrize(
    ("facts", "what"),
    [
        (WaveFacts(-1, 0, 0, 0, is_last=False, soaked_ms=0), "wave"),
        (WaveFacts(0, 3, 2, 0, is_last=False, soaked_ms=0), "wait"),
        (WaveFacts(0, 3, 3, 0, is_last=False, soaked_ms=59_999), "wait"),
        (WaveFacts(0, 3, 3, 0, is_last=False, soaked_ms=60_000), "wave"),
        # One of the canaries is enough; later 1 % or three.
        (WaveFacts(0, 200, 0, 1, is_last=False, soaked_ms=0), "halt"),
        (WaveFacts(1, 200, 150, 1, is_last=False, soaked_ms=0), "wait"),
        (WaveFacts(1, 200, 199, 1, is_last=False, soaked_ms=60_000), "wave"),
        (WaveFacts(1, 99, 98, 1, is_last=False, soaked_ms=0), "halt"),
        (WaveFacts(1, 1000, 0, 3, is_last=False, soaked_ms=0), "halt"),
        (WaveFacts(3, 10, 10, 0, is_last=True, soaked_ms=0), "finish"),
        # A store that is closed for a week holds up nobody but the end; all of them do.
        (WaveFacts(1, 10, 9, 0, is_last=False, soaked_ms=60_000, silent=1), "wave"),
        (WaveFacts(0, 3, 0, 0, is_last=False, soaked_ms=60_000, silent=3), "wait"),
        (WaveFacts(3, 10, 9, 0, is_last=True, soaked_ms=0, silent=1), "wait"),
    ],
)
def test_a_rollout_goes_on_waits_or_halts(facts: WaveFacts, what: str) -> None:
    assert next_move(facts, PLAN).what == what
