from __future__ import annotations

from dataclasses import replace

import pytest

from shared.release.state import (
    HEALTH_MS,
    RELAPSE_MS,
    STEPS_MAX,
    UNDER_WAY,
    WATCH_MS,
    Progress,
    Slots,
    Standing,
    State,
    Vitals,
    Wanted,
    begin,
    done,
    failed,
    settled,
    watched,
)

OLD, NEW = "1.0", "1.1"
WISH = Wanted("ab" * 32, NEW)
QUIET = Slots(OLD)
TRIAL = Slots(OLD, NEW)
BACK = Slots(OLD, failed=NEW, because="release.crashed")
PASSED = Slots(NEW)
NOW = 1_000


def at(state: State, **changed: object) -> Progress:
    return replace(Progress(state, WISH.sha256, NEW, 0, 3), **changed)


def test_an_update_goes_through_its_states_in_order() -> None:
    progress, seen = begin(Progress(), WISH, NOW), []
    while progress.state in UNDER_WAY:
        seen.append(progress.state.value)
        progress = done(progress, NOW)
    assert seen == ["download", "install", "verify", "swap", "watch", "commit"]
    assert progress.state is State.IDLE


@pytest.mark.parametrize(
    ("state", "after"),
    [
        (State.DOWNLOAD, State.FAILED),
        (State.INSTALL, State.FAILED),
        (State.VERIFY, State.FAILED),
        (State.SWAP, State.FAILED),
        (State.WATCH, State.ROLLBACK),
        (State.COMMIT, State.ROLLBACK),
    ],
)
def test_a_failure_before_the_swap_ends_it_and_one_after_it_goes_back(
    state: State, after: State
) -> None:
    found = failed(at(state), "release.replay", NOW)
    assert (found.state, found.error) == (after, "release.replay")


@pytest.mark.parametrize(
    ("state", "running", "slots", "wanted", "after"),
    [
        # A new wish begins an update, the running version none.
        (State.IDLE, OLD, QUIET, WISH, State.DOWNLOAD),
        (State.IDLE, NEW, PASSED, WISH, State.IDLE),
        (State.IDLE, OLD, QUIET, None, State.IDLE),
        # What failed is tried again only under another description.
        (State.FAILED, OLD, BACK, WISH, State.FAILED),
        (State.FAILED, OLD, BACK, Wanted("cd" * 32, NEW), State.DOWNLOAD),
        # Nothing is put in place that is not wanted any more.
        (State.DOWNLOAD, OLD, QUIET, None, State.IDLE),
        (State.SWAP, OLD, QUIET, Wanted("cd" * 32, "1.2"), State.IDLE),
        # A cut-off action is done again.
        (State.DOWNLOAD, OLD, QUIET, WISH, State.DOWNLOAD),
        (State.INSTALL, OLD, QUIET, WISH, State.INSTALL),
        (State.VERIFY, OLD, QUIET, WISH, State.VERIFY),
        (State.SWAP, OLD, TRIAL, WISH, State.SWAP),
        # The new version runs.
        (State.SWAP, NEW, TRIAL, WISH, State.WATCH),
        (State.WATCH, NEW, TRIAL, WISH, State.WATCH),
        (State.WATCH, NEW, TRIAL, None, State.WATCH),
        (State.WATCH, NEW, PASSED, WISH, State.COMMIT),
        (State.WATCH, NEW, TRIAL, Wanted("ef" * 32, OLD), State.ROLLBACK),
        (State.COMMIT, NEW, PASSED, WISH, State.COMMIT),
        # The launcher, or the box itself, went back.
        (State.SWAP, OLD, BACK, WISH, State.FAILED),
        (State.WATCH, OLD, BACK, WISH, State.FAILED),
        (State.WATCH, OLD, QUIET, WISH, State.FAILED),
        (State.ROLLBACK, NEW, TRIAL, WISH, State.ROLLBACK),
        (State.ROLLBACK, OLD, BACK, WISH, State.FAILED),
        (State.ROLLBACK, OLD, QUIET, WISH, State.FAILED),
    ],
)
def test_after_a_start_the_state_fits_what_runs(
    state: State, running: str, slots: Slots, wanted: Wanted | None, after: State
) -> None:
    assert settled(at(state), Standing(running, slots, wanted), NOW).state is after


def test_why_the_launcher_went_back_is_told() -> None:
    assert settled(at(State.WATCH), Standing(OLD, BACK, WISH), NOW).error == "release.crashed"
    told = settled(at(State.ROLLBACK, error="release.ui"), Standing(OLD, QUIET, WISH), NOW)
    assert told.error == "release.ui"


def test_no_update_goes_round_for_ever() -> None:
    before = failed(at(State.DOWNLOAD, steps=STEPS_MAX), "x", NOW)
    assert before.state is State.FAILED
    assert done(at(State.DOWNLOAD, steps=STEPS_MAX), NOW).error == "release.loop"
    assert done(at(State.WATCH, steps=STEPS_MAX), NOW).state is State.ROLLBACK


@pytest.mark.parametrize(
    ("vitals", "now_ms", "verdict"),
    [
        (Vitals(0), HEALTH_MS - 1, None),
        (Vitals(0), HEALTH_MS, "release.unhealthy"),
        (Vitals(0, code="release.ui"), HEALTH_MS, "release.ui"),
        (Vitals(0, healthy_ms=5), WATCH_MS, None),
        (Vitals(0, healthy_ms=5), WATCH_MS + 5, ""),
        (Vitals(0, 5, ill_ms=9, code="release.ui"), 9 + RELAPSE_MS - 1, None),
        (Vitals(0, 5, ill_ms=9, code="release.ui"), 9 + RELAPSE_MS, "release.ui"),
        (Vitals(0, 5, ill_ms=WATCH_MS, code="release.ui"), WATCH_MS + 5, None),
    ],
)
def test_software_on_trial_is_judged_by_its_health(
    vitals: Vitals, now_ms: int, verdict: str | None
) -> None:
    assert watched(vitals, now_ms) == verdict
