from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.canonical import sha256
from shared.publication.activation import (
    Activate,
    Desired,
    Fetch,
    FetchManifest,
    ReplicaState,
    Still,
    next_step,
)
from shared.publication.manifest import Manifest, Piece, manifest_bytes
from shared.publication.revision import EMPTY_DIGEST, digest_add, digest_remove

ZONE = "store-343"
STEPS_MAX = 8


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=12), st.data())
def test_a_digest_does_not_know_the_order(hashes: list[bytes], data: st.DataObject) -> None:
    digest = EMPTY_DIGEST
    for each in hashes:
        digest = digest_add(digest, each)
    other = EMPTY_DIGEST
    for each in data.draw(st.permutations(hashes)):
        other = digest_add(other, each)
    assert digest == other
    for each in data.draw(st.permutations(hashes)):
        digest = digest_remove(digest, each)
    assert digest == EMPTY_DIGEST


def manifest_of(inc: str, revs: list[int]) -> Manifest:
    """The manifest that HQ publishes as the last of `revs`; the first one is the snapshot."""

    def piece(from_rev: int, to_rev: int) -> Piece:
        return Piece(from_rev, to_rev, sha256(f"{inc} {from_rev} {to_rev}".encode()).hex(), 9, 1)

    deltas = tuple(piece(*ends) for ends in pairwise(revs))
    return Manifest(ZONE, revs[-1], inc, "0" * 64, 1, (piece(0, revs[0]),), deltas)


class Cloud:
    """All that HQ ever published, in one or two lives."""

    def __init__(self, lives: dict[str, list[int]]) -> None:
        self.manifests: dict[str, Manifest] = {}
        self.desired: list[Desired] = []
        for inc, revs in lives.items():
            for end in range(1, len(revs) + 1):
                manifest = manifest_of(inc, revs[:end])
                name = sha256(manifest_bytes(manifest)).hex()
                self.manifests[name] = manifest
                self.desired.append(Desired(ZONE, manifest.rev, name, "sig", inc))


def obey(cloud: Cloud, state: ReplicaState, desired: Desired) -> ReplicaState:
    """A model replica: do what the planner says until it is still."""
    for _ in range(STEPS_MAX):
        step = next_step(state, desired)
        match step:
            case Still():
                return state
            case FetchManifest(name):
                state = replace(state, manifest=cloud.manifests[name], manifest_sha256=name)
            case Fetch(pieces):
                state = stage(state, pieces)
            case Activate(rev):
                assert rev == state.stored_rev
                state = replace(state, active_rev=rev, active_inc=state.inc)
    raise AssertionError("never still")


def stage(state: ReplicaState, pieces: tuple[Piece, ...]) -> ReplicaState:
    """Store pieces; they must lead on from what is stored, or begin from nothing."""
    assert pieces
    assert state.manifest is not None
    rev = 0 if pieces[0].from_rev == 0 else state.stored_rev
    if rev:
        assert state.inc == state.manifest.inc
    for piece in pieces:
        assert piece.from_rev == rev
        rev = piece.to_rev
    return replace(state, stored_rev=rev, inc=state.manifest.inc)


REVISIONS = st.lists(st.integers(1, 20), min_size=1, max_size=5, unique=True).map(sorted)
LIVES = st.fixed_dictionaries({"inc-1": REVISIONS}, optional={"inc-2": REVISIONS})
STATES = st.builds(
    ReplicaState,
    zone=st.just(ZONE),
    stored_rev=st.integers(0, 20),
    active_rev=st.integers(0, 20),
    inc=st.sampled_from(["", "inc-0", "inc-1", "inc-2"]),
    active_inc=st.sampled_from(["", "inc-0", "inc-1", "inc-2"]),
)


@given(LIVES, STATES, st.data())
def test_a_box_converges_from_any_state_whatever_came_before(
    lives: dict[str, list[int]], state: ReplicaState, data: st.DataObject
) -> None:
    cloud = Cloud(lives)
    for desired in data.draw(st.lists(st.sampled_from(cloud.desired), max_size=8)):
        state = obey(cloud, state, desired)
    last = cloud.desired[-1]
    state = obey(cloud, state, last)
    if state.inc == last.inc and state.stored_rev > last.rev:
        return  # It began with more than HQ ever published in this life, and never goes back.
    assert (state.stored_rev, state.active_rev) == (last.rev, last.rev)
    assert (state.inc, state.active_inc) == (last.inc, last.inc)


@given(LIVES, st.data())
def test_a_revision_never_goes_back_within_one_life(
    lives: dict[str, list[int]], data: st.DataObject
) -> None:
    cloud = Cloud({"inc-1": lives["inc-1"]})
    state = ReplicaState(ZONE, 0, 0, "", active_inc="")
    seen = 0
    for desired in data.draw(st.lists(st.sampled_from(cloud.desired), min_size=1, max_size=10)):
        state = obey(cloud, state, desired)
        seen = max(seen, desired.rev)
        assert state.active_rev == state.stored_rev == seen
