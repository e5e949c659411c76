"""A delta of 1,000 prices: its size on the wire, and the time a box takes to switch to it.

python -m tests.bench --only delta
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from dataclasses import replace
from pathlib import Path

from edge.replica.store import Replica
from shared.publication.manifest import Manifest, Piece
from shared.publication.revision import (
    Record,
    RecordKind,
    digest_add,
    digest_hex,
    digest_remove,
    record_bytes,
    record_hash,
)
from shared.wire.objects import encode_object
from tests.bench.catalogue import Published, gtin_of, item_records, publish
from tests.bench.figure import Figure

ITEMS, PRICES = 100_000, 1_000
SIZE_GOAL_BYTES, APPLY_GOAL_S = 10_000, 0.2
LOWER_BY_MAX = 97


def measure(folder: Path) -> list[Figure]:
    """Change prices all over a catalogue by uneven amounts; stage and activate that on a box."""
    published = publish(folder, ITEMS)
    replica = Replica(folder / "replica")
    replica.open()
    replica.stage(published.manifest, published.pieces)
    replica.activate(published.manifest.rev, 0)
    changed = _changed()
    manifest, path = _delta(folder, published, changed)
    began = time.perf_counter()
    replica.stage(manifest, {manifest.deltas[0].sha256: path})
    staged_s = time.perf_counter() - began
    replica.activate(manifest.rev, 0)
    took_s = time.perf_counter() - began
    replica.close()
    size = manifest.deltas[0].size
    bare = sum(len(record_bytes(record)) for _, record in changed)
    return [
        Figure(
            f"delta of {PRICES:,} prices on the wire",
            "B",
            size,
            SIZE_GOAL_BYTES,
            bare,
            "its lines unpacked",
            f"{size / PRICES:.1f} B a price",
        ),
        Figure(
            f"delta of {PRICES:,} prices staged and active on a box of {ITEMS:,} items",
            "s",
            took_s,
            APPLY_GOAL_S,
            _plain_s(folder / "plain.db", changed),
            "the same rows replaced in plain SQLite, one sync",
            f"{staged_s:.3f} s of it staged beside what sells",
        ),
    ]


def _changed() -> list[tuple[Record, Record]]:
    """Old and new record of each changed price."""
    wanted = {gtin_of(_chance(number) % ITEMS) for number in range(PRICES)}
    olds = (
        record
        for record in item_records(ITEMS)
        if record.kind == RecordKind.PRICE and record.key in wanted
    )
    return [(old, replace(old, body=_lowered(old))) for old in olds]


def _lowered(record: Record) -> dict[str, list[list[int | None]]]:
    assert record.body is not None
    at_ms, regular_minor, member_minor = record.body["prices"][0]
    lower_by = 1 + _chance(int(record.key)) % LOWER_BY_MAX
    return {"prices": [[at_ms, regular_minor - lower_by, member_minor]]}


def _chance(number: int) -> int:
    """An uneven number that is the same in every run."""
    return int.from_bytes(hashlib.sha256(number.to_bytes(8, "big")).digest()[:4], "big")


def _delta(
    folder: Path, before: Published, changed: list[tuple[Record, Record]]
) -> tuple[Manifest, Path]:
    digest = int(before.manifest.digest, 16)
    for old, new in changed:
        digest = digest_add(digest_remove(digest, record_hash(old)), record_hash(new))
    packed = encode_object(new for _, new in changed)
    name = hashlib.sha256(packed).hexdigest()
    path = folder / name
    path.write_bytes(packed)
    rev = before.manifest.rev + 1
    piece = Piece(before.manifest.rev, rev, name, len(packed), len(changed))
    manifest = replace(before.manifest, rev=rev, digest=digest_hex(digest), deltas=(piece,))
    return manifest, path


def _plain_s(path: Path, changed: list[tuple[Record, Record]]) -> float:
    plain = sqlite3.connect(path, isolation_level=None)
    plain.execute("PRAGMA journal_mode=WAL")
    plain.execute("PRAGMA synchronous=FULL")
    plain.execute("CREATE TABLE price(gtin TEXT PRIMARY KEY, body TEXT)")
    plain.execute("BEGIN")
    rows = [(old.key, str(old.body)) for old, _ in changed]
    plain.executemany("INSERT INTO price VALUES(?,?)", rows)
    plain.execute("COMMIT")
    began = time.perf_counter()
    plain.execute("BEGIN")
    rows = [(str(new.body), new.key) for _, new in changed]
    plain.executemany("UPDATE price SET body=? WHERE gtin=?", rows)
    plain.execute("COMMIT")
    took_s = time.perf_counter() - began
    plain.close()
    return took_s
