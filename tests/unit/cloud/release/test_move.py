"""What a release does next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.release.move import (
    BACK_PATIENCE_MS,
    STORE_PATIENCE_MS,
    Facts,
    Finish,
    Halt,
    Move,
    Queue,
    ReleaseView,
    RollBack,
    RolledBack,
    Seen,
    StartWave,
    Trip,
    Wait,
    WaveView,
    next_move,
)
from cloud.release.policy import Evidence
from cloud.release.state import MOVING, State

T0 = 1_000_000_000
SOAK = 900
SOAK_MS = SOAK * 1000
DAY = 86_400_000
WANTED = Evidence(sales=20, boxes_percent=50, wait_s=3_600)
GO_ON = Evidence(sales=20, boxes_percent=50, wait_s=3_600, then="go_on")
NIGHT_MS = 3_600_000
PROVEN = Seen(sales=20, boxes=2)
NEVER = 1 << 62
FRESH = WaveView(SOAK)
TRIP = Trip("zero_lines", 10_000)


def begun(
    at_ms: int = T0,
    *,
    stores: int = 3,
    is_done: bool = False,
    last_at_ms: int | None = None,
    storing: int = 0,
) -> WaveView:
    last = at_ms if last_at_ms is None else last_at_ms
    return WaveView(SOAK, stores, at_ms, is_done, last, storing)


def rolling(*waves: WaveView, wave: int = 0, state: State = State.ROLLING) -> ReleaseView:
    return ReleaseView(state, waves, wave, T0)


def proving(*waves: WaveView, evidence: Evidence = WANTED) -> ReleaseView:
    return ReleaseView(State.ROLLING, waves, 0, T0, evidence=evidence)


TABLE: list[tuple[str, ReleaseView, Facts, int, Move]] = [
    (
        "nobody has approved it",
        ReleaseView(State.REVIEW, (FRESH,)),
        Facts(),
        T0,
        Wait("approval"),
    ),
    ("it begins", ReleaseView(State.APPROVED, (FRESH,)), Facts(), T0, StartWave(0)),
    (
        "others change the same",
        ReleaseView(State.APPROVED, (FRESH,)),
        Facts(conflicts=(7,)),
        T0,
        Queue((7,)),
    ),
    (
        "they still do",
        ReleaseView(State.QUEUED, (FRESH,)),
        Facts(conflicts=(7,)),
        T0,
        Wait("conflict"),
    ),
    ("they have ended", ReleaseView(State.QUEUED, (FRESH,)), Facts(), T0, StartWave(0)),
    (
        "boxes still fetch",
        rolling(begun(storing=1), FRESH),
        Facts(),
        T0 + SOAK_MS,
        StartWave(1),
    ),
    (
        "boxes fetch and have time",
        rolling(begun(storing=1), FRESH),
        Facts(),
        T0 + 1,
        Wait("storing", T0 + STORE_PATIENCE_MS),
    ),
    (
        "it soaks",
        rolling(begun(), FRESH),
        Facts(),
        T0 + SOAK_MS - 1,
        Wait("soak", T0 + SOAK_MS),
    ),
    ("it has soaked", rolling(begun(), FRESH), Facts(), T0 + SOAK_MS, StartWave(1)),
    (
        "nobody has bought anything",
        proving(begun(), FRESH),
        Facts(left=5, seen=Seen(sales=19, boxes=3)),
        T0 + SOAK_MS,
        Wait("evidence", T0 + SOAK_MS + NIGHT_MS),
    ),
    (
        "too few boxes sell by it",
        proving(begun(), FRESH),
        Facts(left=5, seen=Seen(sales=99, boxes=1)),
        T0 + SOAK_MS,
        Wait("evidence", T0 + SOAK_MS + NIGHT_MS),
    ),
    (
        "enough was seen",
        proving(begun(), FRESH),
        Facts(left=5, seen=PROVEN),
        T0 + SOAK_MS,
        StartWave(1),
    ),
    (
        "a night without a sale asks a person",
        proving(begun(), FRESH),
        Facts(left=5),
        T0 + SOAK_MS + NIGHT_MS,
        Wait("evidence_person"),
    ),
    (
        "or goes on, if the policy says so",
        proving(begun(), FRESH, evidence=GO_ON),
        Facts(left=5),
        T0 + SOAK_MS + NIGHT_MS,
        StartWave(1),
    ),
    (
        "sales of the morning let it go on by itself",
        proving(begun(), FRESH),
        Facts(left=5, seen=PROVEN),
        T0 + SOAK_MS + DAY,
        StartWave(1),
    ),
    (
        "a person needs no evidence",
        proving(begun(is_done=True), FRESH),
        Facts(left=5),
        T0 + 1,
        StartWave(1),
    ),
    (
        "nothing is left to be held back",
        proving(begun(), FRESH),
        Facts(left=0),
        T0 + SOAK_MS,
        StartWave(1),
    ),
    (
        "what is not in force can show nothing",
        proving(begun(last_at_ms=T0 + DAY), FRESH),
        Facts(next_first_at_ms=T0 + DAY, left=5),
        T0 + SOAK_MS,
        StartWave(1),
    ),
    (
        "an early canary has to show something",
        proving(begun(last_at_ms=T0 + DAY), FRESH),
        Facts(next_first_at_ms=T0 + DAY + SOAK_MS, left=5),
        T0 + DAY + SOAK_MS,
        Wait("evidence", T0 + DAY + SOAK_MS + NIGHT_MS),
    ),
    (
        "a wave without stores has nothing to show",
        proving(begun(stores=0), FRESH),
        Facts(left=5),
        T0,
        StartWave(1),
    ),
    (
        "the last wave holds back nobody",
        proving(begun()),
        Facts(left=5),
        T0 + SOAK_MS,
        Finish(),
    ),
    (
        "an early canary is waited for",
        rolling(begun(last_at_ms=T0 + DAY), FRESH),
        Facts(next_first_at_ms=T0 + DAY + SOAK_MS),
        T0 + SOAK_MS,
        Wait("instant", T0 + DAY + SOAK_MS),
    ),
    (
        "a set start is kept by all waves",
        rolling(begun(last_at_ms=T0 + DAY), FRESH),
        Facts(next_first_at_ms=T0 + DAY),
        T0 + SOAK_MS,
        StartWave(1),
    ),
    (
        "the last wave soaks once it sells by it",
        rolling(begun(is_done=True), begun(last_at_ms=T0 + DAY), wave=1),
        Facts(),
        T0 + SOAK_MS,
        Wait("instant", T0 + DAY + SOAK_MS),
    ),
    (
        "it is done",
        rolling(begun(is_done=True), begun(), wave=1),
        Facts(),
        T0 + SOAK_MS,
        Finish(),
    ),
    (
        "a person would not wait",
        rolling(begun(is_done=True), FRESH),
        Facts(),
        T0 + 1,
        StartWave(1),
    ),
    (
        "not even for the last wave",
        rolling(begun(is_done=True)),
        Facts(),
        T0 + 1,
        Finish(),
    ),
    (
        "but its instant is kept",
        rolling(begun(is_done=True, last_at_ms=T0 + DAY)),
        Facts(),
        T0 + 1,
        Wait("instant", T0 + DAY),
    ),
    (
        "a wave without stores takes no time",
        rolling(begun(is_done=True), begun(stores=0), FRESH, wave=1),
        Facts(next_first_at_ms=NEVER),
        T0,
        StartWave(2),
    ),
    (
        "the last wave is empty and the first not in force",
        rolling(begun(is_done=True, last_at_ms=T0 + DAY), begun(stores=0), wave=1),
        Facts(),
        T0 + SOAK_MS,
        Wait("soak", T0 + DAY),
    ),
    ("a guard trips", rolling(begun(), FRESH), Facts(trip=TRIP), T0, Halt(TRIP)),
    (
        "a guard trips while it pauses",
        rolling(begun(), FRESH, state=State.PAUSED),
        Facts(trip=TRIP),
        T0,
        Halt(TRIP),
    ),
    (
        "it pauses",
        rolling(begun(), FRESH, state=State.PAUSED),
        Facts(),
        T0 + DAY,
        Wait("paused"),
    ),
    (
        "a person halted it",
        rolling(begun(), FRESH, state=State.HALTED),
        Facts(),
        T0 + DAY,
        Wait("halted"),
    ),
    (
        "a guard halted it",
        ReleaseView(State.HALTED, (begun(),), 0, T0, halt_rolls_back=True),
        Facts(),
        T0,
        RollBack(),
    ),
    (
        "boxes return",
        rolling(begun(), state=State.ROLLING_BACK),
        Facts(returning=2),
        T0 + 1,
        Wait("returning", T0 + BACK_PATIENCE_MS),
    ),
    (
        "all have returned",
        rolling(begun(), state=State.ROLLING_BACK),
        Facts(),
        T0 + 1,
        RolledBack(0),
    ),
    (
        "two do not answer",
        rolling(begun(), state=State.ROLLING_BACK),
        Facts(returning=2),
        T0 + BACK_PATIENCE_MS,
        RolledBack(2),
    ),
    ("it is over", rolling(begun(), state=State.DONE), Facts(trip=TRIP), T0, Wait("ended")),
    ("it was refused", ReleaseView(State.REJECTED, (FRESH,)), Facts(), T0, Wait("ended")),
]


@pytest.mark.parametrize(
    ("release", "facts", "now_ms", "move"),
    [row[1:] for row in TABLE],
    ids=[row[0] for row in TABLE],
)
def test_the_next_move_is_the_one_in_the_table(
    release: ReleaseView, facts: Facts, now_ms: int, move: Move
) -> None:
    assert next_move(release, facts, now_ms) == move


INSTANTS = st.integers(0, 3).map(lambda number: T0 + number * SOAK_MS)
WAVES = st.builds(
    WaveView,
    soak_s=st.sampled_from((0, 60, SOAK)),
    stores=st.integers(0, 3),
    started_at_ms=st.one_of(st.none(), INSTANTS),
    is_done=st.booleans(),
    last_at_ms=st.one_of(st.just(0), INSTANTS),
    storing=st.integers(0, 2),
)
RELEASES = st.lists(WAVES, min_size=1, max_size=4).flatmap(
    lambda waves: st.builds(
        ReleaseView,
        state=st.sampled_from(State),
        waves=st.just(tuple(waves)),
        wave=st.integers(0, len(waves) - 1),
        since_ms=INSTANTS,
        halt_rolls_back=st.booleans(),
        evidence=st.sampled_from((Evidence(), WANTED, GO_ON)),
    )
)
FACTS = st.builds(
    Facts,
    conflicts=st.sampled_from(((), (7,))),
    trip=st.sampled_from((None, TRIP)),
    next_first_at_ms=st.one_of(st.just(0), INSTANTS, st.just(NEVER)),
    returning=st.integers(0, 2),
    left=st.integers(0, 2),
    seen=st.builds(Seen, sales=st.sampled_from((0, 20)), boxes=st.integers(0, 3)),
)


@given(release=RELEASES, facts=FACTS, now_ms=INSTANTS)
def test_a_tripped_guard_lets_no_further_wave_out(
    release: ReleaseView, facts: Facts, now_ms: int
) -> None:
    move = next_move(release, facts, now_ms)
    out = release.state in {State.ROLLING, State.PAUSED}
    assert not (facts.trip and out) or isinstance(move, Halt)
    assert not isinstance(move, StartWave) or release.state in {
        State.APPROVED,
        State.QUEUED,
        State.ROLLING,
    }


@given(release=RELEASES, facts=FACTS, now_ms=INSTANTS)
def test_who_waits_waits_for_something_that_comes(
    release: ReleaseView, facts: Facts, now_ms: int
) -> None:
    """A wait without an end is for a person or another release, and no wait ends in the past."""
    move = next_move(release, facts, now_ms)
    if not isinstance(move, Wait):
        return
    if move.until_ms is None:
        assert move.why in {
            *("approval", "paused", "halted", "ended", "conflict", "evidence_person")
        }
    else:
        assert move.until_ms > now_ms


@given(release=RELEASES, facts=FACTS, now_ms=INSTANTS)
def test_what_stands_still_is_no_release_in_flight_that_could_go_on(
    release: ReleaseView, facts: Facts, now_ms: int
) -> None:
    move = next_move(release, facts, now_ms)
    if release.state not in MOVING:
        assert isinstance(move, Wait)
    if isinstance(move, (Finish, StartWave)) and release.state is State.ROLLING:
        assert facts.trip is None
    if isinstance(move, Finish):
        assert release.wave == len(release.waves) - 1
        assert all(wave.last_at_ms <= now_ms for wave in release.waves)


def test_every_release_without_trouble_comes_to_its_end() -> None:
    """Carried out move by move, it takes its waves in turn and their soak times, then is done."""
    waves, state, now_ms, wave = [FRESH] * 4, State.APPROVED, T0, -1
    started: list[int] = []
    for _ in range(40):
        move = next_move(ReleaseView(state, tuple(waves), wave), Facts(), now_ms)
        match move:
            case StartWave(n):
                if n:
                    waves[n - 1] = begun(started[-1], is_done=True)
                waves[n], wave, state = begun(now_ms), n, State.ROLLING
                started.append(now_ms)
            case Wait(_, until_ms):
                assert until_ms is not None
                now_ms = until_ms
            case _:
                assert move == Finish()
                break
    assert started == [T0 + n * SOAK_MS for n in range(4)]
    assert now_ms == T0 + 4 * SOAK_MS
