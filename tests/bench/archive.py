"""The archive's four jobs over five-line sales: archive, verify, rebuild, restore drill.

python -m tests.bench --only archive
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

from cloud.archive.objects import FileObjects
from cloud.archive.seal import Sealer
from cloud.db import Database
from cloud.migrations.run import migrate
from cloud.posters import POSTERS
from cloud.recovery import drill
from cloud.recovery.rebuild import rebuild
from cloud.recovery.verify import Verifier
from tests.bench.figure import Figure
from tests.fakes.box_stream import BoxStream
from tests.fakes.enrolment import enrol
from tests.integration.cloud.archives import HQ, Office
from tests.lab.postgres import PostgresServer

BOXES = 4
ENTRIES = 10_000
"""Of each box."""
BATCH = 200
ARCHIVE_GOAL_PER_S = 15_000
VERIFY_GOAL_PER_S = 30_000
REBUILD_GOAL_PER_S = 8_000
DRILL_GOAL_PER_S = 4_000


def measure(folder: Path) -> list[Figure]:
    """One round of each, one after the other, over the same entries."""
    server = PostgresServer(folder, durable=False).start()
    try:
        database = Database(server.create_database("bench"))
        migrate(database)
        return _measure(Office(database, FileObjects(folder / "archive")))
    finally:
        server.stop()


def _measure(office: Office) -> list[Figure]:
    body = _fill(office)
    sealer = Sealer(office.database, office.objects, office.terms)
    parts = drill.Office(office.database, office.objects, POSTERS, office.clock, HQ)
    jobs: tuple[tuple[str, int, Callable[[], bool]], ...] = (
        (
            "sealed, read back and made safe",
            ARCHIVE_GOAL_PER_S,
            lambda: office.archive(wants_tree=True).raised == BOXES,
        ),
        (
            "verified with their segments",
            VERIFY_GOAL_PER_S,
            lambda: not Verifier(office.database, sealer).verify().flaws,
        ),
        (
            "posted anew and compared",
            REBUILD_GOAL_PER_S,
            lambda: all(
                change.is_same
                for change in rebuild(Database(office.database.url), POSTERS, is_check=True)
            ),
        ),
        ("restored in a drill", DRILL_GOAL_PER_S, lambda: drill.drill(parts).is_ok),
    )
    limit = _hashes_per_s(body)
    return [_figure(name, goal, job, limit) for name, goal, job in jobs]


def _figure(name: str, goal: int, job: Callable[[], bool], limit: float) -> Figure:
    count = BOXES * ENTRIES
    began = time.perf_counter()
    assert job()
    took_s = time.perf_counter() - began
    return Figure(
        f"entries per second {name}, five-line sales",
        "/s",
        count / took_s,
        goal,
        limit,
        "two SHA-256 per entry on one core, nothing read",
        f"{count:,} entries in {took_s:.2f} s",
        higher_is_better=True,
    )


def _fill(office: Office) -> bytes:
    """Everything that is archived later; answers a body."""
    box = BoxStream("", "")
    for number in range(BOXES):
        box = BoxStream(f"d-{'abcd'[number] * 16}", f"s{number}")
        enrol(office.database, box)
        box.append_sales(ENTRIES)
        for first in range(0, ENTRIES, BATCH):
            office.send(box, first, first + BATCH - 1)
    return box.bodies[-1]


def _hashes_per_s(body: bytes) -> float:
    count = 20_000
    began = time.perf_counter()
    for _ in range(count):
        hashlib.sha256(hashlib.sha256(body).digest() + bytes(60)).digest()
    return count / (time.perf_counter() - began)
