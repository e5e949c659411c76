from __future__ import annotations

from dataclasses import replace

import pytest

from shared.kernel.canonical import sha256
from shared.publication.activation import (
    Activate,
    Desired,
    Fetch,
    FetchManifest,
    ReplicaState,
    Step,
    Still,
    next_step,
)
from shared.publication.manifest import Manifest, Piece, manifest_bytes


def piece(from_rev: int, to_rev: int) -> Piece:
    return Piece(from_rev, to_rev, sha256(f"{from_rev}-{to_rev}".encode()).hex(), 100, 3)


SNAPSHOT, DELTA = piece(0, 4), piece(4, 5)
MANIFEST = Manifest("store-343", 5, "inc-1", "0" * 64, 12, (SNAPSHOT,), (DELTA,))
NAME = sha256(manifest_bytes(MANIFEST)).hex()
DESIRED = Desired("store-343", 5, NAME, "sig", "inc-1")
EMPTY = ReplicaState("store-343", 0, 0, "")
AT_4 = ReplicaState("store-343", 4, 4, "inc-1")
STAGED = ReplicaState("store-343", 5, 4, "inc-1")
CURRENT = ReplicaState("store-343", 5, 5, "inc-1")


def knowing(state: ReplicaState) -> ReplicaState:
    """The same box once it has fetched the desired manifest."""
    return replace(state, manifest=MANIFEST, manifest_sha256=NAME)


@pytest.mark.parametrize(
    ("state", "desired", "step"),
    [
        pytest.param(CURRENT, None, Still("nothing_desired"), id="nothing desired"),
        pytest.param(
            CURRENT, replace(DESIRED, zone="store-1"), Still("other_zone"), id="other zone"
        ),
        pytest.param(
            CURRENT, replace(DESIRED, rev=4), Still("older_revision"), id="never goes back"
        ),
        pytest.param(
            STAGED, replace(DESIRED, rev=4), Still("older_revision"), id="nor while staged"
        ),
        pytest.param(CURRENT, DESIRED, Still(), id="converged"),
        pytest.param(STAGED, DESIRED, Activate(5), id="staged"),
        pytest.param(EMPTY, DESIRED, FetchManifest(NAME), id="new box"),
        pytest.param(AT_4, DESIRED, FetchManifest(NAME), id="one behind"),
        pytest.param(
            replace(knowing(AT_4), manifest_sha256="00"),
            DESIRED,
            FetchManifest(NAME),
            id="an older manifest does not do",
        ),
        pytest.param(knowing(EMPTY), DESIRED, Fetch((SNAPSHOT, DELTA)), id="from nothing"),
        pytest.param(knowing(AT_4), DESIRED, Fetch((DELTA,)), id="by delta"),
        pytest.param(
            knowing(replace(CURRENT, inc="inc-0")),
            DESIRED,
            Fetch((SNAPSHOT, DELTA)),
            id="same number of another life",
        ),
        pytest.param(
            knowing(replace(CURRENT, stored_rev=8, active_rev=8, inc="inc-0")),
            DESIRED,
            Fetch((SNAPSHOT, DELTA)),
            id="a lower number of a new life",
        ),
        pytest.param(
            replace(CURRENT, active_inc="inc-0"),
            DESIRED,
            Activate(5),
            id="the number is active, the life is not",
        ),
        pytest.param(replace(CURRENT, active_inc="inc-1"), DESIRED, Still(), id="both are active"),
    ],
)
def test_the_next_step(state: ReplicaState, desired: Desired | None, step: Step) -> None:
    assert next_step(state, desired) == step


@pytest.mark.parametrize("wrong", [{"rev": 6}, {"inc": "inc-2"}])
def test_a_manifest_of_something_else_is_not_fetched_for_ever(wrong: dict[str, object]) -> None:
    desired = replace(DESIRED, **wrong)  # type: ignore[arg-type]
    assert next_step(knowing(CURRENT), desired) == Still("other_manifest")
