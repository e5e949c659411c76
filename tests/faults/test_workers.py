"""Workers die, hang and stumble; what they held is sent again by the boxes."""

from __future__ import annotations

import os
import signal
import time

import httpx
import psutil
from sqlalchemy import text

from cloud.db import Database
from shared.wire.topics import up_journal
from tests.fakes.mqtt_peer import MqttPeer
from tests.faults.metrics import taken
from tests.faults.world import Chain, check_whole, until
from tests.lab.broker import Broker
from tests.lab.processes import ChildProcess
from tests.lab.workers import Workers

HOLD_EVERYTHING = """
import time
from cloud.ingest.consumer import JournalConsumer
JournalConsumer.on_message = lambda *_: time.sleep(600)
"""
NEVER_FINISH = """
import time
from cloud import mqtt
from cloud.ingest import consumer
mqtt.STUCK_AFTER_S = 0.5
consumer.ingest = lambda **_: time.sleep(600)
"""
SHORT_KEEPALIVE = """
from cloud import mqtt
mqtt.KEEPALIVE_S = 1
"""
STUMBLE_OVER_THE_FIRST = """
from cloud.ingest import consumer
ingest, calls = consumer.ingest, []
def stumble(**values):
    calls.append(1)
    if len(calls) < 3:
        raise ZeroDivisionError("a bug")
    return ingest(**values)
consumer.ingest = stumble
"""


def test_a_worker_killed_while_it_holds_many_batches_costs_a_time_out_and_nothing_else(
    database: Database, chain: Chain, workers: Workers
) -> None:
    doomed, _ = workers.process(HOLD_EVERYTHING)
    stores = [chain.store() for _ in range(6)]
    for store in stores:
        store.sell(10)
    time.sleep(0.3)
    doomed.kill()
    workers.here()
    killed_at = time.monotonic()
    until(lambda: all(store.is_synced() for store in stores))
    assert time.monotonic() - killed_at < 10
    check_whole(database, *stores)


def test_a_stopped_worker_is_put_out_by_the_broker_and_the_others_serve_its_stores(
    database: Database, chain: Chain, workers: Workers, broker: Broker
) -> None:
    stuck, _ = workers.process(SHORT_KEEPALIVE)
    workers.here()
    stores = [chain.store() for _ in range(4)]
    until(lambda: all(store.is_synced() for store in stores))
    before = workers_connected(broker)
    # One that is stopped inside a transaction holds its stream until somebody ends it.
    until(lambda: open_transactions(database) == 0)
    os.kill(stuck.pid, signal.SIGSTOP)
    stopped_at = time.monotonic()
    for store in stores:
        store.sell(3)
    until(lambda: all(store.is_synced() for store in stores))
    until(lambda: workers_connected(broker) == before - 1)
    assert time.monotonic() - stopped_at < 15, "the broker waits 1.5 keepalives of 1 s"
    os.kill(stuck.pid, signal.SIGCONT)
    for store in stores:
        store.sell(3)
    until(lambda: all(store.is_synced() for store in stores))
    check_whole(database, *stores)


def open_transactions(database: Database) -> int:
    query = text("""
        SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
            AND pid <> pg_backend_pid() AND xact_start IS NOT NULL""")
    with database.begin() as connection:
        return int(connection.execute(query).scalar_one())


def workers_connected(broker: Broker) -> int:
    assert broker.process is not None
    ends = psutil.Process(broker.process.pid).net_connections("tcp")
    return sum(
        end.status == psutil.CONN_ESTABLISHED and end.laddr.port == broker.internal_port
        for end in ends
    )


def test_a_worker_that_hangs_ends_itself_and_the_next_one_goes_on(
    database: Database, chain: Chain, workers: Workers
) -> None:
    hanging, _ = workers.process(NEVER_FINISH)
    store = chain.store()
    store.sell(3)
    until(lambda: has_ended(hanging))
    assert hanging.returncode == 70
    assert "mqtt.stuck" in hanging.output()
    workers.here()
    until(store.is_synced)
    check_whole(database, store)


def has_ended(child: ChildProcess) -> bool:
    return child.returncode is not None


def test_an_error_that_nobody_foresaw_costs_the_box_a_time_out_and_the_worker_nothing(
    database: Database, chain: Chain, workers: Workers
) -> None:
    worker, url = workers.process(STUMBLE_OVER_THE_FIRST)
    store = chain.store()
    store.sell(3)
    until(store.is_synced)
    assert worker.is_alive
    told = httpx.get(f"{url}/metrics").text
    assert 'tillbox_mqtt_messages_total{outcome="failed",route="journal"} 2.0' in told
    check_whole(database, store)


def test_garbage_on_a_boxes_own_topic_stops_neither_the_worker_nor_the_box(
    database: Database, chain: Chain, workers: Workers, broker: Broker
) -> None:
    url = workers.here()
    store = chain.store()
    until(store.is_synced)
    with MqttPeer(broker.internal_port, broker.internal_user, broker.internal_password) as peer:
        for payload in (b"", b"\x01", b"\x02" * 500_000, os.urandom(1000)):
            peer.publish(up_journal(store.identity.dev), payload)
    until(lambda: taken(url, "unreadable") == 4)
    store.sell(2)
    until(store.is_synced)
    check_whole(database, store)
