"""When the state of a device becomes a fact: one for each trouble, none for a flicker. Pure.

A device that is pulled out and put back within two seconds is no news; a plug that keeps
slipping is, although it is well again each time somebody looks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge.device.ports import DeviceState

PATIENCE_MS = 2_000
CONNECTING_PATIENCE_MS = 15_000
"""A printer that is being called has not failed yet."""
CALM_SHARE = 4
"""Being well pays off being ill this much more slowly, so that flapping adds up."""
HOUR_MS = 3_600_000
FACTS_MAX = 20
"""Of one device in an hour; the last of them is a fault that stays open, told with its count."""


@dataclass(frozen=True, slots=True)
class Faulted:
    """A trouble began, or got worse; `code` is what the device says, `state` what it is."""

    code: str
    state: str


@dataclass(frozen=True, slots=True)
class Recovered:
    """It is over: after so long, with so many faults in between."""

    after_ms: int
    times: int


Fact = Faulted | Recovered


@dataclass(frozen=True, slots=True)
class Watched:
    """What the watch remembers of a device; all times of the monotonic clock, in ms.

    `ill_ms` is how ill it has been lately, `well_since_ms` since when it is well. `opened_at_ms`
    is None while no fault stands. `told_at_ms` are the facts of the last hour.
    """

    seen_at_ms: int
    ill_ms: int = 0
    well_since_ms: int | None = None
    opened_at_ms: int | None = None
    is_worst: bool = False
    is_settled: bool = False
    times: int = 0
    told_at_ms: tuple[int, ...] = ()


def is_well(state: DeviceState) -> bool:
    """Ready; or absent without a fault: nobody said that it should be there."""
    return state.state == "ready" or (state.state == "absent" and state.last_fault is None)


def reopened(now_ms: int, age_ms: int, *, is_worst: bool) -> Watched:
    """What is remembered of a device whose trouble began before the box was restarted."""
    opened = now_ms - age_ms
    return Watched(now_ms, PATIENCE_MS, None, opened, is_worst, is_settled=True, times=1)


def step(watched: Watched, state: DeviceState, now_ms: int) -> tuple[Watched, list[Fact]]:
    """Look at a device once more; the facts that this makes, none as a rule."""
    passed = max(0, now_ms - watched.seen_at_ms)
    told = tuple(at for at in watched.told_at_ms if now_ms - at < HOUR_MS)
    watched = replace(watched, seen_at_ms=now_ms, told_at_ms=told)
    if is_well(state):
        return _well(watched, passed, now_ms)
    return _ill(watched, state, passed, now_ms)


def _well(watched: Watched, passed_ms: int, now_ms: int) -> tuple[Watched, list[Fact]]:
    since = now_ms if watched.well_since_ms is None else watched.well_since_ms
    ill = max(0, watched.ill_ms - passed_ms // CALM_SHARE)
    watched = replace(watched, ill_ms=ill, well_since_ms=since)
    opened = watched.opened_at_ms
    if opened is None or now_ms - since < PATIENCE_MS:
        return watched, []
    watched = replace(watched, is_settled=False)
    if len(watched.told_at_ms) >= FACTS_MAX - 1:
        return watched, []
    fact = Recovered(now_ms - opened, watched.times)
    watched = replace(watched, opened_at_ms=None, is_worst=False, times=0, ill_ms=0)
    return _told(watched, now_ms), [fact]


def _ill(
    watched: Watched, state: DeviceState, passed_ms: int, now_ms: int
) -> tuple[Watched, list[Fact]]:
    patience = CONNECTING_PATIENCE_MS if state.state == "connecting" else PATIENCE_MS
    # What passed before it was first seen ill was a good time, or nobody knows.
    grown = passed_ms if watched.well_since_ms is None else 0
    ill = min(watched.ill_ms + grown, CONNECTING_PATIENCE_MS)
    watched = replace(watched, ill_ms=ill, well_since_ms=None)
    if ill < patience:
        return watched, []
    times = watched.times + (not watched.is_settled)
    is_bad = state.state != "degraded"
    is_news = watched.opened_at_ms is None or (is_bad and not watched.is_worst)
    watched = replace(watched, times=times, is_settled=True)
    if not is_news or len(watched.told_at_ms) >= FACTS_MAX:
        return watched, []
    opened = now_ms - ill if watched.opened_at_ms is None else watched.opened_at_ms
    watched = replace(watched, opened_at_ms=opened, is_worst=is_bad)
    return _told(watched, now_ms), [Faulted(state.last_fault or "device.silent", state.state)]


def _told(watched: Watched, now_ms: int) -> Watched:
    return replace(watched, told_at_ms=(*watched.told_at_ms, now_ms))
