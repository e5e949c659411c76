"""Walking a whole journal: every hash, every column, nothing skipped.

python -m tests.bench.fsck
"""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
import time
from pathlib import Path

from edge.clock import SystemClock
from edge.copy.verify import verify_journal
from edge.ids import Ids
from edge.journal.signer import load_or_create
from edge.journal.store import Journal
from shared.journal.chain import entry_hash
from shared.journal.entry import EntryHeader
from shared.journal.event import SaleCompleted
from shared.wire.codec import entry_body
from tests.bench.figure import Figure
from tests.bench.lab_box import BUSINESS_DATE, identity_of_lab
from tests.bench.sales import AT_MS, sale_of

ENTRIES = 100_000
SAMPLES = 2_000
GOAL_PER_S = 100_000
ROUNDS = 3


def measure(folder: Path, entries: int = ENTRIES) -> Figure:
    """Best of three walks over a journal of five-line sales."""
    path, body_bytes = _long_journal(folder, entries)
    best_s = min(_walk_s(path) for _ in range(ROUNDS))
    return Figure(
        "entries per second checked by verify-journal, five-line sales",
        "/s",
        entries / best_s,
        GOAL_PER_S,
        _hashes_per_s(body_bytes),
        "two SHA-256 per entry on one core, nothing read",
        f"{entries:,} entries of {body_bytes:,} B in {best_s:.2f} s",
        higher_is_better=True,
    )


def _walk_s(path: Path) -> float:
    began = time.perf_counter()
    found = verify_journal(path)
    took_s = time.perf_counter() - began
    assert found.entries == found.head + 1
    return took_s


def _hashes_per_s(body_bytes: int) -> float:
    body, count = bytes(body_bytes), 20_000
    began = time.perf_counter()
    for _ in range(count):
        hashlib.sha256(hashlib.sha256(body).digest() + bytes(60)).digest()
    return count / (time.perf_counter() - began)


def _long_journal(folder: Path, entries: int) -> tuple[Path, int]:
    """A journal file as the box would have written it, without waiting for each commit."""
    identity, clock = identity_of_lab(), SystemClock()
    path = folder / "journal.db"
    journal = Journal(path, identity, clock, load_or_create(folder / "journal.key"))
    journal.open()
    seq, prev = journal.head()
    stream = bytes.fromhex(journal.stream)
    journal.close()
    events = [SaleCompleted(sale_of(n)) for n in range(SAMPLES)]
    ids, size = Ids(clock), 0
    raw = sqlite3.connect(path)
    for number in range(entries - seq - 1):
        seq += 1
        id_ = ids.entry_id()
        header = EntryHeader(
            id=id_,
            type=SaleCompleted.type,
            stream=stream.hex(),
            seq=seq,
            at=AT_MS + number,
            boot=1,
            mono=number,
            clk=2,
            biz=BUSINESS_DATE,
            till="1",
            shift="",
            actor="1001",
            sw="0.1.0",
            gt=(number * 1_000, 0),
            cat=1,
        )
        body = entry_body(header, events[number % SAMPLES])
        prev = entry_hash(stream, seq, prev, body)
        size += len(body)
        raw.execute("INSERT INTO entry VALUES(?,?,?,?,?)", (seq, id_, header.type, body, prev))
    raw.commit()
    raw.close()
    return path, size // entries


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        print(measure(Path(folder)))  # noqa: T201


if __name__ == "__main__":
    main()
