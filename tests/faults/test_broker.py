"""The broker is a lossy pipe that may vanish, forget, refuse and be overheard."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from cloud.db import Database
from cloud.deployment import share_group
from shared.kernel.ids import DeviceId
from shared.wire.message import AckCode
from shared.wire.topics import down_ack, shared_journal, up_journal
from tests.fakes.mqtt_peer import MqttPeer
from tests.faults.metrics import counted, taken
from tests.faults.world import Chain, check_whole, until
from tests.lab.broker import Broker
from tests.lab.broker_files import ROLE
from tests.lab.net import LOOPBACK
from tests.lab.workers import Workers

REFUSED = "tillbox_sync_refused_publishes_total"
NEEDS_MOSQUITTO = "no mosquitto here: rumqttd knows neither log-ins nor topic rights"
FILES_MAX = 40


@pytest.fixture
def internal(broker: Broker) -> Iterator[MqttPeer]:
    with MqttPeer(broker.internal_port, broker.internal_user, broker.internal_password) as peer:
        yield peer


def test_a_broker_killed_with_batches_under_way_comes_back_empty_and_nothing_is_lost(
    database: Database, chain: Chain, broker: Broker, workers: Workers
) -> None:
    workers.here()
    stores = [chain.store() for _ in range(3)]
    for round_ in range(3):
        for store in stores:
            store.sell(250)
        time.sleep(0.05 * round_)
        broker.kill()
        for store in stores:
            store.sell(5)
        broker.start()
    until(lambda: all(store.is_synced() for store in stores), 30)
    check_whole(database, *stores)


def test_without_a_worker_the_broker_says_success_and_the_box_keeps_everything(
    database: Database, chain: Chain, workers: Workers
) -> None:
    store = chain.store()
    nobody = counted(REFUSED, reason="No matching subscribers")
    store.sell(3)
    until(lambda: counted(REFUSED, reason="No matching subscribers") >= nobody + 2)
    assert store.journal.acked() == -1
    assert not store.sync.cloud_state().online
    workers.here()
    until(store.is_synced)
    check_whole(database, store)


@pytest.fixture
def strict_broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker that lets boxes in and takes no journal batch of them."""
    role = tmp_path / "role"
    shutil.copytree(ROLE, role)
    rights = role / "templates" / "devices.acl.j2"
    rights.write_text("pattern write tb/1/d/%u/up/hello\npattern read tb/1/d/%u/dn/#\n")
    running = Broker(tmp_path / "strict", role=role).start()
    yield running
    running.stop()


def test_a_refused_publish_is_no_delivery_and_no_storm(
    database: Database, chain: Chain, strict_broker: Broker, tmp_path: Path
) -> None:
    if not strict_broker.has_logins:
        pytest.skip(NEEDS_MOSQUITTO)
    workers = Workers(database.url, strict_broker, tmp_path)
    url = workers.here()
    strict = Chain(database, strict_broker, tmp_path)
    store = strict.store()
    refused = counted(REFUSED, reason="Not authorized")
    store.sell(3)
    time.sleep(1.5)
    tries = counted(REFUSED, reason="Not authorized") - refused
    acked = store.journal.acked()
    strict.close()
    assert 2 <= tries <= 12, "hellos, reports, births and a few jittered batches"
    assert (acked, taken(url, "ok")) == (-1, 0)
    workers.stop()


def test_a_box_that_guesses_a_group_name_takes_nothing_from_anybody(
    database: Database, chain: Chain, broker: Broker, workers: Workers
) -> None:
    if not broker.has_logins:
        pytest.skip(NEEDS_MOSQUITTO)
    url = workers.here()
    store = chain.store()
    broker.add_device("rogue", "password")
    time.sleep(0.1)
    with MqttPeer(broker.device_port, "rogue", "password") as rogue:
        for filter_ in (shared_journal("tillbox"), "$share/ingest/tb/1/d/#", "tb/1/d/#"):
            rogue.subscribe(filter_)
        for _ in range(10):
            store.sell(2)
            until(store.is_synced)
        assert rogue.receive_nothing(0.1)
    assert taken(url, "dup") == 0
    check_whole(database, store)


def test_a_box_that_knows_the_group_name_slows_others_down_but_loses_nothing_for_them(
    database: Database, chain: Chain, broker: Broker, workers: Workers
) -> None:
    if not broker.has_logins:
        pytest.skip(NEEDS_MOSQUITTO)
    workers.here()
    group = share_group(database, bytes)
    store = chain.store()
    until(store.is_synced)
    broker.add_device("rogue", "password")
    time.sleep(0.1)
    late = counted("tillbox_sync_timeouts_total")
    with MqttPeer(broker.device_port, "rogue", "password") as rogue:
        rogue.subscribe(shared_journal(group))
        for _ in range(6):
            store.sell(2)
            until(store.is_synced)
        assert rogue.receive_nothing(0.1), "it may not read a single batch"
    assert counted("tillbox_sync_timeouts_total") > late, "it did swallow some"
    check_whole(database, store)


def test_payloads_of_two_megabytes_from_either_side_hurt_nobody_else(
    database: Database, chain: Chain, broker: Broker, workers: Workers, internal: MqttPeer
) -> None:
    url = workers.here()
    store, other = chain.store(), chain.store()
    until(lambda: store.is_synced() and other.is_synced())
    with MqttPeer(broker.device_port, store.identity.dev, store.identity.secret) as twin:
        twin.client.publish(up_journal(store.identity.dev), bytes(2 << 20), qos=1)
        other.sell(2)
        until(other.is_synced)
    internal.client.publish(down_ack(DeviceId(other.identity.dev)), bytes(2 << 20), qos=1)
    for one in (store, other):
        one.sell(2)
        until(one.is_synced)
    assert taken(url, AckCode.BAD) == 0
    check_whole(database, store, other)


def test_a_broker_without_a_free_file_descriptor_lets_boxes_in_later(
    database: Database, tmp_path: Path, swift: None
) -> None:
    broker = Broker(tmp_path / "small", files_max=FILES_MAX).start()
    if not broker.has_logins:
        broker.stop()
        pytest.skip(NEEDS_MOSQUITTO)
    workers = Workers(database.url, broker, tmp_path)
    workers.here()
    chain = Chain(database, broker, tmp_path)
    store = chain.prepare()
    with ExitStack() as crowd:
        idle = [
            crowd.enter_context(socket.create_connection((LOOPBACK, broker.device_port)))
            for _ in range(FILES_MAX)
        ]
        assert len(idle) == FILES_MAX
        store.sync.start()
        store.sell(3)
        time.sleep(0.5)
        assert (len(store.sold), store.journal.acked()) == (3, -1)
        assert not store.sync.cloud_state().online
    until(store.is_synced)
    check_whole(database, store)
    chain.close()
    workers.stop()
    broker.stop()
