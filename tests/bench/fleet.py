"""A price change reaches a fleet of simulated stores, over a real cloud and a real broker.

The light boxes are the product's own (`tillbox-cloud fleet simulate`); they share the machine's
processors with everything that they measure, so a real cloud has more room than this.

    python -m tests.bench.fleet [--stores N] [--changes N]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console
from sqlalchemy import text

from cloud.clock import SystemClock
from cloud.db import Database
from cloud.lightbox.crowd import CrowdSettings
from cloud.lightbox.processes import CrowdProcesses, running
from cloud.lightbox.service import Crowd, make_crowd
from cloud.publication.engine import welcome
from cloud.signing import read_hq_key
from tests.bench.figure import Figure, percentile, show, spread
from tests.bench.raw_broker import observing, raw_rate_per_s
from tests.demo.chain import Chain
from tests.demo.pack.sample import sample_pack
from tests.demo.state import load_or_create
from tests.demo.uploads import catalogue_csv
from tests.lab.broker import Broker
from tests.lab.net import LOOPBACK

STORES, CHANGES, PROCESSES = 1_000, 5, 2
GOALS_S = {1_000: 10.0, 10_000: 60.0}
CONNECT_S, CONVERGE_S, POLL_S = 600.0, 180.0, 0.1
MEMORY_GOAL = 1_000_000_000
FAN_OUT_GOAL = 0.5

_REACHED = text("""
    SELECT count(*) FROM box_state JOIN device USING (dev)
    WHERE device.status = 'active' AND stored_rev >= :rev AND active_rev >= :rev""")
_TIMES = text("SELECT stored_at_ms, active_at_ms FROM box_state WHERE active_rev >= :rev")


@dataclass(frozen=True, slots=True)
class Fleet:
    """A running cloud with its light boxes."""

    chain: Chain
    database: Database
    crowd: Crowd
    processes: CrowdProcesses


def measure(folder: Path, stores: int = STORES, changes: int = CHANGES) -> list[Figure]:
    """Change one price for the whole chain several times, then ask the cloud what was reported."""
    with fleet(folder, stores) as running_fleet:
        stored_s: list[float] = []
        acknowledged = 0
        before = cpu_s(running_fleet)
        for number in range(changes):
            took, reached = _change(running_fleet, 1_000 + number)
            stored_s += took
            acknowledged += reached
        used = cpu_s(running_fleet)
        cost = ", ".join(
            f"{name} {(used[name] - before[name]) / (stores * changes) * 1_000:.2f}"
            for name in used
        )
        memory = rss_bytes(running_fleet)
        rss = sum(memory[name] for name in ("api", "worker", "broker"))
        devices = [box.dev for box in map(running_fleet.crowd.box, range(1, stores + 1))]
        raw = raw_rate_per_s(running_fleet.chain.broker, devices)
        ours = _announce_rate_per_s(running_fleet)
    goal = GOALS_S.get(stores, max(GOALS_S.values()))
    return [
        Figure(
            f"price change -> stored by {stores:,} stores, p99",
            "s",
            percentile(stored_s, 0.99),
            goal,
            stores / raw,
            "as many messages through the raw broker",
            f"{spread(stored_s, 's')}; CPU ms a store: {cost}",
        ),
        Figure(
            "the same: stores that acknowledged it as active",
            "",
            acknowledged,
            stores * changes,
            stores * changes,
            "all of them",
            f"{changes} changes",
            higher_is_better=True,
        ),
        Figure(
            f"desired documents announced to {stores:,} stores",
            "1/s",
            ours,
            FAN_OUT_GOAL * raw,
            raw,
            "the raw broker in this run",
            "read from PostgreSQL, put together, published; both as they reach an observer",
            higher_is_better=True,
        ),
        Figure(
            f"cloud's memory with {stores:,} stores",
            "MB",
            rss / 1e6,
            MEMORY_GOAL / 1e6,
            0.0,
            "",
            "API, worker and broker; PostgreSQL and the light boxes stand beside",
        ),
    ]


@contextmanager
def fleet(folder: Path, stores: int, sales_per_day: int = 0) -> Iterator[Fleet]:
    """A cloud with so many light boxes, all connected and selling by a first publication."""
    chain = Chain(folder, load_or_create(folder, []))
    chain.broker = Broker(
        folder / "broker",
        device_port=chain.state.device_port,
        internal_port=chain.state.internal_port,
        files_max=stores + 1_000,
    )
    database: Database | None = None
    try:
        chain.start_cloud()
        database = Database(chain.database_url)
        crowd = make_crowd(database, stores, SystemClock().now_ms(), welcome)
        passwords = {box.dev: box.secret for box in map(crowd.box, range(1, stores + 1))}
        chain.broker.accounts.put_all(passwords)  # type: ignore[attr-defined]
        settings = CrowdSettings(
            chain.console_url,
            (LOOPBACK, chain.broker.device_port),
            read_hq_key(folder / "hq.key").public_hex,
            sales_per_day,
        )
        with running(crowd, settings, PROCESSES) as processes:
            found = Fleet(chain, database, crowd, processes)
            _open(found)
            yield found
    finally:
        if database is not None:
            database.close()
        chain.stop()


def _open(found: Fleet) -> None:
    hq = found.chain.console
    hq.import_csv("/v1/items/import", catalogue_csv(sample_pack()))
    deadline = time.monotonic() + CONNECT_S
    while found.processes.seen().connected < found.crowd.count:
        assert time.monotonic() < deadline, found.processes.seen()
        time.sleep(POLL_S)
    _wait(found, hq.publish("first"), CONNECT_S)


def _change(found: Fleet, regular_minor: int) -> tuple[list[float], int]:
    """Seconds from the order to publish until each store had it, and how many have it active."""
    hq = found.chain.console
    hq.change_chain_price(sample_pack().catalogue[0].ean13, regular_minor)
    began_ms = SystemClock().now_ms()
    rev = hq.publish("bench")
    reached = _wait(found, rev, CONVERGE_S)
    with found.database.begin() as connection:
        rows = connection.execute(_TIMES, {"rev": rev}).all()
    return [(stored - began_ms) / 1_000 for stored, _ in rows], reached


def _wait(found: Fleet, rev: int, timeout_s: float) -> int:
    """How many stores have a revision active, once all have or the time is over."""
    deadline, reached = time.monotonic() + timeout_s, 0
    while reached < found.crowd.count and time.monotonic() < deadline:
        time.sleep(POLL_S)
        with found.database.begin() as connection:
            reached = int(connection.execute(_REACHED, {"rev": rev}).scalar_one())
    return reached


def _announce_rate_per_s(found: Fleet) -> float:
    """How fast a worker that was just started tells every store what it should sell by."""
    worker = found.chain.worker
    assert worker is not None
    worker.stop()
    with observing(found.chain.broker, "des") as observer:
        worker.start()
        return observer.rate_per_s(found.crowd.count)


def rss_bytes(found: Fleet) -> dict[str, int]:
    """Resident memory by part; PostgreSQL's processes share much of theirs and count it each."""
    parts = _parts_of(found.chain)
    return {name: sum(each.memory_info().rss for each in parts[name]) for name in parts}


def cpu_s(found: Fleet) -> dict[str, float]:
    """Processor time by part so far: what each costs, however busy the machine is."""
    parts = {
        **_parts_of(found.chain),
        "light boxes": [psutil.Process(pid) for pid in found.processes.pids()],
    }
    return {name: sum(map(_spent_s, processes)) for name, processes in parts.items()}


def _spent_s(process: psutil.Process) -> float:
    """A process' time and that of its ended children; one that just ended is its parent's."""
    try:
        return float(sum(process.cpu_times()[:4]))
    except psutil.NoSuchProcess:
        return 0.0


def _parts_of(chain: Chain) -> dict[str, list[psutil.Process]]:
    roots = {
        "api": chain.api,
        "worker": chain.worker,
        "broker": chain.broker.process,
        "postgres": chain.postgres.process,
    }
    found = {}
    for name, process in roots.items():
        assert process is not None
        root = psutil.Process(process.pid)
        found[name] = [root, *root.children(recursive=True)]
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stores", type=int, default=STORES)
    parser.add_argument("--changes", type=int, default=CHANGES)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tillbox-fleet-") as folder:
        show(Console(width=200), measure(Path(folder), asked.stores, asked.changes))


if __name__ == "__main__":
    main()
