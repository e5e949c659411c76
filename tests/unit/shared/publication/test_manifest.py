from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from shared.kernel.canonical import canonical_bytes, sha256
from shared.kernel.errors import RefusedError
from shared.publication.manifest import (
    Manifest,
    Piece,
    manifest_bytes,
    parse_manifest,
    pieces_needed,
    signing_statement,
)


def piece(from_rev: int, to_rev: int, what: str = "") -> Piece:
    return Piece(from_rev, to_rev, sha256(f"{from_rev}-{to_rev}{what}".encode()).hex(), 100, 3)


CHAIN, STORE, FIRST, SECOND = piece(0, 4), piece(0, 4, "store"), piece(4, 5), piece(5, 9)
EARLIER = piece(2, 4)
WHOLES = (CHAIN, STORE)
MANIFEST = Manifest("store-343", 9, "inc-1", "0" * 64, 12, WHOLES, (FIRST, SECOND))
LONG = replace(MANIFEST, deltas=(EARLIER, FIRST, SECOND))
"""Its deltas begin before its snapshots."""


@pytest.mark.parametrize(
    "manifest",
    [
        MANIFEST,
        LONG,
        replace(MANIFEST, at_ms=1_795_000_000_000),
        Manifest("z", 4, "inc-1", "f" * 64, 0, (CHAIN,)),
        Manifest("z", 4, "inc-1", "f" * 64, 0, WHOLES, (EARLIER,)),
    ],
    ids=["deltas", "long", "later", "bare", "up to the snapshot"],
)
def test_a_manifest_reads_back(manifest: Manifest) -> None:
    assert parse_manifest(manifest_bytes(manifest)) == manifest


def test_a_manifest_of_the_first_version_is_still_read() -> None:
    def named(which: Piece) -> dict[str, object]:
        names = ("from", "to", "sha256", "size", "records")
        values = (which.from_rev, which.to_rev, which.sha256, which.size, which.records)
        return dict(zip(names, values, strict=True))

    old = {
        "v": 1,
        "zone": "store-343",
        "rev": 9,
        "inc": "inc-1",
        "digest": "0" * 64,
        "records": 12,
        "snapshot": named(CHAIN),
        "deltas": [named(FIRST), named(SECOND)],
    }
    assert parse_manifest(canonical_bytes(old)) == replace(MANIFEST, snapshots=(CHAIN,))


@pytest.mark.parametrize(
    ("stored_rev", "stored_inc", "needed"),
    [
        (0, "", (*WHOLES, FIRST, SECOND)),
        (0, "inc-1", (*WHOLES, FIRST, SECOND)),
        (3, "inc-1", (*WHOLES, FIRST, SECOND)),  # older than the snapshot
        (4, "inc-1", (FIRST, SECOND)),
        (5, "inc-1", (SECOND,)),
        (7, "inc-1", (*WHOLES, FIRST, SECOND)),  # lies on no path
        (9, "inc-1", ()),
        (9, "inc-2", (*WHOLES, FIRST, SECOND)),  # the same number of another life
        (4, "inc-2", (*WHOLES, FIRST, SECOND)),
    ],
)
@pytest.mark.parametrize("manifest", [MANIFEST, LONG], ids=["short", "long"])
def test_what_a_box_must_fetch(
    manifest: Manifest, stored_rev: int, stored_inc: str, needed: tuple[Piece, ...]
) -> None:
    assert pieces_needed(manifest, stored_rev, stored_inc) == needed


def test_a_box_from_before_the_snapshot_needs_no_snapshot_where_deltas_lead_on() -> None:
    assert pieces_needed(LONG, 2, "inc-1") == (EARLIER, FIRST, SECOND)
    assert pieces_needed(LONG, 2, "inc-2") == (*WHOLES, FIRST, SECOND)


@pytest.mark.parametrize(
    "changed",
    [
        {"deltas": (SECOND,)},
        {"deltas": (FIRST,)},
        {"deltas": (SECOND, FIRST)},
        {"deltas": (FIRST, FIRST, SECOND)},
        {"deltas": ()},
        {"deltas": (piece(3, 5), SECOND)},  # jumps over the snapshots
        {"deltas": (piece(0, 4), FIRST, SECOND)},
        {"snapshots": ()},
        {"snapshots": (CHAIN, piece(0, 5))},
        {"snapshots": (CHAIN, piece(1, 4))},
        {"snapshots": (piece(0, 0),), "deltas": (), "rev": 0},
        {"rev": 8},
        {"at_ms": -1},
        {"digest": "0" * 63},
        {"digest": "F" * 64},
        {"records": -1},
        {"snapshots": (replace(CHAIN, sha256="../../etc/passwd"),)},
        {"snapshots": (CHAIN, replace(STORE, size=-1))},
    ],
)
def test_a_manifest_that_leads_nowhere_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(RefusedError, match=r"publication\.manifest"):
        parse_manifest(manifest_bytes(replace(MANIFEST, **changed)))


@pytest.mark.parametrize("field", sorted(json.loads(manifest_bytes(MANIFEST)).keys() - {"v"}))
@pytest.mark.parametrize("value", [None, 1.5, True, {}, [[]]])
def test_a_field_of_another_type_is_refused(field: str, value: object) -> None:
    raw = json.loads(manifest_bytes(MANIFEST)) | {field: value}
    with pytest.raises(RefusedError, match=r"publication\.manifest"):
        parse_manifest(json.dumps(raw).encode())


@pytest.mark.parametrize("data", [b"", b"\xff", b"null", b"[]", b"{}", b"[" * 100_000])
def test_what_is_no_manifest_is_refused(data: bytes) -> None:
    with pytest.raises(RefusedError, match=r"publication\.manifest"):
        parse_manifest(data)


def test_what_is_signed_is_tagged() -> None:
    digest = sha256(manifest_bytes(MANIFEST))
    assert signing_statement(digest) == b"tbm1" + digest
