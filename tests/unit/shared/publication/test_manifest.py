from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from shared.kernel.canonical import sha256
from shared.kernel.errors import RefusedError
from shared.publication.manifest import (
    Manifest,
    Piece,
    manifest_bytes,
    parse_manifest,
    pieces_needed,
    signing_statement,
)


def piece(from_rev: int, to_rev: int) -> Piece:
    return Piece(from_rev, to_rev, sha256(f"{from_rev}-{to_rev}".encode()).hex(), 100, 3)


SNAPSHOT, FIRST, SECOND = piece(0, 4), piece(4, 5), piece(5, 9)
MANIFEST = Manifest("store-343", 9, "inc-1", "0" * 64, 12, SNAPSHOT, (FIRST, SECOND))


@pytest.mark.parametrize(
    "manifest", [MANIFEST, Manifest("z", 4, "inc-1", "f" * 64, 0, SNAPSHOT)], ids=["deltas", "bare"]
)
def test_a_manifest_reads_back(manifest: Manifest) -> None:
    assert parse_manifest(manifest_bytes(manifest)) == manifest


@pytest.mark.parametrize(
    ("stored_rev", "stored_inc", "needed"),
    [
        (0, "", (SNAPSHOT, FIRST, SECOND)),
        (0, "inc-1", (SNAPSHOT, FIRST, SECOND)),
        (3, "inc-1", (SNAPSHOT, FIRST, SECOND)),  # older than the snapshot
        (4, "inc-1", (FIRST, SECOND)),
        (5, "inc-1", (SECOND,)),
        (7, "inc-1", (SNAPSHOT, FIRST, SECOND)),  # lies on no path
        (9, "inc-1", ()),
        (9, "inc-2", (SNAPSHOT, FIRST, SECOND)),  # the same number of another life
        (4, "inc-2", (SNAPSHOT, FIRST, SECOND)),
    ],
)
def test_what_a_box_must_fetch(stored_rev: int, stored_inc: str, needed: tuple[Piece, ...]) -> None:
    assert pieces_needed(MANIFEST, stored_rev, stored_inc) == needed


@pytest.mark.parametrize(
    "changed",
    [
        {"deltas": (SECOND,)},
        {"deltas": (FIRST,)},
        {"deltas": (SECOND, FIRST)},
        {"deltas": (FIRST, FIRST, SECOND)},
        {"deltas": ()},
        {"snapshot": piece(1, 4)},
        {"snapshot": piece(0, 0), "deltas": (), "rev": 0},
        {"rev": 8},
        {"digest": "0" * 63},
        {"digest": "F" * 64},
        {"records": -1},
        {"snapshot": replace(SNAPSHOT, sha256="../../etc/passwd")},
        {"snapshot": replace(SNAPSHOT, size=-1)},
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
