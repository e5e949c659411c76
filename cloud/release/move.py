"""What a release does next. Pure: all that it goes by is handed in.

Each move is carried out in one transaction and the question is asked anew, so it makes no
difference where a runner is killed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cloud.release.policy import NO_EVIDENCE, Evidence
from cloud.release.state import State

SECOND_MS = 1_000
STORE_PATIENCE_MS = 600_000
"""For so long a wave waits for boxes that are online and have not stored it."""
WHOLE_PERCENT = 100
BACK_PATIENCE_MS = 600_000
"""For so long a roll-back waits for them before it is called done."""


@dataclass(frozen=True, slots=True)
class WaveView:
    """A wave as it stands. Instants in UTC ms.

    `last_at_ms` is when its last store begins to sell by it (as it began: at once), `storing`
    how many of its boxes are online and have not stored it, `active` how many stores sell by it.
    """

    soak_s: int
    stores: int = 0
    started_at_ms: int | None = None
    is_done: bool = False
    last_at_ms: int = 0
    storing: int = 0
    active: int = 0


@dataclass(frozen=True, slots=True)
class Trip:
    """A guard that stops a release; `rolls_back` without asking anybody."""

    guard: str
    value: int
    rolls_back: bool = True


@dataclass(frozen=True, slots=True)
class Seen:
    """What the wave under way has shown: sales by the release, stores that sell by it."""

    sales: int = 0
    boxes: int = 0


@dataclass(frozen=True, slots=True)
class ReleaseView:
    """A release: `wave` is the one under way (-1: none), `since_ms` when its state began.

    `halt_rolls_back`: it was halted by a guard that takes everything back. `evidence` is what
    each wave has to show before the next one begins.
    """

    state: State
    waves: Sequence[WaveView]
    wave: int = -1
    since_ms: int = 0
    halt_rolls_back: bool = False
    evidence: Evidence = NO_EVIDENCE


@dataclass(frozen=True, slots=True)
class Facts:
    """What the world says: `next_first_at_ms` is when the next wave's first store would begin.

    `returning` counts boxes that are online and still sell by what was taken back; `left` stores
    that have not had their wave, `seen` what the wave under way has shown.
    """

    conflicts: tuple[int, ...] = ()
    trip: Trip | None = None
    next_first_at_ms: int = 0
    returning: int = 0
    left: int = 0
    seen: Seen = Seen()


@dataclass(frozen=True, slots=True)
class StartWave:
    """Bring it to the stores of the next wave; the one before is done."""

    n: int


@dataclass(frozen=True, slots=True)
class Queue:
    """Wait behind releases that change the same records."""

    behind: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Halt:
    """Stop; nothing more goes out."""

    trip: Trip


@dataclass(frozen=True, slots=True)
class RollBack:
    """Take it back from every store that has it."""


@dataclass(frozen=True, slots=True)
class RolledBack:
    """Every box that answers sells by the old content; `returning` do not answer yet."""

    returning: int = 0


@dataclass(frozen=True, slots=True)
class Finish:
    """All stores have it and the last wave has stood its time."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do until then (UTC ms; None: until something changes)."""

    why: str
    until_ms: int | None = None


WAITS = {State.REVIEW: "approval", State.PAUSED: "paused", State.HALTED: "halted"}
Move = StartWave | Queue | Halt | RollBack | RolledBack | Finish | Wait


def next_move(release: ReleaseView, facts: Facts, now_ms: int) -> Move:
    """The one thing that a release does now."""
    match release.state:
        case State.APPROVED | State.QUEUED:
            move = _begin(release, facts)
        case State.ROLLING | State.PAUSED if facts.trip:
            move = Halt(facts.trip)
        case State.ROLLING:
            move = _roll(release, facts, now_ms)
        case State.HALTED if release.halt_rolls_back:
            move = RollBack()
        case State.ROLLING_BACK:
            move = _return(release, facts, now_ms)
        case _:
            move = Wait(WAITS.get(release.state, "ended"))
    return move


def soaked_at_ms(release: ReleaseView, next_first_at_ms: int) -> int:
    """When the wave under way has stood its time.

    It counts from when its stores sell by it, unless the next wave's would begin before it was
    over: then from when it was sent, since a set start is kept.
    """
    wave = release.waves[release.wave]
    started = wave.started_at_ms or 0
    if wave.stores == 0:
        return started
    soak_ms = wave.soak_s * SECOND_MS
    in_force = max(started, wave.last_at_ms)
    is_last = release.wave == len(release.waves) - 1
    if is_last or in_force + soak_ms <= max(next_first_at_ms, started + soak_ms):
        return in_force + soak_ms
    return started + soak_ms


def _begin(release: ReleaseView, facts: Facts) -> Move:
    if not facts.conflicts:
        return StartWave(0)
    is_queued = release.state is State.QUEUED
    return Wait("conflict") if is_queued else Queue(facts.conflicts)


def _roll(release: ReleaseView, facts: Facts, now_ms: int) -> Move:
    wave = release.waves[release.wave]
    is_last = release.wave == len(release.waves) - 1
    in_force = max(each.last_at_ms for each in release.waves)
    if wave.is_done:  # a person would not wait
        if is_last and now_ms < in_force:
            return Wait("instant", in_force)
        return Finish() if is_last else StartWave(release.wave + 1)
    patient_until = (wave.started_at_ms or 0) + STORE_PATIENCE_MS
    if wave.storing and now_ms < patient_until:
        return Wait("storing", patient_until)
    soaked = soaked_at_ms(release, facts.next_first_at_ms)
    if is_last:
        soaked = max(soaked, in_force)
    if now_ms < soaked:
        return Wait("instant" if now_ms < wave.last_at_ms <= soaked else "soak", soaked)
    if is_last:
        return Finish()
    return _unproven(release, facts, now_ms, soaked) or StartWave(release.wave + 1)


def is_unproven(release: ReleaseView, facts: Facts, now_ms: int) -> bool:
    """Whether the wave under way has to show more before the next one begins.

    A wave that is not in force yet can show nothing: a start that is set for all is kept. Where
    no store is left nothing is held back either.
    """
    wave, wanted = release.waves[release.wave], release.evidence
    if not wave.stores or not facts.left or now_ms < wave.last_at_ms:
        return False
    boxes = facts.seen.boxes * WHOLE_PERCENT
    return facts.seen.sales < wanted.sales or boxes < wanted.boxes_percent * wave.stores


def _unproven(release: ReleaseView, facts: Facts, now_ms: int, soaked_ms: int) -> Move | None:
    if not is_unproven(release, facts, now_ms):
        return None
    until = soaked_ms + release.evidence.wait_s * SECOND_MS
    if now_ms < until:
        return Wait("evidence", until)
    return None if release.evidence.then == "go_on" else Wait("evidence_person")


def _return(release: ReleaseView, facts: Facts, now_ms: int) -> Move:
    patient_until = release.since_ms + BACK_PATIENCE_MS
    if facts.returning and now_ms < patient_until:
        return Wait("returning", patient_until)
    return RolledBack(facts.returning)
