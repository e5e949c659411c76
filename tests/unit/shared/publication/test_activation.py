from __future__ import annotations

from dataclasses import replace

import pytest

from shared.kernel.canonical import sha256
from shared.publication.activation import (
    Activate,
    Desired,
    Fetch,
    FetchManifest,
    Head,
    ReplicaState,
    Staged,
    Step,
    Still,
    Wait,
    due_step,
    newer_of,
    next_step,
)
from shared.publication.manifest import Manifest, Piece, manifest_bytes

ZONE = "store-343"
NOON = 1_795_320_000_000


def piece(from_rev: int, to_rev: int) -> Piece:
    return Piece(from_rev, to_rev, sha256(f"{from_rev}-{to_rev}".encode()).hex(), 100, 3)


SNAPSHOTS, DELTA = (piece(0, 4), replace(piece(0, 4), sha256="11" * 32)), piece(4, 5)
MANIFEST = Manifest(ZONE, 5, "inc-1", "0" * 64, 12, SNAPSHOTS, (DELTA,))
NAME = sha256(manifest_bytes(MANIFEST)).hex()
HEAD = Head(ZONE, 5, NAME, "sig", "inc-1")
NEXT = Head(ZONE, 6, "66" * 32, "sig", "inc-1", NOON)
LATER = Head(ZONE, 7, "77" * 32, "sig", "inc-1", NOON + 60_000)
DESIRED = Desired(9, "inc-1", (HEAD,))
EMPTY = ReplicaState(ZONE, 0, 0, "")
AT_4 = ReplicaState(ZONE, 4, 4, "inc-1", "inc-1", (Staged(4, "inc-1"),))
STAGED = replace(AT_4, stored_rev=5, staged=(Staged(4, "inc-1"), Staged(5, "inc-1")))
CURRENT = replace(STAGED, active_rev=5)
HOLDING = replace(CURRENT, stored_rev=6, staged=(Staged(5, "inc-1"), Staged(6, "inc-1", NOON)))


def wanting(*heads: Head) -> Desired:
    return replace(DESIRED, inc=heads[0].inc, heads=heads)


def knowing(state: ReplicaState) -> ReplicaState:
    """The same box once it has fetched the desired manifest."""
    return replace(state, manifest=MANIFEST, manifest_sha256=NAME)


@pytest.mark.parametrize(
    ("state", "desired", "step"),
    [
        pytest.param(CURRENT, None, Still("nothing_desired"), id="nothing desired"),
        pytest.param(
            CURRENT, wanting(replace(HEAD, zone="store-1")), Still("other_zone"), id="other zone"
        ),
        pytest.param(
            CURRENT, wanting(replace(HEAD, rev=4)), Still("older_revision"), id="never goes back"
        ),
        pytest.param(CURRENT, DESIRED, Still(), id="converged"),
        pytest.param(STAGED, DESIRED, Activate(5, "inc-1"), id="staged"),
        pytest.param(EMPTY, DESIRED, FetchManifest(HEAD), id="new box"),
        pytest.param(AT_4, DESIRED, FetchManifest(HEAD), id="one behind"),
        pytest.param(
            replace(knowing(AT_4), manifest_sha256="00"),
            DESIRED,
            FetchManifest(HEAD),
            id="an older manifest does not do",
        ),
        pytest.param(knowing(EMPTY), DESIRED, Fetch(HEAD, (*SNAPSHOTS, DELTA)), id="from nothing"),
        pytest.param(knowing(AT_4), DESIRED, Fetch(HEAD, (DELTA,)), id="by delta"),
        pytest.param(
            knowing(replace(AT_4, stored_rev=5)),
            DESIRED,
            Fetch(HEAD, ()),
            id="the file has it, the pointer has not",
        ),
        pytest.param(
            knowing(replace(AT_4, inc="")),
            DESIRED,
            Fetch(HEAD, (*SNAPSHOTS, DELTA)),
            id="what is stored is not trusted",
        ),
        pytest.param(
            knowing(ReplicaState(ZONE, 8, 8, "inc-0", "inc-0", (Staged(8, "inc-0"),))),
            DESIRED,
            Fetch(HEAD, (*SNAPSHOTS, DELTA)),
            id="a lower number of a new life",
        ),
        pytest.param(
            replace(CURRENT, active_inc="inc-0"),
            DESIRED,
            Activate(5, "inc-1"),
            id="the number is active, the life is not",
        ),
        pytest.param(
            CURRENT, wanting(HEAD, NEXT), FetchManifest(NEXT), id="a later one is staged early"
        ),
        pytest.param(HOLDING, wanting(HEAD, NEXT), Wait(6, NOON), id="and waits for its instant"),
        pytest.param(
            HOLDING, wanting(HEAD, NEXT, LATER), FetchManifest(LATER), id="one more is on its way"
        ),
        pytest.param(
            replace(HOLDING, staged=(*HOLDING.staged, Staged(7, "inc-1"))),
            wanting(HEAD, NEXT, LATER),
            Wait(6, NOON),
            id="the sooner of two",
        ),
        pytest.param(
            HOLDING, wanting(HEAD, replace(NEXT, at_ms=0)), Wait(6, NOON), id="as it was signed"
        ),
        pytest.param(HOLDING, DESIRED, Still(), id="a withdrawn one stays where it is"),
        pytest.param(
            replace(HOLDING, active_rev=4),
            wanting(HEAD, NEXT),
            Activate(5, "inc-1"),
            id="what is for now goes before what is for later",
        ),
    ],
)
def test_the_next_step(state: ReplicaState, desired: Desired | None, step: Step) -> None:
    assert next_step(state, desired, NOON - 1) == step


def test_a_revision_is_due_at_its_instant_and_the_newest_of_several_counts() -> None:
    wanted = wanting(HEAD, NEXT, LATER)
    state = replace(HOLDING, staged=(*HOLDING.staged, Staged(7, "inc-1", LATER.at_ms)))
    assert due_step(state, wanted, NOON - 1) == Wait(6, NOON)
    assert due_step(state, wanted, NOON) == Activate(6, "inc-1")
    assert due_step(state, wanted, LATER.at_ms) == Activate(7, "inc-1")
    after = replace(state, active_rev=7)
    assert due_step(after, wanted, 0) == Still(), "and stays, whatever becomes of the clock"


def test_what_is_due_does_not_wait_for_what_is_still_to_be_fetched() -> None:
    assert next_step(HOLDING, wanting(HEAD, NEXT, LATER), NOON) == Activate(6, "inc-1")


@pytest.mark.parametrize("wrong", [{"rev": 6}, {"inc": "inc-2"}])
def test_a_manifest_of_something_else_is_not_fetched_for_ever(wrong: dict[str, object]) -> None:
    head = replace(HEAD, **wrong)  # type: ignore[arg-type]
    assert next_step(knowing(CURRENT), wanting(head), 0) == Still("other_manifest")


def test_an_older_document_is_not_gone_by_but_one_of_another_life_is() -> None:
    known = Desired(9, "inc-1")
    assert newer_of(known, Desired(8, "inc-1")) == known
    assert newer_of(None, known) is known
    for told in (Desired(9, "inc-1"), Desired(10, "inc-1"), Desired(1, "inc-2")):
        assert newer_of(known, told) is told
