"""What partitions by store cost: the same batches into tables in pieces, and into tables in one.

Both databases have the newest tables; in one of them `entry`, `sale` and `posting` are made plain.
Ingest runs the same code on both, in turns, batch by batch. Counted is the processor time of this
process and of the connection's own PostgreSQL process, so that a busy machine matters little.

    python -m tests.bench --only partitions
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text

from cloud.db import Database
from cloud.ingest.arrival import read_arrival
from cloud.ingest.service import ingest
from cloud.migrations.run import migrate
from cloud.posters import POSTERS
from cloud.report.queries import CloseFilter, daily_close, live_stores, recent_sales
from shared.wire.message import AckCode
from tests.bench.figure import Figure
from tests.fakes.box_stream import START_MS, BoxStream
from tests.fakes.enrolment import enrol
from tests.lab.postgres import PostgresServer

PARTITIONED = ("entry", "sale", "posting")
STORES = 8
GOAL_RATIO = 1.05
BATCHES = {200: 120, 1: 1_200}
"""How many batches of how many entries."""
WARM_UP = 0.2
"""Share of the batches that do not count: each connection meets each partition once."""
QUESTIONS = 40


@dataclass(slots=True)
class _Side:
    """A database that one connection writes to, and what each batch cost, in milliseconds."""

    database: Database
    backend: Path = field(init=False)
    costs: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        with self.database.begin() as connection:
            pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        self.backend = Path(f"/proc/{pid}/schedstat")

    def ms(self) -> float:
        """Processor time so far, of us and of the process that serves us."""
        return time.process_time() * 1e3 + int(self.backend.read_text().split()[0]) / 1e6

    def take(self, box: BoxStream, payload: bytes, count: int) -> None:
        began = self.ms()
        arrival = read_arrival(box.dev, payload)
        verdict = ingest(database=self.database, arrival=arrival, posters=POSTERS, now_ms=START_MS)
        self.costs.append(self.ms() - began)
        assert (verdict.code, verdict.stored, verdict.flagged) == (AckCode.OK, count, 0)

    def ask(self) -> float:
        """What the pages about all stores cost, once each."""
        began = self.ms()
        with self.database.begin() as connection:
            daily_close(connection, CloseFilter())
            live_stores(connection)
            recent_sales(connection)
        return self.ms() - began


def measure(folder: Path) -> list[Figure]:
    """One figure for each size of a batch."""
    server = PostgresServer(folder).start()
    try:
        return [_measure(server, size, count) for size, count in BATCHES.items()]
    finally:
        server.stop()


def _measure(server: PostgresServer, size: int, count: int) -> Figure:
    boxes = [BoxStream(f"d-{'a' * 15}{'abcdefgh'[n]}", f"s{n}") for n in range(STORES)]
    for box in boxes:
        box.append_sales(size * count // STORES)
    pieces = _Side(_database(server, f"pieces_{size}", boxes))
    whole = _Side(_database(server, f"whole_{size}", boxes, is_whole=True))
    batches = [box.batches(size) for box in boxes]
    for n in range(count // STORES):
        for box, payloads in zip(boxes, batches, strict=True):
            # Who goes first changes, so that neither finds the machine warm more often.
            for side in (pieces, whole) if n % 2 else (whole, pieces):
                side.take(box, payloads[n], size)
    asked = [(pieces.ask(), whole.ask()) for _ in range(QUESTIONS)]
    for side in (pieces, whole):
        side.database.close()
    first = int(count * WARM_UP)
    costs = [statistics.median(side.costs[first:]) for side in (pieces, whole)]
    pairs = zip(pieces.costs[first:], whole.costs[first:], strict=True)
    pages = [statistics.median(side) for side in zip(*asked, strict=True)]
    return Figure(
        f"processor time of a {size}-entry batch into tables in pieces, by that of tables in one",
        "x",
        round(statistics.median(mine / plain for mine, plain in pairs), 3),
        GOAL_RATIO,
        1.0,
        "the same tables in one piece",
        f"{costs[0]:.2f} against {costs[1]:.2f} ms; pages of all stores {pages[0]:.1f} against"
        f" {pages[1]:.1f} ms; n={count}",
    )


def _database(
    server: PostgresServer, name: str, boxes: list[BoxStream], *, is_whole: bool = False
) -> Database:
    database = Database(server.create_database(name))
    migrate(database)
    if is_whole:
        with database.begin() as connection:
            for table in PARTITIONED:
                connection.execute(text(f"ALTER TABLE {table} RENAME TO {table}_in_pieces"))
                made = f"CREATE TABLE {table} (LIKE {table}_in_pieces INCLUDING ALL)"
                connection.execute(text(made))
    for box in boxes:
        enrol(database, box)
    return database
