"""From changed rows to a zone's next revision. Pure.

A revision is the zone's last snapshot and the deltas since; its digest sums the hashes of all
records, so compiling costs what changed. A snapshot is made when there is none, after
`DELTAS_MAX` deltas, or when the deltas outgrow their share of a snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from cloud.records import ScopedRecord
from shared.kernel.canonical import sha256
from shared.kernel.errors import CorruptError
from shared.publication.manifest import Manifest, Piece
from shared.publication.revision import (
    DIGEST_MODULUS,
    EMPTY_DIGEST,
    digest_add,
    digest_hex,
    digest_remove,
    record_bytes,
)
from shared.wire.objects import pack_lines

DELTAS_MAX = 100
DELTA_SHARE_PERCENT = 25

Key = tuple[str, str, str]
"""Scope, kind and key of a record."""


@dataclass(frozen=True, slots=True)
class Change:
    """One record that differs from what was published: its line, its new and its old hash.

    `new` None means removed, `old` None means it was not there.
    """

    key: Key
    line: bytes
    new: bytes | None
    old: bytes | None


@dataclass(frozen=True, slots=True)
class Sum:
    """Digest and number of some records; a difference of two may be negative."""

    digest: int = EMPTY_DIGEST
    records: int = 0

    def __add__(self, other: Sum) -> Sum:
        return Sum((self.digest + other.digest) % DIGEST_MODULUS, self.records + other.records)


@dataclass(frozen=True, slots=True)
class ZoneHead:
    """What a zone has so far; `manifest` None before its first revision."""

    zone: str
    manifest: Manifest | None = None

    def sum(self) -> Sum:
        """Digest and number of the records of its revision."""
        if self.manifest is None:
            return Sum()
        return Sum(int(self.manifest.digest, 16), self.manifest.records)


@dataclass(frozen=True, slots=True)
class Revision:
    """The number of a publication and the incarnation of the cloud that makes it."""

    rev: int
    inc: str


@dataclass(frozen=True, slots=True)
class ZoneRevision:
    """A zone's new manifest and the new object that it names beside the old ones."""

    manifest: Manifest
    piece: bytes


def candidates_of(drafts: Iterable[ScopedRecord]) -> list[Change]:
    """The drafts as if nothing was published yet: lines and hashes, without the records."""
    found = []
    for draft in drafts:
        record = draft.record
        line = record_bytes(record)
        new = None if record.body is None else sha256(line)
        found.append(Change((draft.scope, record.kind.value, record.key), line, new, None))
    return found


def changes_of(candidates: Iterable[Change], published: Mapping[Key, bytes]) -> list[Change]:
    """Those that differ from what is published, by scope, kind and key."""
    found = []
    for candidate in candidates:
        old = published.get(candidate.key)
        if candidate.new != old:
            found.append(candidate if old is None else replace(candidate, old=old))
    return sorted(found, key=lambda change: change.key)


def sum_of(changes: Iterable[Change]) -> Sum:
    """By how much changes move a digest."""
    digest, records = EMPTY_DIGEST, 0
    for change in changes:
        if change.old is not None:
            digest, records = digest_remove(digest, change.old), records - 1
        if change.new is not None:
            digest, records = digest_add(digest, change.new), records + 1
    return Sum(digest, records)


def sum_of_hashes(hashes: Iterable[bytes]) -> Sum:
    """Digest and number of records, from their hashes."""
    digest, records = EMPTY_DIGEST, 0
    for found in hashes:
        digest, records = digest + int.from_bytes(found, "big"), records + 1
    return Sum(digest % DIGEST_MODULUS, records)


def compile_revision(
    head: ZoneHead,
    revision: Revision,
    changes: Iterable[Change],
    total: Sum,
    snapshot_lines: Callable[[], Iterable[bytes]],
) -> ZoneRevision:
    """The zone's next revision, whose records sum to `total`.

    `snapshot_lines` gives all its record lines, and is called only for a snapshot. Raises
    CorruptError `publication.digest` when they do not sum to `total`.
    """
    lines = [change.line for change in changes]
    delta = None if head.manifest is None else _delta(head.manifest, revision.rev, lines)
    if head.manifest is not None and delta is not None and _is_worthwhile(head.manifest, delta[0]):
        piece, data = delta
        snapshots, deltas = head.manifest.snapshots, (*head.manifest.deltas, piece)
    else:
        whole, data = _snapshot(head.zone, revision.rev, total, snapshot_lines())
        snapshots, deltas = (whole,), ()
    manifest = Manifest(
        zone=head.zone,
        rev=revision.rev,
        inc=revision.inc,
        digest=digest_hex(total.digest),
        records=total.records,
        snapshots=snapshots,
        deltas=deltas,
    )
    return ZoneRevision(manifest, data)


def _delta(before: Manifest, rev: int, lines: list[bytes]) -> tuple[Piece, bytes]:
    data = pack_lines(lines)
    return Piece(before.rev, rev, sha256(data).hex(), len(data), len(lines)), data


def _is_worthwhile(before: Manifest, delta: Piece) -> bool:
    size = sum(piece.size for piece in before.deltas) + delta.size
    is_small = size * 100 <= before.snapshot.size * DELTA_SHARE_PERCENT
    return is_small and len(before.deltas) < DELTAS_MAX


def _snapshot(zone: str, rev: int, total: Sum, lines: Iterable[bytes]) -> tuple[Piece, bytes]:
    kept = list(lines)
    found = sum_of_hashes(map(sha256, kept))
    if found != total:
        raise CorruptError("publication.digest", zone=zone, rev=rev)
    data = pack_lines(kept)
    return Piece(0, rev, sha256(data).hex(), len(data), len(kept)), data
