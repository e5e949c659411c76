"""Sums, deltas and when a revision brings snapshots."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from cloud.publication.compile import (
    DELTAS_MAX,
    SMALL_BYTES,
    Change,
    Sum,
    deltas_after,
    packed,
    part_of,
    sum_of,
    sum_of_manifest,
    tombstone,
    wants_snapshot,
)
from shared.kernel.canonical import sha256
from shared.kernel.errors import RefusedError
from shared.publication.manifest import Manifest, Piece
from shared.publication.revision import Record, RecordKind, digest_hex, record_bytes
from shared.wire.objects import LINE_BYTES_MAX, iter_lines

NAME = "ab" * 32


def price(key: str, minor: int) -> bytes:
    return record_bytes(Record(RecordKind.PRICE, key, {"prices": [[0, minor, None]]}))


def change(key: str, old: bytes | None, new: bytes | None) -> Change:
    line = tombstone("price", key) if new is None else new
    return Change(
        ("store-1", "price", key),
        None if old is None else sha256(old),
        old,
        None if new is None else sha256(new),
        line,
    )


def manifest(deltas: int, *, size: int = 100, whole: int = 1_000_000) -> Manifest:
    """A manifest whose snapshots (revision 10) are followed by deltas of one size."""
    pieces = tuple(Piece(10 + n, 11 + n, NAME, size, 1) for n in range(deltas))
    return Manifest("z", 10 + deltas, "i", "0" * 64, 1, (Piece(0, 10, NAME, whole, 1),), pieces)


def test_what_a_release_changes_adds_up_and_can_be_taken_back() -> None:
    part = part_of(
        [
            change("1", None, price("1", 5)),
            change("2", price("2", 6), price("2", 7)),
            change("3", price("3", 8), None),
        ]
    )
    before = sum_of((None, sha256(line)) for line in (price("2", 6), price("3", 8)))
    after = sum_of((None, sha256(line)) for line in (price("1", 5), price("2", 7)))
    assert before + part.sum == after
    assert after + -part.sum == before
    assert part.kinds == {"price"}
    assert list(part.lines(is_back=False)) == [
        price("1", 5),
        price("2", 7),
        tombstone("price", "3"),
    ]
    assert list(part.lines(is_back=True)) == [tombstone("price", "1"), price("2", 6), price("3", 8)]


def test_a_removal_is_the_line_that_boxes_know() -> None:
    assert tombstone("price", "1") == record_bytes(Record(RecordKind.PRICE, "1", None))


def test_an_object_reads_back_and_is_named_by_its_bytes() -> None:
    made = packed([price("1", 5), price("2", 6)])
    assert list(iter_lines(io.BytesIO(made.data))) == [price("1", 5), price("2", 6)]
    assert made.piece(3, 4) == Piece(3, 4, sha256(made.data).hex(), len(made.data), 2)
    assert packed(iter([price("1", 5), price("2", 6)])) == made


def test_what_no_box_would_read_is_not_packed() -> None:
    with pytest.raises(RefusedError, match=r"wire\.line"):
        packed([b"x" * LINE_BYTES_MAX])


def test_the_newest_deltas_stay_also_those_from_before_the_snapshots() -> None:
    before = manifest(DELTAS_MAX + 5)
    later = replace(before, snapshots=(Piece(0, before.rev, NAME, 9, 1),))
    delta = Piece(before.rev, before.rev + 1, NAME, 9, 1)
    assert deltas_after(before, [delta]) == (*before.deltas, delta)  # all since the snapshots
    kept = deltas_after(later, [delta])
    assert (len(kept), kept[-1]) == (DELTAS_MAX, delta)
    assert kept[0].from_rev < later.snapshot.to_rev


@pytest.mark.parametrize(
    ("before", "wanted"),
    [
        (manifest(1), False),
        (manifest(DELTAS_MAX - 1), False),
        (manifest(DELTAS_MAX), True),
        (manifest(3, size=SMALL_BYTES, whole=SMALL_BYTES * 13), False),
        (manifest(4, size=SMALL_BYTES, whole=SMALL_BYTES * 13), True),
        (manifest(1, size=SMALL_BYTES, whole=10), False),  # never worth it
    ],
)
def test_there_are_snapshots_when_deltas_are_many_or_large(before: Manifest, wanted: bool) -> None:
    assert wants_snapshot(before, before.deltas) is wanted


def test_a_manifest_says_its_sum() -> None:
    total = Sum(7, 2)
    assert sum_of_manifest(replace(manifest(0), digest=digest_hex(7), records=2)) == total
