"""PostgreSQL goes away, dies, gets stuck and does not say whether it committed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from cloud import worker
from cloud.db import Database, DatabaseError, StatementError
from cloud.ingest.arrival import read_arrival
from cloud.ingest.service import Verdict, ingest
from cloud.migrations.run import migrate
from cloud.posters import POSTERS
from shared.kernel.errors import UnavailableError
from shared.wire.message import AckCode
from tests.fakes.box_stream import START_MS, BoxStream
from tests.fakes.enrolment import enrol
from tests.faults.metrics import taken
from tests.faults.world import Chain, Store, check_prefix, check_whole, rows, until
from tests.lab.broker import Broker
from tests.lab.fault_proxy import FaultProxy
from tests.lab.net import LOOPBACK
from tests.lab.postgres import USER, PostgresServer
from tests.lab.workers import Workers

NEEDS_OWN_SERVER = "DATABASE_URL names a server of someone else: it cannot be stopped for a test"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A server that may be mistreated."""
    running = PostgresServer(tmp_path_factory.mktemp("mistreated"), durable=False)
    if running.given_url is not None:
        pytest.skip(NEEDS_OWN_SERVER)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def database(server: PostgresServer) -> Iterator[Database]:
    opened = Database(server.create_database("mistreated"))
    migrate(opened)
    yield opened
    opened.close()


def raw(server: PostgresServer) -> psycopg.Connection:
    return psycopg.connect(server.url("mistreated"))


@pytest.fixture
def store(chain: Chain) -> Store:
    return chain.store()


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_while_the_database_is_away_boxes_are_asked_to_wait_and_nothing_is_half_stored(
    database: Database, chain: Chain, workers: Workers, server: PostgresServer, end: str
) -> None:
    url = workers.here()
    stores = [chain.store() for _ in range(2)]
    until(lambda: all(one.is_synced() for one in stores))
    for one in stores:
        one.sell(300)
    time.sleep(0.05)
    getattr(server, end)()
    for one in stores:
        one.sell(20)
    until(lambda: taken(url, "busy") >= 2)
    assert all(len(one.sold) == 320 for one in stores)
    server.start()
    for one in stores:
        assert (check_prefix(database, one) - 2) % 20 == 0, "whole batches only"
    until(lambda: all(one.is_synced() for one in stores), 30)
    check_whole(database, *stores)


def test_a_stream_whose_row_somebody_holds_waits_and_others_do_not(
    database: Database, chain: Chain, workers: Workers, server: PostgresServer
) -> None:
    workers.here()
    held, free = chain.store(), chain.store()
    until(lambda: held.is_synced() and free.is_synced())
    with raw(server) as holder:
        holder.execute("SELECT 1 FROM stream WHERE stream_id = %s FOR UPDATE", (held.stream_id,))
        held.sell(3)
        for _ in range(5):
            time.sleep(0.2)  # the held store tries again and again meanwhile
            free.sell(3)
            until(free.is_synced)
        assert not held.is_synced()
    until(held.is_synced)
    check_whole(database, held, free)


