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
    """What a box has. `manifest` is the desired one once it is fetched and verified.

    `inc` is the incarnation of what is stored, `active_inc` of what is active (None: the same).
    """

    zone: str
    stored_rev: int
    active_rev: int
    inc: str
    manifest: Manifest | None = None
    manifest_sha256: str = ""
    active_inc: str | None = None

    @property
    def is_active(self) -> bool:
        """Whether what is stored is what new baskets are priced with."""
        return self.active_rev == self.stored_rev and self.active_inc in {None, self.inc}


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
    if desired.inc == state.inc and desired.rev <= state.stored_rev:
        return _with_stored(state, desired)
    if state.manifest is None or state.manifest_sha256 != desired.sha256:
        return FetchManifest(desired.sha256)
    promised = (state.manifest.zone, state.manifest.rev, state.manifest.inc)
    if promised != (desired.zone, desired.rev, desired.inc):
        # Fetching what it names would never end in what is desired.
        return Still("other_manifest")
    return Fetch(pieces_needed(state.manifest, state.stored_rev, state.inc))


def _with_stored(state: ReplicaState, desired: Desired) -> Step:
    if desired.rev < state.stored_rev:
        return Still("older_revision")
    return Still() if state.is_active else Activate(state.stored_rev)
