"""Durable sales per second, against bare SQLite commits of the same bytes."""

from __future__ import annotations

import sqlite3
import statistics
import time
from pathlib import Path

from edge.clock import SystemClock
from edge.ids import Ids
from edge.journal.signer import load_or_create
from edge.journal.store import EntryDraft, Journal
from shared.journal.event import DayOpened, SaleCompleted
from tests.bench.figure import Figure
from tests.bench.lab_box import BUSINESS_DATE, identity_of_lab
from tests.bench.sales import sale_of

ROUNDS = 40
SALES_PER_ROUND = 50
GOAL_SHARE = 0.7


def measure(folder: Path) -> Figure:
    """Alternate rounds of both, so that a noisy machine hits both alike."""
    clock = SystemClock()
    ids = Ids(clock)
    journal = Journal(
        folder / "journal.db", identity_of_lab(), clock, load_or_create(folder / "journal.key")
    )
    journal.open()
    at_ms = clock.now_ms()
    journal.append(
        EntryDraft(ids.entry_id(), DayOpened(BUSINESS_DATE), "1001", "", BUSINESS_DATE, at_ms, 1)
    )
    raw = _open_raw(folder / "raw.db")
    ours, bare, bodies = [], [], []
    for number in range(ROUNDS):
        start = number * SALES_PER_ROUND
        events = [SaleCompleted(sale_of(n)) for n in range(start, start + SALES_PER_ROUND)]
        drafts = [
            EntryDraft(ids.entry_id(), event, "1001", "1", BUSINESS_DATE, at_ms, 1)
            for event in events
        ]
        began = time.perf_counter()
        entries = [journal.append(draft) for draft in drafts]
        ours.append(SALES_PER_ROUND / (time.perf_counter() - began))
        bodies = [(entry.seq, entry.id, entry.type, entry.body, entry.hash) for entry in entries]
        bare.append(_commit_raw(raw, bodies))
    journal.close()
    raw.close()
    share = statistics.median(a / b for a, b in zip(ours, bare, strict=True))
    return Figure(
        "durable sales through Journal.append, share of bare SQLite WAL/FULL commits",
        "x",
        share,
        GOAL_SHARE,
        1.0,
        "bare commits",
        f"{statistics.median(ours):,.0f}/s against {statistics.median(bare):,.0f}/s, "
        f"{statistics.mean(len(b[3]) for b in bodies):,.0f} B each",
        higher_is_better=True,
    )


def _open_raw(path: Path) -> sqlite3.Connection:
    raw = sqlite3.connect(path, isolation_level=None)
    raw.execute("PRAGMA journal_mode=WAL")
    raw.execute("PRAGMA synchronous=FULL")
    raw.execute(
        "CREATE TABLE entry(seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, type TEXT NOT NULL,"
        " body BLOB NOT NULL, hash BLOB NOT NULL) STRICT"
    )
    return raw


def _commit_raw(raw: sqlite3.Connection, rows: list[tuple[int, str, str, bytes, bytes]]) -> float:
    began = time.perf_counter()
    for row in rows:
        raw.execute("BEGIN IMMEDIATE")
        raw.execute("INSERT INTO entry VALUES(?,?,?,?,?)", row)
        raw.execute("COMMIT")
    return len(rows) / (time.perf_counter() - began)
