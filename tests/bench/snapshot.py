"""A snapshot of 100,000 items applied on a box, and the memory of the box that sells with it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from edge.replica.store import Replica
from shared.publication.revision import parse_record
from shared.wire.objects import iter_lines
from tests.bench.catalogue import Published, publish
from tests.bench.figure import Figure

ITEMS = 100_000
APPLY_GOAL_S = 3.0
RSS_GOAL_MB = 200.0
MB = 1 << 20
IMPORTS = "import fastapi, uvicorn, paho.mqtt.client, pydantic, sqlite3, cryptography, httpx"
IDLE = f"{IMPORTS}; print(open('/proc/self/statm').read().split()[1])"


def measure_apply(folder: Path) -> Figure:
    """Stage and activate a snapshot in an empty replica, against inserting the same rows."""
    published = publish(folder, ITEMS)
    replica = Replica(folder / "replica")
    replica.open()
    began = time.perf_counter()
    replica.stage(published.manifest, published.pieces)
    replica.activate(published.manifest.rev, 0)
    took = time.perf_counter() - began
    replica.close()
    return Figure(
        f"snapshot of {ITEMS:,} items applied on a box",
        "s",
        took,
        APPLY_GOAL_S,
        _insert_rows(folder / "raw.db", published),
        "parse and insert the same lines",
        f"{published.manifest.snapshot.size / MB:.1f} MB packed, verified by digest",
    )


def memory_figure(rss_bytes: int) -> Figure:
    """Resident memory of a box process that has just fetched and applied such a snapshot."""
    idle = subprocess.run([sys.executable, "-c", IDLE], capture_output=True, text=True, check=True)
    pages = int(idle.stdout) * os.sysconf("SC_PAGE_SIZE")
    return Figure(
        f"resident memory of a box after it fetched and applied {ITEMS:,} items",
        "MB",
        rss_bytes / MB,
        RSS_GOAL_MB,
        pages / MB,
        "its libraries alone",
    )


def _insert_rows(path: Path, published: Published) -> float:
    raw = sqlite3.connect(path, isolation_level=None)
    raw.execute("CREATE TABLE record(kind TEXT, key TEXT, body TEXT, PRIMARY KEY(kind, key))")
    began = time.perf_counter()
    raw.execute("BEGIN")
    with published.piece.open("rb") as stream:
        rows = (
            (str(record.kind), record.key, str(record.body))
            for record in map(parse_record, iter_lines(stream))
        )
        raw.executemany("INSERT INTO record VALUES(?,?,?)", rows)
    raw.execute("COMMIT")
    raw.close()
    return time.perf_counter() - began
