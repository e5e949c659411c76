"""Ingest against the limit of the same machine: a plain COPY of the same entries.

All sides store the same 200-entry batches, one transaction each, `synchronous_commit` on, through
one connection.  The plain side copies ready-made rows the way the driver's manual shows (text) and
does nothing else; a second one uses the binary format, which is the fastest that we know.  Ingest
gets the compressed MQTT payload and does everything: unpack, verify the chain and the signature,
judge, store, recompute the sale, book it, move the head, tell the consoles.  The sides alternate,
so that noise hits all of them.

    python -m tests.bench.ingest [--batches N] [--json FILE]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
import psycopg

from cloud.db import Database
from cloud.ingest.arrival import read_arrival
from cloud.ingest.service import ingest
from cloud.ingest.store import COPY_ENTRIES
from cloud.ledger.service import LedgerPoster
from cloud.migrations.run import migrate
from shared.wire.message import AckCode
from tests.bench.figure import Figure
from tests.fakes.box_stream import START_MS, BoxStream
from tests.fakes.enrolment import enrol
from tests.lab.postgres import PostgresServer

BATCH = 200
GOAL_SHARE = 0.5
WARM_UP = 10
ENTRY_TYPES = ["bytea", "int8", "text", "text", "int8", "text", "bytea", "bytea", "text"]
EntryRow = tuple[bytes, int, str, str, int, str, bytes, bytes, None]
COPY_AS_TEXT = COPY_ENTRIES.replace("(FORMAT BINARY)", "")


@dataclass(frozen=True, slots=True)
class IngestFigures:
    """Medians per 200-entry batch, in milliseconds; ratios are plain / ingest."""

    batches: int
    body_bytes: int
    ingest_wall_ms: float
    ingest_cpu_ms: float
    copy_wall_ms: float
    copy_cpu_ms: float
    copy_binary_wall_ms: float
    copy_binary_cpu_ms: float
    entries_per_s: float
    ratio: float
    ratio_to_binary: float


@dataclass(slots=True)
class _Side:
    """One contender and what its batches took: wall and this process' CPU seconds."""

    run: Callable[[int], None]
    walls: list[float]
    cpus: list[float]

    def measure(self, n: int) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        self.run(n)
        self.cpus.append(time.process_time() - cpu)
        self.walls.append(time.perf_counter() - wall)

    def wall_ms(self) -> float:
        return statistics.median(self.walls[WARM_UP:]) * 1_000

    def cpu_ms(self) -> float:
        return statistics.fmean(self.cpus[WARM_UP:]) * 1_000


def measure(folder: Path) -> Figure:
    """The figure of `make bench`, on a durable PostgreSQL of its own below `folder`."""
    server = PostgresServer(folder).start()
    try:
        found = measure_ingest(server)
    finally:
        server.stop()
    return Figure(
        "ingest of 200-entry batches by one worker, share of a plain COPY of the same entries",
        "x",
        found.ratio,
        GOAL_SHARE,
        1.0,
        "plain COPY",
        f"{found.entries_per_s:,}/s; batch {found.ingest_wall_ms} against {found.copy_wall_ms} ms"
        f" (COPY in binary format {found.copy_binary_wall_ms} ms: {found.ratio_to_binary}),"
        f" {found.ingest_cpu_ms} ms CPU, {found.body_bytes:,} B each",
        higher_is_better=True,
    )


def measure_ingest(server: PostgresServer, batches: int = 100) -> IngestFigures:
    """Run both sides on a fresh database of a running server."""
    database = Database(server.create_database(f"bench_ingest_{time.time_ns()}"))
    migrate(database)
    box = BoxStream("d-aaaaaaaaaaaaaaaa", "343")
    box.append_sales((batches + WARM_UP) * BATCH)
    enrol(database, box)
    with psycopg.connect(database.url.replace("+psycopg", "")) as connection:
        sides = (
            _Side(_ingest_side(database, box), [], []),
            _Side(_copy_side(connection, box, "plain_text", is_binary=False), [], []),
            _Side(_copy_side(connection, box, "plain_binary", is_binary=True), [], []),
        )
        for n in range(batches + WARM_UP):
            for side in sides:
                side.measure(n)
    database.close()
    return _figures(box, batches, *sides)


def _ingest_side(database: Database, box: BoxStream) -> Callable[[int], None]:
    payloads = box.batches(BATCH)
    posters = (LedgerPoster(),)

    def run(n: int) -> None:
        arrival = read_arrival(box.dev, payloads[n])
        verdict = ingest(database=database, arrival=arrival, posters=posters, now_ms=START_MS)
        assert verdict.code is AckCode.OK
        assert (verdict.stored, verdict.flagged) == (BATCH, 0)

    return run


def _copy_side(
    connection: psycopg.Connection, box: BoxStream, table: str, *, is_binary: bool
) -> Callable[[int], None]:
    connection.execute(f"CREATE TABLE {table} (LIKE entry INCLUDING ALL)")
    connection.commit()
    statement = (COPY_ENTRIES if is_binary else COPY_AS_TEXT).replace("COPY entry", f"COPY {table}")
    batches = [_rows(box, at) for at in range(0, len(box.bodies), BATCH)]

    def run(n: int) -> None:
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            if is_binary:
                copy.set_types(ENTRY_TYPES)
            for row in batches[n]:
                copy.write_row(row)
        connection.commit()

    return run


def _rows(box: BoxStream, at: int) -> list[EntryRow]:
    return [
        (
            box.stream_id,
            seq,
            box.id_at(seq),
            "sale.completed",
            START_MS + seq * 1_000,
            box.store_id,
            box.bodies[seq],
            box.hashes[seq],
            None,
        )
        for seq in range(at, min(at + BATCH, len(box.bodies)))
    ]


def _figures(
    box: BoxStream, batches: int, taken: _Side, plain: _Side, binary: _Side
) -> IngestFigures:
    return IngestFigures(
        batches=batches,
        body_bytes=sum(map(len, box.bodies)) // len(box.bodies),
        ingest_wall_ms=round(taken.wall_ms(), 2),
        ingest_cpu_ms=round(taken.cpu_ms(), 2),
        copy_wall_ms=round(plain.wall_ms(), 2),
        copy_cpu_ms=round(plain.cpu_ms(), 2),
        copy_binary_wall_ms=round(binary.wall_ms(), 2),
        copy_binary_cpu_ms=round(binary.cpu_ms(), 2),
        entries_per_s=round(BATCH * 1_000 / taken.wall_ms()),
        ratio=_share(plain, taken),
        ratio_to_binary=_share(binary, taken),
    )


def _share(limit: _Side, taken: _Side) -> float:
    """Median of the rounds: each compares batches that ran one after the other."""
    pairs = zip(limit.walls[WARM_UP:], taken.walls[WARM_UP:], strict=True)
    return round(statistics.median(bare / ours for bare, ours in pairs), 3)


def main() -> None:
    """Start a durable PostgreSQL of our own, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, default=100)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = PostgresServer(Path(folder)).start()
        try:
            figures = measure_ingest(server, options.batches)
        finally:
            server.stop()
    for name, value in asdict(figures).items():
        print(f"{name:24} {value}")  # noqa: T201
    if options.json is not None:
        options.json.write_bytes(orjson.dumps(asdict(figures)))


if __name__ == "__main__":
    main()
