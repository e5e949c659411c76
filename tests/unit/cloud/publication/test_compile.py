"""When a revision is a delta and when a snapshot."""

from __future__ import annotations

import io

import pytest

from cloud.publication.compile import (
    DELTAS_MAX,
    Change,
    Revision,
    ZoneHead,
    candidates_of,
    changes_of,
    compile_revision,
    sum_of,
    sum_of_hashes,
)
from cloud.records import CHAIN, ScopedRecord
from shared.kernel.canonical import sha256
from shared.kernel.errors import CorruptError, RefusedError
from shared.publication.manifest import Manifest, manifest_bytes, parse_manifest
from shared.publication.revision import Record, RecordKind, parse_record
from shared.wire.objects import iter_lines

ZONE = "store-1"


def price(key: str, minor: int | None) -> ScopedRecord:
    body = None if minor is None else {"prices": [[0, minor, None]]}
    return ScopedRecord(ZONE, Record(RecordKind.PRICE, key, body))


class Zone:
    """A zone that publishes, kept in memory."""

    def __init__(self) -> None:
        self.lines: dict[tuple[str, str, str], bytes] = {}
        self.manifest: Manifest | None = None
        self.rev = 0
        self.snapshots = 0

    def publish(self, *drafts: ScopedRecord) -> bytes:
        known = {key: sha256(line) for key, line in self.lines.items()}
        changes = changes_of(candidates_of(drafts), known)
        for change in changes:
            self._take(change)
        self.rev += 1
        head = ZoneHead(ZONE, self.manifest)
        total = head.sum() + sum_of(changes)
        made = compile_revision(head, Revision(self.rev, "1-1"), changes, total, self._snapshot)
        assert parse_manifest(manifest_bytes(made.manifest)) == made.manifest
        self.manifest = made.manifest
        return made.piece

    def _take(self, change: Change) -> None:
        if change.new is None:
            del self.lines[change.key]
        else:
            self.lines[change.key] = change.line

    def _snapshot(self) -> list[bytes]:
        self.snapshots += 1
        return list(self.lines.values())


def test_a_delta_holds_only_what_changed() -> None:
    zone = Zone()
    zone.publish(*(price(f"{number:013d}", number + 1) for number in range(500)))
    piece = zone.publish(price(f"{7:013d}", 999), price(f"{8:013d}", 9), price(f"{9:013d}", None))
    records = [parse_record(line) for line in iter_lines(io.BytesIO(piece))]
    assert [(record.key[-1], record.body is None) for record in records] == [
        ("7", False),
        ("9", True),
    ]
    assert zone.snapshots == 1
    assert zone.manifest is not None
    assert zone.manifest.records == 499
    assert sum_of_hashes(map(sha256, zone.lines.values())).digest == int(zone.manifest.digest, 16)


def test_what_no_box_would_read_is_not_published() -> None:
    prices = [[at_ms, 100, None] for at_ms in range(1_700_000_000_000, 1_700_000_004_000)]
    history = ScopedRecord(ZONE, Record(RecordKind.PRICE, "0" * 13, {"prices": prices}))
    with pytest.raises(RefusedError) as refused:
        Zone().publish(history)
    assert refused.value.code == "wire.line"


def test_there_is_a_snapshot_after_so_many_deltas() -> None:
    zone = Zone()
    zone.publish(*(price(f"{number:013d}", number * 7919 % 99_991 + 1) for number in range(20_000)))
    for number in range(DELTAS_MAX):
        zone.publish(price("0000000000001", 1000 + number))
    assert zone.manifest is not None
    assert (zone.snapshots, len(zone.manifest.deltas)) == (1, DELTAS_MAX)
    zone.publish(price("0000000000001", 5))
    assert (zone.snapshots, zone.manifest.deltas) == (2, ())


def test_there_is_a_snapshot_when_deltas_outgrow_their_share() -> None:
    zone = Zone()
    zone.publish(*(price(f"{number:013d}", number + 1) for number in range(1000)))
    zone.publish(*(price(f"{number:013d}", number * 7 + 3) for number in range(500)))
    assert zone.snapshots == 2


def test_a_snapshot_that_does_not_add_up_is_never_published() -> None:
    changes = changes_of(candidates_of([price("1", 5)]), {})
    with pytest.raises(CorruptError, match=r"publication\.digest"):
        compile_revision(
            ZoneHead(ZONE), Revision(1, "1-1"), changes, sum_of(changes), lambda: [b"other"]
        )


def test_what_says_the_same_is_no_change() -> None:
    draft = ScopedRecord(CHAIN, Record(RecordKind.ITEM, "1", {"name": "Tea"}))
    (change,) = changes_of(candidates_of([draft]), {})
    assert change.new is not None
    assert changes_of(candidates_of([draft]), {change.key: change.new}) == []
    gone = ScopedRecord(CHAIN, Record(RecordKind.ITEM, "1", None))
    assert changes_of(candidates_of([gone]), {}) == []
