"""The box's planner: from what it has and what HQ desires to the one next step.

Pure, and repeated until nothing is left to do: converging is idempotent, so lost, repeated and
reordered messages do no harm. HQ names revisions (`Head`): one that is to be active now, and at
most a few that wait for their instants. Each is taken by its own manifest, in their order, and
is switched to once its instant has surely passed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shared.publication.manifest import Manifest, Piece, pieces_needed


@dataclass(frozen=True, slots=True)
class Head:
    """A revision that HQ wants a zone to sell with from `at_ms` on (UTC ms, 0 for at once)."""

    zone: str
    rev: int
    sha256: str
    sig: str
    inc: str
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class Desired:
    """What HQ wants of a box: its heads, the one for now first, ascending by revision.

    `gen` grows with each document of one incarnation of the cloud.
    """

    gen: int
    inc: str
    heads: tuple[Head, ...] = ()


@dataclass(frozen=True, slots=True)
class Staged:
    """A revision that a box holds, whole and checked; not to be active before `not_before_ms`.

    `not_before_ms` is what the signed manifest says.
    """

    rev: int
    inc: str
    not_before_ms: int = 0


@dataclass(frozen=True, slots=True)
class ReplicaState:
    """What a box has.

    `stored_rev` is what deltas can be put upon, of incarnation `inc` ("" when it is not trusted);
    `staged` what can be switched to; `manifest` the newest that was fetched and verified.
    """

    zone: str
    stored_rev: int
    active_rev: int
    inc: str
    active_inc: str = ""
    staged: tuple[Staged, ...] = ()
    manifest: Manifest | None = None
    manifest_sha256: str = ""


@dataclass(frozen=True, slots=True)
class FetchManifest:
    """Get the object that a head names."""

    head: Head


@dataclass(frozen=True, slots=True)
class Fetch:
    """Get and stage these objects, in this order, for a head whose manifest is there."""

    head: Head
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Activate:
    """Switch new baskets to a staged revision."""

    rev: int
    inc: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Everything is there; a staged revision waits for its instant (UTC ms)."""

    rev: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class Still:
    """Nothing to do: converged, or nothing is desired of this zone."""

    because: str = "current"


Step = FetchManifest | Fetch | Activate | Wait | Still


def newer_of(known: Desired | None, told: Desired) -> Desired:
    """The one of two desired documents to go by: messages may overtake each other."""
    is_older = known is not None and known.inc == told.inc and told.gen < known.gen
    return known if known is not None and is_older else told


def next_step(state: ReplicaState, desired: Desired | None, now_ms: int) -> Step:
    """The next step. `now_ms` is an instant of which it is sure that it has passed.

    A revision never goes back within one incarnation; nothing is activated before its instant.
    """
    due = due_step(state, desired, now_ms)
    if isinstance(due, Activate):
        return due
    fetch = fetch_step(state, desired)
    return due if isinstance(fetch, Still) and isinstance(due, Wait) else fetch


def due_step(state: ReplicaState, desired: Desired | None, now_ms: int) -> Activate | Wait | Still:
    """What to do with the staged revisions: switch to the newest that is due, or wait."""
    waiting: Wait | None = None
    found: Activate | None = None
    for head in _news(state, desired):
        staged = _staged(state, head)
        if staged is None:
            continue
        at_ms = max(head.at_ms, staged.not_before_ms)
        if at_ms <= now_ms:
            found = Activate(head.rev, head.inc)
        elif waiting is None or at_ms < waiting.until_ms:
            waiting = Wait(head.rev, at_ms)
    return found or waiting or Still()


def fetch_step(state: ReplicaState, desired: Desired | None) -> FetchManifest | Fetch | Still:
    """What to get next: whatever head, in their order, is not staged yet."""
    if desired is None or not desired.heads:
        return Still("nothing_desired")
    if all(head.zone != state.zone for head in desired.heads):
        return Still("other_zone")
    for head in _news(state, desired):
        if _staged(state, head) is None:
            return _get(state, head)
    is_behind = desired.inc == state.active_inc and desired.heads[-1].rev < state.active_rev
    return Still("older_revision" if is_behind else "current")


def _news(state: ReplicaState, desired: Desired | None) -> Iterator[Head]:
    """The heads that lie ahead of what is active."""
    for head in () if desired is None else desired.heads:
        is_ahead = head.inc != state.active_inc or head.rev > state.active_rev
        if head.zone == state.zone and is_ahead:
            yield head


def _staged(state: ReplicaState, head: Head) -> Staged | None:
    for staged in state.staged:
        if (staged.rev, staged.inc) == (head.rev, head.inc):
            return staged
    return None


def _get(state: ReplicaState, head: Head) -> FetchManifest | Fetch | Still:
    if state.manifest is None or state.manifest_sha256 != head.sha256:
        return FetchManifest(head)
    promised = (state.manifest.zone, state.manifest.rev, state.manifest.inc)
    if promised != (head.zone, head.rev, head.inc):
        # Fetching what it names would never end in what is desired.
        return Still("other_manifest")
    return Fetch(head, pieces_needed(state.manifest, state.stored_rev, state.inc))