@pytest.fixture
def patient(swift: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers wait for locks until PostgreSQL looks for deadlocks, after a second."""
    monkeypatch.setattr(worker, "LOCK_WAIT_MS", 0)


@pytest.mark.usefixtures("patient")
def test_a_deadlock_undoes_the_batch_and_it_comes_again(
    database: Database, store: Store, workers: Workers, server: PostgresServer
) -> None:
    url = workers.here()
    until(store.is_synced)
    with raw(server) as rival:
        rival.execute("SET deadlock_timeout = '60s'")  # so that it is the worker who gives in
        rival.execute("LOCK TABLE posting IN EXCLUSIVE MODE")
        store.sell(3)
        until(lambda: is_waiting(server, "relation"))
        before = taken(url, "busy")
        rival.execute("SELECT 1 FROM stream WHERE stream_id = %s FOR UPDATE", (store.stream_id,))
        until(lambda: taken(url, "busy") > before)
        assert check_prefix(database, store) == 2
    until(store.is_synced)
    check_whole(database, store)


def is_waiting(server: PostgresServer, lock: str) -> bool:
    asked = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = %s"
    with raw(server) as connection:
        found = connection.execute(asked, (lock,)).fetchone()
    return found is not None and found[0] > 0


@pytest.mark.usefixtures("patient")
def test_a_connection_that_is_ended_in_the_middle_of_a_batch_stores_nothing_of_it(
    database: Database, store: Store, workers: Workers, server: PostgresServer
) -> None:
    workers.here()
    until(store.is_synced)
    with raw(server) as rival:
        rival.execute("LOCK TABLE posting IN EXCLUSIVE MODE")
        store.sell(3)
        until(lambda: is_waiting(server, "relation"))
        rival.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks"
            " WHERE NOT granted AND locktype = 'relation'"
        )
        time.sleep(0.1)
        assert check_prefix(database, store) == 2
    until(store.is_synced)
    check_whole(database, store)


@pytest.fixture
def cable(server: PostgresServer) -> Iterator[FaultProxy]:
    """The way from a worker to the database."""
    [folder] = parse_qs(urlsplit(server.url("mistreated")).query)["host"]
    running = FaultProxy(Path(folder) / ".s.PGSQL.5432").start()
    yield running
    running.stop()


@pytest.mark.parametrize(("is_committed", "answer"), [(True, AckCode.DUP), (False, AckCode.OK)])
def test_a_commit_whose_outcome_nobody_knows_is_settled_by_the_next_try(
    database: Database, cable: FaultProxy, *, is_committed: bool, answer: AckCode
) -> None:
    box = BoxStream(f"d-{'ab'[is_committed] * 16}", f"unknown-{is_committed}")
    enrol(database, box)
    box.append_sales(20)
    far = Database(f"postgresql://{USER}@{LOOPBACK}:{cable.port}/mistreated")
    send = sender(far, box)
    assert send(0, 4).code is AckCode.OK
    cable.up.cut_at, cable.up.is_cut_after = b"COMMIT", is_committed
    with pytest.raises((UnavailableError, DatabaseError, StatementError)):
        send(5, 14)
    assert cable.cuts == 1
    until(lambda: stored(database, box) == (15 if is_committed else 5))
    assert send(5, 14).code is answer
    assert send(10, 19).code is AckCode.OK
    assert stored(database, box) == 20
    sales = "SELECT count(*) FROM sale WHERE store_id = :s"
    assert rows(database, sales, s=box.store_id) == [(20,)]
    far.close()


def sender(database: Database, box: BoxStream) -> Callable[[int, int], Verdict]:
    def send(first: int, last: int) -> Verdict:
        arrival = read_arrival(box.dev, box.batch(first, last))
        return ingest(database=database, arrival=arrival, posters=POSTERS, now_ms=START_MS)

    return send


def stored(database: Database, box: BoxStream) -> int:
    [(count,)] = rows(database, "SELECT count(*) FROM entry WHERE stream_id = :s", s=box.stream_id)
    return int(count)


def test_a_worker_behind_a_cable_that_is_cut_at_every_commit_gets_there_all_the_same(
    database: Database, store: Store, broker: Broker, cable: FaultProxy, tmp_path: Path
) -> None:
    far = f"postgresql://{USER}@{LOOPBACK}:{cable.port}/mistreated"
    workers = Workers(far, broker, tmp_path)
    workers.here()
    until(store.is_synced)
    is_over = threading.Event()

    def cut_for_a_while() -> None:
        while cable.cuts < 4:
            cable.up.is_cut_after = cable.cuts % 2 == 0
            cable.up.cut_at = b"COMMIT"
            time.sleep(0.02)
        is_over.set()

    saboteur = threading.Thread(target=cut_for_a_while)
    saboteur.start()
    while not is_over.is_set():
        store.sell(2)
        time.sleep(0.1)
    saboteur.join()
    cable.up.cut_at = b""
    until(store.is_synced)
    check_whole(database, store)
    workers.stop()
