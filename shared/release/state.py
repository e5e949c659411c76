"""The box's update as a state machine: what comes next, whatever was interrupted. Pure.

The box writes each state down before it acts on it, and each action may be done again: so a cut at
any point is a repeat of the last action, never a half of one. Two things decide which software
runs, the launcher's note (`Slots`) and the link that it points to; this machine only follows them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

STEPS_MAX = 28
"""States that one update may write down before it is given up: no box may update for ever."""
HEALTH_MS = 120_000
"""How long software that was just put in place has to become healthy."""
WATCH_MS = 600_000
"""How long it has to stay so before it is trusted."""
RELAPSE_MS = 60_000
"""How long it may be unhealthy in that time."""


class State(StrEnum):
    """Where an update stands; the words of `SoftwareReport.state`."""

    IDLE = "idle"
    DOWNLOAD = "download"
    INSTALL = "install"
    VERIFY = "verify"
    SWAP = "swap"
    WATCH = "watch"
    COMMIT = "commit"
    ROLLBACK = "rollback"
    FAILED = "failed"


BEFORE_SWAP = frozenset({State.DOWNLOAD, State.INSTALL, State.VERIFY, State.SWAP})
UNDER_WAY = BEFORE_SWAP | {State.WATCH, State.COMMIT, State.ROLLBACK}
_NEXT = {
    State.DOWNLOAD: State.INSTALL,
    State.INSTALL: State.VERIFY,
    State.VERIFY: State.SWAP,
    State.SWAP: State.WATCH,
    State.WATCH: State.COMMIT,
    State.COMMIT: State.IDLE,
    State.ROLLBACK: State.FAILED,
}


@dataclass(frozen=True, slots=True)
class Progress:
    """What a box remembers of its update.

    `sha256` and `version` name the release at hand (or the last one), `no` the newest description
    that was committed; `since_ms` (UTC) is when the state began, `steps` counts states since the
    update began, `error` is why it failed.
    """

    state: State = State.IDLE
    sha256: str = ""
    version: str = ""
    since_ms: int = 0
    steps: int = 0
    error: str = ""
    no: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """The release that HQ wants here: SHA-256 of its description (hex), and its version."""

    sha256: str
    version: str


@dataclass(frozen=True, slots=True)
class Slots:
    """The launcher's note: `trusted` runs unless `trial` is on probation.

    `failed` is the version that the launcher (or the box) went back from, `because` a code.
    """

    trusted: str
    trial: str = ""
    failed: str = ""
    because: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is so at this moment: running version, the launcher's note, and HQ's wish."""

    running: str
    slots: Slots
    wanted: Wanted | None = None


@dataclass(frozen=True, slots=True)
class Vitals:
    """Health of software on trial. `code` is what is wrong now, "" for nothing.

    Instants are ms of one clock that never jumps: `began_ms` when it was started, `healthy_ms` when
    it was first healthy (0: not yet), `ill_ms` since when it is ill (0: it is not).
    """

    began_ms: int
    healthy_ms: int = 0
    ill_ms: int = 0
    code: str = ""


def begin(progress: Progress, wanted: Wanted, now_ms: int) -> Progress:
    """The first state of an update."""
    return replace(
        progress,
        state=State.DOWNLOAD,
        sha256=wanted.sha256,
        version=wanted.version,
        since_ms=now_ms,
        steps=1,
        error="",
    )


def done(progress: Progress, now_ms: int) -> Progress:
    """What follows when the work of a state is finished."""
    return _to(progress, _NEXT[progress.state], now_ms)


def failed(progress: Progress, code: str, now_ms: int) -> Progress:
    """What follows when the work of a state cannot be done: what runs on trial goes back first."""
    state = State.ROLLBACK if progress.state in {State.WATCH, State.COMMIT} else State.FAILED
    return replace(_to(progress, state, now_ms), error=code)


def settled(progress: Progress, standing: Standing, now_ms: int) -> Progress:
    """The state that fits what is so: after a start, a new wish, or what the launcher did.

    Answers `progress` itself when nothing is to be corrected.
    """
    state = progress.state
    if state in UNDER_WAY and standing.slots.failed == progress.version:
        return _lost(progress, standing.slots.because or "release.lost", now_ms)
    if state is State.SWAP and standing.running == progress.version:
        return _to(progress, State.WATCH, now_ms)
    if state in {State.WATCH, State.COMMIT, State.ROLLBACK}:
        return _after_swap(progress, standing, now_ms)
    wanted = standing.wanted
    if state in BEFORE_SWAP and (wanted is None or wanted.sha256 != progress.sha256):
        return _to(progress, State.IDLE, now_ms)  # no harm is done yet: the wish has changed
    if state not in UNDER_WAY and wanted is not None and _is_new(progress, standing, wanted):
        return begin(progress, wanted, now_ms)
    return progress


def watched(vitals: Vitals, now_ms: int) -> str | None:
    """What became of software on trial: "" when it is to be trusted, a code when it is to go.

    None while it is to be watched on.
    """
    if not vitals.healthy_ms:
        is_late = now_ms - vitals.began_ms >= HEALTH_MS
        return (vitals.code or "release.unhealthy") if is_late else None
    if vitals.ill_ms:
        return vitals.code if now_ms - vitals.ill_ms >= RELAPSE_MS else None
    return "" if now_ms - vitals.healthy_ms >= WATCH_MS else None


def _is_new(progress: Progress, standing: Standing, wanted: Wanted) -> bool:
    if wanted.version == standing.running:
        return False
    # What has failed once is not tried again until HQ signs another description of it.
    return not (progress.state is State.FAILED and progress.sha256 == wanted.sha256)


def _after_swap(progress: Progress, standing: Standing, now_ms: int) -> Progress:
    slots = standing.slots
    if standing.running != progress.version:  # the launcher started the version before
        return _lost(progress, progress.error or "release.lost", now_ms)
    if progress.state is not State.WATCH:
        return progress
    if slots.trusted == progress.version:
        return _to(progress, State.COMMIT, now_ms)
    if standing.wanted is not None and standing.wanted.version == slots.trusted:
        return failed(progress, "release.withdrawn", now_ms)
    return progress


def _lost(progress: Progress, code: str, now_ms: int) -> Progress:
    return replace(_to(progress, State.FAILED, now_ms), error=code)


def _to(progress: Progress, state: State, now_ms: int) -> Progress:
    steps = progress.steps + 1
    if steps > STEPS_MAX and state in UNDER_WAY and state is not State.ROLLBACK:
        is_on_trial = progress.state in {State.WATCH, State.COMMIT}
        state = State.ROLLBACK if is_on_trial else State.FAILED
        return replace(progress, state=state, since_ms=now_ms, steps=steps, error="release.loop")
    error = progress.error if state in {State.FAILED, State.ROLLBACK} else ""
    return replace(progress, state=state, since_ms=now_ms, steps=steps, error=error)
