"""From changed records to a store's next manifest. Pure.

A revision is the last snapshots and the deltas since; its digest sums the hashes of all records,
so compiling costs what changed. The deltas of the last `DELTAS_MAX` revisions stay in the
manifest, also those from before the snapshots: a box that was not away for long fetches nothing
else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from shared.kernel.canonical import canonical_bytes, sha256
from shared.publication.manifest import Manifest, Piece
from shared.publication.revision import (
    DIGEST_MODULUS,
    EMPTY_DIGEST,
    digest_hex,
)
from shared.wire.objects import pack_lines

DELTAS_MAX = 48
DELTA_SHARE_PERCENT = 25
SMALL_BYTES = 1 << 16
"""Deltas of this size are never worth a new snapshot."""

Key = tuple[str, str, str]
"""Scope, kind and key of a record."""


class Change(NamedTuple):
    """A record that a release changes: hashes and lines before and after.

    `new` None means removed (`line` says so), `old` None that it was not there.
    """

    key: Key
    old: bytes | None
    old_line: bytes | None
    new: bytes | None
    line: bytes

    def line_back(self) -> bytes:
        """The line that undoes it."""
        return tombstone(*self.key[1:]) if self.old_line is None else self.old_line


@dataclass(frozen=True, slots=True)
class Sum:
    """Digest and number of some records; a difference of two may be negative."""

    digest: int = EMPTY_DIGEST
    records: int = 0

    def __add__(self, other: Sum) -> Sum:
        return Sum((self.digest + other.digest) % DIGEST_MODULUS, self.records + other.records)

    def __neg__(self) -> Sum:
        return Sum(-self.digest % DIGEST_MODULUS, -self.records)


@dataclass(frozen=True, slots=True)
class Part:
    """What a release changes in one scope."""

    changes: tuple[Change, ...]
    sum: Sum
    kinds: frozenset[str]

    def lines(self, *, is_back: bool) -> Iterator[bytes]:
        """The lines that bring it, or take it back."""
        return (each.line_back() if is_back else each.line for each in self.changes)


def part_of(changes: Sequence[Change]) -> Part:
    """Add up what changes."""
    kinds = frozenset(change.key[1] for change in changes)
    return Part(tuple(changes), sum_of((each.old, each.new) for each in changes), kinds)


def tombstone(kind: str, key: str) -> bytes:
    """The line that removes a record."""
    return canonical_bytes({"k": kind, "i": key, "b": None})


def sum_of(hashes: Iterable[tuple[bytes | None, bytes | None]]) -> Sum:
    """By how much changes (old and new hash) move a digest."""
    gone, come = list[bytes](), list[bytes]()
    for old, new in hashes:
        if old is not None:
            gone.append(old)
        if new is not None:
            come.append(new)
    return digest_sum(come) + -digest_sum(gone)


def digest_sum(hashes: Sequence[bytes]) -> Sum:
    """What records with these hashes add to a digest; one at a time would cost ten times that."""
    return Sum(sum(map(int.from_bytes, hashes)) % DIGEST_MODULUS, len(hashes))


def sum_of_manifest(manifest: Manifest) -> Sum:
    """Digest and number of the records of a revision."""
    return Sum(int(manifest.digest, 16), manifest.records)


@dataclass(frozen=True, slots=True)
class Packed:
    """An object: its compressed bytes, their SHA-256 (hex) and the number of its lines."""

    data: bytes
    sha256: str
    lines: int

    def piece(self, from_rev: int, to_rev: int) -> Piece:
        """It as a piece of a manifest."""
        return Piece(from_rev, to_rev, self.sha256, len(self.data), self.lines)


def packed(lines: Iterable[bytes]) -> Packed:
    """Compress lines; RefusedError `wire.line` for one that no box would read."""
    kept = list(lines)
    data = pack_lines(kept)
    return Packed(data, sha256(data).hex(), len(kept))


def deltas_after(before: Manifest, made: Iterable[Piece]) -> tuple[Piece, ...]:
    """The deltas of the next manifest: the newest ones, and all since the snapshots."""
    deltas = (*before.deltas, *made)
    since = [n for n, piece in enumerate(deltas) if piece.from_rev >= before.snapshot.to_rev]
    return deltas[min(since[0], max(0, len(deltas) - DELTAS_MAX)) :]


def wants_snapshot(before: Manifest, deltas: Iterable[Piece]) -> bool:
    """Whether a new box would have too much to fetch, or too much to put together."""
    since = [piece for piece in deltas if piece.from_rev >= before.snapshot.to_rev]
    size, whole = (sum(piece.size for piece in each) for each in (since, before.snapshots))
    is_large = size > SMALL_BYTES and size * 100 > whole * DELTA_SHARE_PERCENT
    return is_large or len(since) >= DELTAS_MAX


def manifest_hex(total: Sum) -> str:
    """A sum's digest as a manifest says it."""
    return digest_hex(total.digest)
