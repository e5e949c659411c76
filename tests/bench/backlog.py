"""A store that was cut off for a week comes back: 14,000 sales over a line with 150 ms latency.

Everything is real: the box's journal and sync, Mosquitto, a worker process, a durable PostgreSQL.
The 150 ms are waited in each direction, so a question and its answer take 300 ms.

    python -m tests.bench.backlog [--sales N]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from prometheus_client import REGISTRY

from cloud.db import Database
from cloud.migrations.run import migrate
from edge.clock import SystemClock
from edge.ids import Ids
from edge.journal.store import EntryDraft
from shared.journal.event import SaleCompleted
from tests.bench.figure import Figure
from tests.bench.sales import AT_MS, sale_of
from tests.faults.world import Chain, Store, check_prefix
from tests.integration.edge.boxes import DAY
from tests.lab.broker import Broker
from tests.lab.fault_proxy import FaultProxy
from tests.lab.postgres import PostgresServer
from tests.lab.workers import Workers

SALES = 14_000
LATENCY_MS = 150
GOAL_S = 60.0
WAIT_S = 10 * GOAL_S


def measure(folder: Path, sales: int = SALES) -> Figure:
    """Seconds from the first connection until the last sale is acknowledged."""
    server = PostgresServer(folder / "postgres").start()
    database = Database(server.create_database("backlog"))
    migrate(database)
    broker = Broker(folder / "broker").start()
    line = FaultProxy(broker.device_port).start()
    workers = Workers(database.url, broker, folder)
    chain = Chain(database, broker, folder)
    try:
        workers.process()
        store = chain.prepare(line.port)
        _sell(store, sales)
        line.up.latency_ms = line.down.latency_ms = LATENCY_MS
        batches, began = _batches_sent(), time.perf_counter()
        store.sync.start()
        while not store.is_synced():
            time.sleep(0.01)
            assert time.perf_counter() - began < WAIT_S
        took_s = time.perf_counter() - began
        assert check_prefix(database, store) == store.journal.head()[0] + 1
        sent, batches = line.up.passed_bytes, _batches_sent() - batches
    finally:
        chain.close()
        workers.stop()
        line.stop()
        broker.stop()
        database.close()
        server.stop()
    return Figure(
        f"backlog of a week ({sales:,} sales) drained over a line with {LATENCY_MS} ms latency",
        "s",
        took_s,
        GOAL_S,
        batches * 2 * LATENCY_MS / 1000,
        f"{batches:.0f} round trips alone",
        f"{sales / took_s:,.0f} sales/s, {sent / sales:,.0f} B each with everything around it",
    )


def _batches_sent() -> float:
    return REGISTRY.get_sample_value("tillbox_sync_batches_sent_total") or 0.0


def _sell(store: Store, sales: int) -> None:
    ids = Ids(SystemClock())
    for number in range(sales):
        event, at_ms = SaleCompleted(sale_of(number)), AT_MS + number * 40_000
        store.journal.append(EntryDraft(ids.entry_id(), event, "1001", "1", DAY, at_ms, 1))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sales", type=int, default=SALES)
    with tempfile.TemporaryDirectory() as folder:
        print(measure(Path(folder), parser.parse_args().sales))  # noqa: T201


if __name__ == "__main__":
    main()
