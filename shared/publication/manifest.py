"""The manifest of one zone's revision: which objects make it up, and the digest of the whole."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from shared.kernel.canonical import canonical_bytes
from shared.kernel.errors import RefusedError
from shared.kernel.hexadecimal import is_hex

MANIFEST_VERSION = 2
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
    """How to come from nothing, or from a revision of the last deltas, to `rev`.

    `snapshots` are all from 0 to one revision, each holding other records (those of the chain,
    of a price zone, of a store). `deltas` may begin before it: a box on their path needs no
    snapshot. `inc` is the cloud's incarnation: the same number there means the same content.
    `at_ms` (UTC): not to be active before this instant, 0 for at once.
    """

    zone: str
    rev: int
    inc: str
    digest: str
    records: int
    snapshots: tuple[Piece, ...]
    deltas: tuple[Piece, ...] = ()
    at_ms: int = 0

    @property
    def snapshot(self) -> Piece:
        """The first of the snapshots."""
        return self.snapshots[0]


def manifest_bytes(manifest: Manifest) -> bytes:
    """Canonical bytes, whose SHA-256 names the manifest."""
    return canonical_bytes(
        {
            "v": MANIFEST_VERSION,
            "zone": manifest.zone,
            "rev": manifest.rev,
            "inc": manifest.inc,
            "at": manifest.at_ms,
            "digest": manifest.digest,
            "records": manifest.records,
            "snapshots": [_piece_fields(piece) for piece in manifest.snapshots],
            "deltas": [_piece_fields(piece) for piece in manifest.deltas],
        }
    )


def parse_manifest(data: bytes) -> Manifest:
    """Read a manifest of this version or of the one before, which had one snapshot.

    RefusedError `publication.manifest` when it is none, or when its pieces do not lead from
    nothing to its revision without a gap.
    """
    try:
        raw = json.loads(data)
        is_first = raw["v"] == 1
        read = _named_piece if is_first else _piece
        manifest = Manifest(
            zone=raw["zone"],
            rev=raw["rev"],
            inc=raw["inc"],
            digest=raw["digest"],
            records=raw["records"],
            snapshots=tuple(map(read, [raw["snapshot"]] if is_first else raw["snapshots"])),
            deltas=tuple(map(read, raw["deltas"])),
            at_ms=0 if is_first else raw["at"],
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

    Deltas when its revision lies on their path under the same incarnation, else the snapshots
    and all deltas after them.
    """
    if stored_inc == manifest.inc and stored_rev == manifest.rev:
        return ()
    path = _deltas_after(manifest, stored_rev)
    if stored_inc == manifest.inc and path and path[0].from_rev == stored_rev:
        return path
    return (*manifest.snapshots, *_deltas_after(manifest, manifest.snapshot.to_rev))


def _deltas_after(manifest: Manifest, rev: int) -> tuple[Piece, ...]:
    return tuple(piece for piece in manifest.deltas if piece.from_rev >= rev)


def _is_typed(manifest: Manifest) -> bool:
    pieces = (*manifest.snapshots, *manifest.deltas)
    numbers = [manifest.rev, manifest.records, manifest.at_ms]
    for piece in pieces:
        numbers += (piece.from_rev, piece.to_rev, piece.size, piece.records)
    return (
        all(type(number) is int and number >= 0 for number in numbers)
        and all(is_hex(sha, HASH_BYTES) for sha in (manifest.digest, *(p.sha256 for p in pieces)))
        and all(type(text) is str for text in (manifest.zone, manifest.inc))
    )


def _is_unbroken(manifest: Manifest) -> bool:
    wholes = {(piece.from_rev, piece.to_rev) for piece in manifest.snapshots}
    if len(wholes) != 1:
        return False
    ((nothing, whole_rev),) = wholes
    begins = [piece.from_rev for piece in manifest.deltas] + [manifest.rev]
    return (
        nothing == 0
        and whole_rev > 0
        and whole_rev in begins
        and begins[0] > 0
        and all(piece.to_rev > piece.from_rev for piece in manifest.deltas)
        and [piece.to_rev for piece in manifest.deltas] == begins[1:]
    )


def _piece_fields(piece: Piece) -> list[int | str]:
    return [piece.from_rev, piece.to_rev, piece.sha256, piece.size, piece.records]


def _piece(raw: list[Any]) -> Piece:
    from_rev, to_rev, sha, size, records = raw
    return Piece(from_rev, to_rev, sha, size, records)


def _named_piece(raw: dict[str, Any]) -> Piece:
    return Piece(raw["from"], raw["to"], raw["sha256"], raw["size"], raw["records"])
