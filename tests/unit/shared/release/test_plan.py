"""Which stores come first, when they begin, and who has to agree."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.access import PUBLICATION_PUBLISH, RELEASE_APPROVE
from cloud.release.policy import Policy, Size, reasons
from cloud.release.state import NEEDS, VERBS, State, Verb, verbs_of
from shared.kernel.errors import RefusedError
from shared.release.plan import (
    AT_ONCE,
    CANARY_MIN,
    DEFAULT,
    WavePlan,
    order_of,
    plan_of,
    shares_of,
    starts_at_ms,
    stores_of,
    waves_of,
)

HOUR = 3_600_000


def waves(kinds: dict[str, str], release_id: int = 7) -> list[list[str]]:
    """The waves of the default plan, empty ones too, as a runner takes them one by one."""
    order, taken = order_of(release_id, kinds), list[str]()
    found = []
    for n in range(len(DEFAULT)):
        found.append(stores_of(DEFAULT, n, kinds, taken, order))
        taken += found[-1]
    return found


def chain(count: int, model: str = "") -> dict[str, str]:
    return {f"s{n}": model for n in range(count)}


@pytest.mark.parametrize(
    ("count", "sizes"),
    [
        (0, [0, 0, 0, 0]),
        (2, [2, 0, 0, 0]),
        (3, [3, 0, 0, 0]),
        (20, [3, 0, 7, 10]),
        (1000, [10, 90, 400, 500]),
    ],
)
def test_shares_count_all_stores_so_far(count: int, sizes: list[int]) -> None:
    assert [len(wave) for wave in waves(chain(count))] == sizes


@given(count=st.integers(0, 60), release_id=st.integers(1, 1000))
def test_every_store_has_exactly_one_wave(count: int, release_id: int) -> None:
    found = [store for wave in waves(chain(count), release_id) for store in wave]
    assert sorted(found) == sorted(chain(count))


def test_a_canary_meets_every_kind_of_box() -> None:
    models = {**chain(500, "pi4"), "a": "pi5", "b": "n100", "c": "n200", "d": "n300"}
    assert {models[store] for store in waves(models)[0]} == {"pi4", "pi5", "n100", "n200", "n300"}


def test_shares_are_read_as_people_write_them() -> None:
    found = shares_of("1%, 10%,50,100%", 60)
    assert [(wave.percent, wave.soak_s) for wave in found] == [
        *((1, 60), (10, 60), (50, 60), (100, 60))
    ]


@pytest.mark.parametrize("text", ["", "50%", "10%,5%,100%", "1%,1%,100%", "0,100", "1%,x,100%"])
def test_shares_that_do_not_grow_to_all_stores_are_refused(text: str) -> None:
    with pytest.raises(RefusedError, match=r"software\.plan"):
        shares_of(text, 60)


@given(count=st.integers(0, 40), kinds=st.integers(1, 5), seed=st.integers(1, 1000))
def test_software_is_dealt_to_the_same_stores_as_prices(count: int, kinds: int, seed: int) -> None:
    stores = {f"s{n}": f"pi{n % kinds}" for n in range(count)}
    dealt = waves_of(DEFAULT, stores, seed)
    assert dealt == [wave for wave in waves(stores, seed) if wave]
    assert sorted(store for wave in dealt for store in wave) == sorted(stores)
    assert not dealt or len(dealt[0]) >= min(count, CANARY_MIN, len(stores))


def test_other_stores_come_first_each_time() -> None:
    firsts = {tuple(waves(chain(200), release_id)[0]) for release_id in range(20)}
    assert len(firsts) > 10


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"name": "a"}],
        [{"name": "a", "percent": 10, "group": "g"}],
        [{"name": "a", "percent": 50}, {"name": "b", "percent": 50}],
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(rows: list[dict[str, object]]) -> None:
    with pytest.raises(RefusedError, match=r"release\.plan"):
        plan_of(rows)


BERLIN, SHANGHAI, NEW_YORK = (
    ZoneInfo(name) for name in ("Europe/Berlin", "Asia/Shanghai", "America/New_York")
)


def test_each_store_begins_by_its_own_clock() -> None:
    shanghai, berlin, new_york = (
        starts_at_ms("2026-11-27T00:00", 0, zone) for zone in (SHANGHAI, BERLIN, NEW_YORK)
    )
    assert berlin - shanghai == 7 * HOUR
    assert new_york - berlin == 6 * HOUR
    assert starts_at_ms("", -60, BERLIN) == 0


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("2026-03-29T01:59", "2026-03-29T00:59"),
        ("2026-03-29T02:30", "2026-03-29T01:00"),  # the clock skips it: the first instant after
        ("2026-03-29T03:00", "2026-03-29T01:00"),
        ("2026-10-25T02:30", "2026-10-25T00:30"),  # the clock shows it twice: the first one
        ("2026-10-25T03:00", "2026-10-25T02:00"),
    ],
)
def test_a_start_on_the_night_when_clocks_change(local: str, utc: str) -> None:
    assert starts_at_ms(local, 0, BERLIN) == starts_at_ms(utc, 0, ZoneInfo("UTC"))


def test_an_offset_is_real_time_even_over_a_change_of_clocks() -> None:
    at_ms = starts_at_ms("2026-03-29T04:00", 0, BERLIN)
    assert starts_at_ms("2026-03-29T04:00", -120, BERLIN) == at_ms - 2 * HOUR


def test_small_releases_need_nobody_else_and_large_ones_say_why() -> None:
    policy = Policy()
    assert reasons(policy, Size(lines=200, stores=100, move_bp=3000), AT_ONCE) == []
    found = reasons(policy, Size(lines=201, stores=101, move_bp=9000, below_cost=2), DEFAULT)
    assert [each.rule for each in found] == ["lines", "move", "stores", "below_cost"]
    at_once = reasons(policy, Size(lines=201, stores=1), AT_ONCE)
    assert [each.rule for each in at_once] == ["lines", "plan"]
    tolerant = Policy(below_cost=False)
    assert reasons(tolerant, Size(lines=1, stores=1, below_cost=9), DEFAULT) == []


def test_a_plan_of_groups_keeps_them_and_gives_the_rest_to_the_last() -> None:
    plan = (WavePlan("pilot", group="pilot"), WavePlan("rest", 100))
    assert stores_of(plan, 1, chain(5), ["s1"], ["s1", "s0", "s2", "s3", "s4"]) == [
        *("s0", "s2", "s3", "s4")
    ]


def test_what_may_be_done_depends_on_state_and_person() -> None:
    buyer, approver = {PUBLICATION_PUBLISH}, {PUBLICATION_PUBLISH, RELEASE_APPROVE}
    assert verbs_of(State.REVIEW, buyer, may_approve=True) == [Verb.CANCEL]
    assert Verb.APPROVE in verbs_of(State.REVIEW, approver, may_approve=True)
    assert Verb.APPROVE not in verbs_of(State.REVIEW, approver, may_approve=False)
    assert Verb.HALT in verbs_of(State.ROLLING, buyer, may_approve=True)
    assert Verb.ADVANCE not in verbs_of(State.ROLLING, buyer, may_approve=True)
    assert verbs_of(State.CANCELLED, approver, may_approve=True) == []
    assert all(verb in NEEDS for verbs in VERBS.values() for verb in verbs)
