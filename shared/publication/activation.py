"""The box's planner: from what it has and what HQ desires to the one next step.

Pure, and repeated until it says `Still`: converging is idempotent, so lost, repeated and
reordered messages do no harm.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.publication.manifest import Manifest, Piece, pieces_needed


@dataclass(frozen=True, slots=True)
class Desired:
    """What HQ wants a zone to sell with; heads only."""

    zone: str
    rev: int
    sha256: str
    sig: str
    inc: str


@dataclass(frozen=True, slots=True)
class ReplicaState:
    """What a box has. `manifest` is the desired one once it is fetched and verified."""

    zone: str
    stored_rev: int
    active_rev: int
    inc: str
    manifest: Manifest | None = None
    manifest_sha256: str = ""


@dataclass(frozen=True, slots=True)
class FetchManifest:
    """Get the object that `desired` names."""

    sha256: str


@dataclass(frozen=True, slots=True)
class Fetch:
    """Get and stage these objects, in this order."""

    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Activate:
    """Switch new baskets to the stored revision."""

    rev: int


@dataclass(frozen=True, slots=True)
class Still:
    """Nothing to do: converged, or nothing is desired of this zone."""

    because: str = "current"


Step = FetchManifest | Fetch | Activate | Still


def next_step(state: ReplicaState, desired: Desired | None) -> Step:
    """The next step towards `desired`. A revision never goes back within one incarnation."""
    if desired is None:
        return Still("nothing_desired")
    if desired.zone != state.zone:
        return Still("other_zone")
    same_life = desired.inc == state.inc
    if same_life and desired.rev < state.stored_rev:
        return Still("older_revision")
    if same_life and state.stored_rev == desired.rev:
        return Still() if state.active_rev == state.stored_rev else Activate(state.stored_rev)
    if state.manifest is None or state.manifest_sha256 != desired.sha256:
        return FetchManifest(desired.sha256)
    return Fetch(pieces_needed(state.manifest, state.stored_rev, state.inc))
