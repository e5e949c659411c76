"""The manifest of one zone's revision: which objects make it up, and the digest of the whole."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from shared.kernel.canonical import canonical_bytes
from shared.kernel.errors import RefusedError
from shared.kernel.hexadecimal import is_hex

MANIFEST_VERSION = 1
MANIFEST_TAG = b"tbm1"
HASH_BYTES = 32


@dataclass(frozen=True, slots=True)
class Piece:
    """One immutable object named by its SHA-256 (hex): a snapshot (`from_rev` 0) or a delta.

    `size` in bytes as stored (compressed), `records` the number of its lines.
    """

    from_rev: int
    to_rev: int
    sha256: str
    size: int
    records: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """How to come from nothing, or from any revision since the snapshot, to `rev`.

    `inc` is the cloud's incarnation: the same number there means the same content.
    """

    zone: str
    rev: int
    inc: str
    digest: str
    records: int
    snapshot: Piece
    deltas: tuple[Piece, ...] = ()


def manifest_bytes(manifest: Manifest) -> bytes:
    """Canonical bytes, whose SHA-256 names the manifest."""
    return canonical_bytes(
        {
            "v": MANIFEST_VERSION,
            "zone": manifest.zone,
            "rev": manifest.rev,
            "inc": manifest.inc,
            "digest": manifest.digest,
            "records": manifest.records,
            "snapshot": _piece_fields(manifest.snapshot),
            "deltas": [_piece_fields(piece) for piece in manifest.deltas],
        }
    )


def parse_manifest(data: bytes) -> Manifest:
    """Read a manifest.

    RefusedError `publication.manifest` when it is none, or when its pieces do not lead from
    nothing to its revision without a gap.
    """
    try:
        raw = json.loads(data)
        manifest = Manifest(
            zone=raw["zone"],
            rev=raw["rev"],
            inc=raw["inc"],
            digest=raw["digest"],
            records=raw["records"],
            snapshot=_piece(raw["snapshot"]),
            deltas=tuple(_piece(piece) for piece in raw["deltas"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        raise RefusedError("publication.manifest") from None
    if not (_is_typed(manifest) and _is_unbroken(manifest)):
        raise RefusedError("publication.manifest")
    return manifest


def signing_statement(manifest_sha256: bytes) -> bytes:
    """What HQ signs (Ed25519), so that neither broker nor bucket can set a price."""
    return MANIFEST_TAG + manifest_sha256


def pieces_needed(manifest: Manifest, stored_rev: int, stored_inc: str) -> tuple[Piece, ...]:
    """The objects that lead from what a box has to the manifest's revision.

    Deltas when its revision lies on their path under the same incarnation, else the snapshot
    and all deltas after it.
    """
    if stored_inc == manifest.inc and stored_rev == manifest.rev:
        return ()
    path = [piece for piece in manifest.deltas if piece.from_rev >= stored_rev]
    if stored_inc == manifest.inc and path and path[0].from_rev == stored_rev:
        return tuple(path)
    return (manifest.snapshot, *manifest.deltas)


def _is_typed(manifest: Manifest) -> bool:
    pieces = (manifest.snapshot, *manifest.deltas)
    numbers = [manifest.rev, manifest.records]
    for piece in pieces:
        numbers += (piece.from_rev, piece.to_rev, piece.size, piece.records)
    return (
        all(type(number) is int and number >= 0 for number in numbers)
        and all(is_hex(sha, HASH_BYTES) for sha in (manifest.digest, *(p.sha256 for p in pieces)))
        and all(type(text) is str for text in (manifest.zone, manifest.inc))
    )


def _is_unbroken(manifest: Manifest) -> bool:
    rev = 0
    for piece in (manifest.snapshot, *manifest.deltas):
        if piece.from_rev != rev or piece.to_rev <= rev:
            return False
        rev = piece.to_rev
    return rev == manifest.rev


def _piece_fields(piece: Piece) -> dict[str, int | str]:
    return {
        "from": piece.from_rev,
        "to": piece.to_rev,
        "sha256": piece.sha256,
        "size": piece.size,
        "records": piece.records,
    }


def _piece(raw: dict[str, Any]) -> Piece:
    return Piece(raw["from"], raw["to"], raw["sha256"], raw["size"], raw["records"])
