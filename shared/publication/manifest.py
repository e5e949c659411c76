"""The manifest of one zone's revision: which objects make it up, and the digest of the whole."""

from __future__ import annotations

import json
from dataclasses import dataclass

from shared.kernel.canonical import canonical_bytes
from shared.kernel.errors import RefusedError

MANIFEST_VERSION = 1
MANIFEST_TAG = b"tbm1"


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
    """Read a manifest; RefusedError `publication.manifest` when it is none."""
    try:
        raw = json.loads(data)
        return Manifest(
            zone=raw["zone"],
            rev=raw["rev"],
            inc=raw["inc"],
            digest=raw["digest"],
            records=raw["records"],
            snapshot=_piece(raw["snapshot"]),
            deltas=tuple(_piece(piece) for piece in raw["deltas"]),
        )
    except (ValueError, KeyError, TypeError):
        raise RefusedError("publication.manifest") from None


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


def _piece_fields(piece: Piece) -> dict[str, int | str]:
    return {
        "from": piece.from_rev,
        "to": piece.to_rev,
        "sha256": piece.sha256,
        "size": piece.size,
        "records": piece.records,
    }


def _piece(raw: dict[str, int | str]) -> Piece:
    return Piece(
        int(raw["from"]), int(raw["to"]), str(raw["sha256"]), int(raw["size"]), int(raw["records"])
    )
