"""Four workers on one PostgreSQL: how many entries per second are stored, booked and committed.

Each worker is a process with a connection of its own and stores of its own, fed with the very
payloads that boxes send; everything that a worker does with a batch is done, but for MQTT.

    python -m tests.bench.ingest_4 [--batches N]
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from multiprocessing.synchronize import Barrier
from pathlib import Path

from cloud.db import Database
from cloud.ingest.arrival import read_arrival
from cloud.ingest.service import ingest
from cloud.migrations.run import migrate
from cloud.posters import POSTERS
from shared.wire.message import AckCode
from tests.bench.figure import Figure
from tests.fakes.box_stream import START_MS, BoxStream
from tests.fakes.enrolment import enrol
from tests.lab.postgres import PostgresServer

WORKERS = 4
BATCH = 200
BATCHES = 60
GOAL_PER_S = 10_000
DEVICES = "abcd"


def measure(folder: Path, batches: int = BATCHES) -> Figure:
    """The figure of `make bench`, on a durable PostgreSQL of its own below `folder`."""
    server = PostgresServer(folder).start()
    try:
        database = Database(server.create_database("ingest_4"))
        migrate(database)
        alone = _entries_per_s(database, "e", batches)
        together = _entries_per_s(database, DEVICES, batches)
        database.close()
    finally:
        server.stop()
    return Figure(
        "entries per second stored and booked by four workers on one database",
        "/s",
        together,
        GOAL_PER_S,
        alone,
        "one worker",
        f"{WORKERS} x {batches} batches of {BATCH}, PostgreSQL on the same cores",
        higher_is_better=True,
    )


def _entries_per_s(database: Database, devices: str, batches: int) -> float:
    """One process per letter; the time from the common start to the last commit."""
    context = multiprocessing.get_context("spawn")
    start: Barrier = context.Barrier(len(devices) + 1)
    workers = [
        context.Process(target=_work, args=(database.url, letter, batches, start))
        for letter in devices
    ]
    for letter in devices:
        enrol(database, _box(letter))
    for worker in workers:
        worker.start()
    start.wait()
    began = time.perf_counter()
    for worker in workers:
        worker.join()
    took_s = time.perf_counter() - began
    assert all(worker.exitcode == 0 for worker in workers)
    return len(devices) * batches * BATCH / took_s


def _box(letter: str) -> BoxStream:
    return BoxStream(f"d-{letter * 16}", f"store-{letter}")


def _work(url: str, letter: str, batches: int, start: Barrier) -> None:
    box = _box(letter)
    box.append_sales(batches * BATCH)
    payloads = box.batches(BATCH)
    database = Database(url, connections=1)
    database.ping()
    start.wait()
    for payload in payloads:
        arrival = read_arrival(box.dev, payload)
        verdict = ingest(database=database, arrival=arrival, posters=POSTERS, now_ms=START_MS)
        assert (verdict.code, verdict.flagged) == (AckCode.OK, 0)
    database.close()


def main() -> None:
    """Start a PostgreSQL of our own, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, default=BATCHES)
    with tempfile.TemporaryDirectory() as folder:
        print(measure(Path(folder), parser.parse_args().batches))  # noqa: T201


if __name__ == "__main__":
    main()
