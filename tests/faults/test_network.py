"""The line between a store and the broker, with a real broker, worker and database behind it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from cloud.db import Database
from edge.sync import mqtt as edge_mqtt
from shared.wire.message import Ack, parse_message
from shared.wire.topics import down_ack, up_journal
from tests.fakes.mqtt_peer import MqttPeer
from tests.faults.metrics import taken
from tests.faults.world import Chain, Store, check_prefix, check_whole, until
from tests.lab.broker import Broker
from tests.lab.fault_proxy import FaultProxy
from tests.lab.workers import Workers


@pytest.fixture
def url(workers: Workers) -> str:
    return workers.here()


@pytest.fixture
def store(chain: Chain, line: FaultProxy, url: str) -> Store:
    """A store that HQ is up to date with."""
    made = chain.store(line.port)
    until(made.is_synced)
    return made


@pytest.fixture
def spy(broker: Broker) -> Iterator[MqttPeer]:
    """Hears and says everything on the broker."""
    with MqttPeer(broker.internal_port, broker.internal_user, broker.internal_password) as peer:
        yield peer


def test_a_batch_that_is_lost_on_its_way_is_sent_again(
    database: Database, store: Store, line: FaultProxy, url: str
) -> None:
    before, passed = taken(url, "ok"), line.up.passed_bytes
    line.up.is_swallowing = True
    store.sell(3)
    time.sleep(0.1)
    assert (check_prefix(database, store), line.up.passed_bytes) == (2, passed)
    line.heal()
    until(store.is_synced)
    check_whole(database, store)
    assert taken(url, "ok") == before + 1


def test_a_lost_acknowledgement_makes_a_duplicate_that_changes_nothing(
    database: Database, store: Store, line: FaultProxy, url: str
) -> None:
    line.down.is_swallowing = True
    store.sell(3)
    until(lambda: check_prefix(database, store) == 5)
    time.sleep(0.1)
    assert not store.is_synced()
    line.heal()
    until(store.is_synced)
    assert taken(url, "dup") >= 1
    check_whole(database, store)


def test_a_batch_that_comes_again_much_later_is_compared_and_ignored(
    database: Database, store: Store, spy: MqttPeer, url: str
) -> None:
    spy.subscribe(up_journal(store.identity.dev))
    store.sell(2)
    old = spy.receive().payload
    until(store.is_synced)
    store.sell(2)
    until(store.is_synced)
    dups = taken(url, "dup")
    for _ in range(3):
        spy.publish(up_journal(store.identity.dev), old)
    until(lambda: taken(url, "dup") == dups + 3)
    store.sell()
    until(store.is_synced)
    check_whole(database, store)


def test_an_old_acknowledgement_after_a_newer_one_moves_nothing_back(
    database: Database, store: Store, spy: MqttPeer
) -> None:
    spy.subscribe(down_ack(store.identity.dev))
    store.sell()
    old = spy.receive()
    until(store.is_synced)
    store.sell(2)
    until(store.is_synced)
    acked = store.journal.acked()
    assert parse_message(Ack, old.payload).head < acked
    for _ in range(3):
        spy.publish(old.topic, old.payload)
    store.sell()
    until(store.is_synced)
    assert store.journal.acked() == acked + 1
    check_whole(database, store)


def test_a_connection_reset_in_the_middle_of_a_batch_again_and_again(
    database: Database, store: Store, line: FaultProxy
) -> None:
    for cut_after in (1, 2, 20, 150, 400, 700):
        cuts = line.cuts
        line.up.reset_after_bytes = cut_after
        store.sell(2)
        until(lambda cuts=cuts: line.cuts == cuts + 1)  # type: ignore[misc]
    line.down.reset_after_bytes = 2
    store.sell()
    until(lambda: line.cuts == 7)
    until(store.is_synced)
    check_whole(database, store)


def test_one_byte_at_a_time_and_half_of_all_pieces_stalled(
    database: Database, store: Store, line: FaultProxy, url: str
) -> None:
    line.up.slice_bytes = line.down.slice_bytes = 1
    store.sell(40)
    until(store.is_synced)
    line.heal()
    for way in (line.up, line.down):
        way.slice_bytes, way.stall_share, way.stall_ms = 64, 0.5, 30
    store.sell(20)
    until(store.is_synced)
    check_whole(database, store)


def test_answers_that_always_come_after_the_time_out_still_count(
    database: Database, store: Store, line: FaultProxy, url: str
) -> None:
    line.up.latency_ms = line.down.latency_ms = (
        400  # the time-out is 400 ms, the way there and back 800
    )
    before = taken(url, "ok") + taken(url, "dup")
    for _ in range(3):
        store.sell(5)
        until(store.is_synced)
    sent = taken(url, "ok") + taken(url, "dup") - before
    assert 3 <= sent <= 12, "late is not lost: no storm"
    line.heal()
    check_whole(database, store)


def test_a_line_slower_than_the_time_out_does_not_fill_up_with_copies(
    database: Database, store: Store, line: FaultProxy, url: str
) -> None:
    line.up.bytes_per_s = 6_000  # a batch of 200 alike sales takes more than twice the time-out
    before = taken(url, "ok") + taken(url, "dup")
    store.sell(800)
    until(store.is_synced)
    sent = taken(url, "ok") + taken(url, "dup") - before
    line.heal()
    check_whole(database, store)
    assert 4 <= sent <= 8, "one copy of each batch at most, and not one more each time"


@pytest.fixture
def short_keepalive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_mqtt, "KEEPALIVE_S", 1)


@pytest.mark.usefixtures("short_keepalive", "url")
def test_a_half_open_line_is_noticed_and_replaced(
    database: Database, chain: Chain, line: FaultProxy, spy: MqttPeer
) -> None:
    store = chain.store(line.port)
    until(store.is_synced)
    spy.subscribe(f"tb/1/d/{store.identity.dev}/up/state")
    assert b'"online":true' in spy.receive().payload
    line.swallow()
    broken_at = time.monotonic()
    store.sell(3)
    assert b'"online":false' in spy.receive(5).payload
    noticed_s = time.monotonic() - broken_at
    until(lambda: line.connections >= 2)
    replaced_s = time.monotonic() - broken_at
    line.heal()
    line.end_all("reset")
    until(store.is_synced)
    check_whole(database, store)
    # 1.5 times the keepalive at the broker, twice at the box, each looked at once a second.
    assert (noticed_s < 8, replaced_s < 8) == (True, True), (noticed_s, replaced_s)


def test_a_partition_of_a_day_loses_nothing_and_selling_goes_on(
    database: Database, store: Store, line: FaultProxy
) -> None:
    line.partition()
    for _ in range(5):
        store.sell(20)
        time.sleep(0.1)
    assert len(store.sold) == 100
    line.heal()
    until(store.is_synced)
    check_whole(database, store)
