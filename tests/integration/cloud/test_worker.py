"""Workers as processes, with a real broker and a real PostgreSQL between them and the boxes."""

from __future__ import annotations

import os
import queue
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import zstandard
from sqlalchemy import text

from cloud.db import Database, incarnation
from cloud.desired import announce
from shared.kernel.ids import DeviceId
from shared.wire import topics
from shared.wire.batch import UNPACKED_BYTES_MAX
from shared.wire.message import (
    Ack,
    Birth,
    CatalogReport,
    CloudBirth,
    DesiredState,
    Hello,
    Report,
    message_bytes,
    parse_message,
)
from tests.fakes.box_stream import START_MS, BoxStream
from tests.fakes.mqtt_peer import MqttPeer, Will
from tests.lab.broker import Broker
from tests.lab.workers import Workers

NewBox = Callable[[], BoxStream]
PASSWORD = "box-secret"
DIE_BEFORE_THE_ACK = """
import os, signal
from cloud.ingest.ack import AckSender
AckSender.send = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
"""


def metrics(url: str) -> str:
    return httpx.get(f"{url}/metrics").text


@pytest.fixture
def workers(database: Database, broker: Broker, tmp_path: Path) -> Iterator[Workers]:
    made = Workers(database.url, broker, tmp_path)
    yield made
    made.stop()


@pytest.fixture
def connect(broker: Broker) -> Iterator[Callable[[BoxStream], MqttPeer]]:
    """Connects a box as its own device, listening for its acknowledgements."""
    with ExitStack() as stack:

        def join(box: BoxStream, will: Will | None = None) -> MqttPeer:
            broker.add_device(box.dev, PASSWORD)
            time.sleep(0.1)
            peer = MqttPeer(broker.device_port, box.dev, PASSWORD, will)
            stack.enter_context(peer)
            peer.subscribe(topics.down_ack(DeviceId(box.dev)))
            return peer

        yield join


def ack_of(peer: MqttPeer, seconds: float = 10) -> Ack:
    return parse_message(Ack, peer.receive(seconds).payload)


def send(peer: MqttPeer, box: BoxStream, payload: bytes) -> None:
    peer.publish(topics.up_journal(DeviceId(box.dev)), payload)


def count(database: Database, table: str, box: BoxStream) -> int:
    with database.begin() as connection:
        found = connection.execute(
            text(f"SELECT count(*) FROM {table} WHERE store_id = :s"),  # noqa: S608
            {"s": box.store_id},
        )
        return int(found.scalar_one())


def box_state(database: Database, box: BoxStream) -> dict[str, Any]:
    with database.begin() as connection:
        found = connection.execute(
            text("SELECT * FROM box_state WHERE dev = :d"), {"d": box.dev}
        ).mappings()
        row = found.one_or_none()
        return {} if row is None else dict(row)


def eventually(check: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_batch_is_acknowledged_with_number_hash_and_incarnation(
    database: Database, workers: Workers, connect: Callable[..., MqttPeer], new_box: NewBox
) -> None:
    url, box = workers.here(), new_box()
    box.append_sales(3)
    peer = connect(box)
    send(peer, box, box.batch(0, 2))
    ack = ack_of(peer)
    with database.begin() as connection:
        assert ack.inc == incarnation(connection)
    assert (ack.code, ack.head, ack.hh) == ("ok", 2, box.hashes[2].hex())
    assert (ack.stream, ack.safe, ack.sh) == (box.stream_id.hex(), -1, "")
    send(peer, box, box.batch(0, 2))
    assert ack_of(peer).code == "dup"
    assert 'tillbox_ingest_batches_total{code="ok"} 1.0' in metrics(url)
    assert "tillbox_ingest_entries_total 3.0" in metrics(url)


def test_no_payload_takes_the_worker_down(
    workers: Workers, connect: Callable[..., MqttPeer], new_box: NewBox
) -> None:
    url, box = workers.here(), new_box()
    box.append_sales(2)
    peer = connect(box)
    bomb = b"\x01" + zstandard.ZstdCompressor().compress(bytes(4 * UNPACKED_BYTES_MAX))
    good = box.batch(0, 1)
    malformed = [b"", b"\x00", b"\x01", b"\x02\x00", b"\x07abc", bomb, good[:-5], good + b"x"]
    for payload in [*malformed, bytes(900_000)]:
        send(peer, box, payload)
    for topic in ("hello", "rep", "state"):
        peer.publish(f"tb/1/d/{box.dev}/up/{topic}", b"{not json")
        peer.publish(f"tb/1/d/{box.dev}/up/{topic}", b'{"v":1}')
    box.bodies[0] += b" "
    send(peer, box, box.batch(0, 1))
    assert ack_of(peer).code == "bad"
    box.bodies[0] = box.bodies[0][:-1]
    send(peer, box, good)
    assert ack_of(peer).code == "ok"
    health = httpx.get(f"{url}/healthz")
    assert (health.status_code, health.json()["status"]) == (200, "ok")
    told = metrics(url)
    unreadable = next(line for line in told.splitlines() if 'code="unreadable"' in line)
    assert float(unreadable.split()[-1]) >= len(malformed)
    assert 'tillbox_mqtt_messages_total{outcome="failed",route="hello"} 2.0' in told


def test_a_worker_killed_between_commit_and_ack_loses_and_doubles_nothing(
    database: Database, workers: Workers, connect: Callable[..., MqttPeer], new_box: NewBox
) -> None:
    box = new_box()
    box.append_sales(50)
    peer = connect(box)
    doomed, _ = workers.process(DIE_BEFORE_THE_ACK)
    send(peer, box, box.batch(0, 49))
    eventually(lambda: doomed.returncode == -signal.SIGKILL)
    assert peer.receive_nothing(0.3)
    workers.here()
    send(peer, box, box.batch(0, 49))
    ack = ack_of(peer)
    assert (ack.code, ack.head, ack.hh) == ("dup", 49, box.hashes[49].hex())
    assert count(database, "entry", box) == count(database, "sale", box) == 50


def test_two_workers_share_the_batches_and_survive_the_death_of_one(
    database: Database, workers: Workers, connect: Callable[..., MqttPeer], new_box: NewBox
) -> None:
    first, (second, _) = workers.here(), workers.process()
    boxes = [new_box() for _ in range(4)]
    peers = [connect(box) for box in boxes]
    for box in boxes:
        box.append_sales(60)
    for at in range(0, 60, 10):
        if at == 30:
            second.kill()
        for box, peer in zip(boxes, peers, strict=True):
            push(peer, box, at, at + 9)
    for box in boxes:
        assert count(database, "entry", box) == count(database, "sale", box) == 60
    taken = 'tillbox_ingest_batches_total{code="ok"}'
    assert taken in metrics(first)
    assert "ingest.ok" in second.output()


def push(peer: MqttPeer, box: BoxStream, first: int, last: int) -> None:
    """Send until acknowledged, as a box does."""
    for _ in range(10):
        send(peer, box, box.batch(first, last))
        if not peer_is_silent(peer, last):
            return
    pytest.fail("never acknowledged")


def peer_is_silent(peer: MqttPeer, last: int) -> bool:
    deadline = time.monotonic() + 1.5
    while time.monotonic() < deadline:
        try:
            ack = ack_of(peer, 0.2)
        except queue.Empty:
            continue
        if ack.code in {"ok", "dup"} and ack.head >= last:
            return False
    return True


def test_sigterm_finishes_what_is_under_way(
    database: Database, workers: Workers, connect: Callable[..., MqttPeer], new_box: NewBox
) -> None:
    (worker, _), box = workers.process(), new_box()
    box.append_sales(400)
    peer = connect(box)
    for payload in box.batches(200):
        send(peer, box, payload)
    os.kill(worker.pid, signal.SIGTERM)
    eventually(lambda: worker.returncode == 0)
    assert "worker.stopped" in worker.output()
    stored = count(database, "entry", box)
    acked = [ack_of(peer, 1).head for _ in range(stored // 200)]
    assert acked[-1:] == ([stored - 1] if stored else [])


def a_hello(box: BoxStream, **values: Any) -> bytes:
    said = {
        "dev": box.dev,
        "stream": box.stream_id.hex(),
        "seq": len(box.bodies) - 1,
        "hash": box.hashes[-1].hex(),
        "acked": -1,
        "boot": 3,
        "conn": 12,
        "sw": "0.1.0",
        "clk": 2,
        "t": START_MS,
        "stored_rev": 0,
        "active_rev": 0,
        "unsynced": len(box.bodies),
    }
    return message_bytes(Hello(**{**said, **values}))


def test_hello_is_answered_with_the_head(
    database: Database, workers: Workers, connect: Callable[..., MqttPeer], new_box: NewBox
) -> None:
    workers.here()
    box, stranger = new_box(), new_box()
    box.append_sales(3)
    peer = connect(box)
    hello_topic = topics.up_hello(DeviceId(box.dev))
    peer.publish(hello_topic, a_hello(box))
    ack = ack_of(peer)
    assert (ack.code, ack.head, ack.hh) == ("ok", -1, "")
    send(peer, box, box.batch(0, 1))
    ack_of(peer)
    peer.publish(hello_topic, a_hello(box, conn=13, unsynced=1))
    ack = ack_of(peer)
    assert (ack.code, ack.head, ack.hh) == ("ok", 1, box.hashes[1].hex())
    state = box_state(database, box)
    assert (state["online"], state["conn"], state["edge_head"]) == (True, 13, 2)
    assert (state["unsynced"], state["sw"]) == (1, "0.1.0")
    peer.publish(hello_topic, a_hello(box, stream=stranger.stream_id.hex()))
    assert ack_of(peer).code == "revoked"


def test_a_death_of_an_older_connection_is_ignored(
    database: Database, workers: Workers, connect: Callable[..., MqttPeer], new_box: NewBox
) -> None:
    workers.here()
    box = new_box()
    box.append_sales(1)
    topic = topics.up_state(DeviceId(box.dev))

    def death(conn: int) -> bytes:
        return message_bytes(Birth(online=False, conn=conn))

    peer = connect(box, Will(topic, death(7)))
    peer.publish(topic, message_bytes(Birth(online=True, conn=7, boot=2)), retain=True)
    eventually(lambda: box_state(database, box).get("online") is True)
    peer.publish(topic, death(6))
    peer.publish(topic, message_bytes(Birth(online=True, conn=6, boot=2)))
    peer.publish(topics.up_hello(DeviceId(box.dev)), a_hello(box, boot=2, conn=6))
    ack_of(peer)
    state = box_state(database, box)
    assert (state["online"], state["conn"]) == (True, 7)
    peer.cut()
    eventually(lambda: box_state(database, box)["online"] is False)
    again = connect(box)
    again.publish(topic, message_bytes(Birth(online=True, conn=7, boot=2)))
    again.publish(topics.up_hello(DeviceId(box.dev)), a_hello(box, boot=2, conn=7))
    ack_of(again)
    assert box_state(database, box)["online"] is False
    again.publish(topic, message_bytes(Birth(online=True, conn=1, boot=3)))
    eventually(lambda: box_state(database, box)["online"] is True)


def test_a_report_is_kept(
    database: Database, workers: Workers, connect: Callable[..., MqttPeer], new_box: NewBox
) -> None:
    workers.here()
    box = new_box()
    peer = connect(box)
    catalog = CatalogReport("store-x", 9, 100, 8, 90, {"1": 8, "2": 7}, 95, "replica.digest")
    report = Report(START_MS, catalog, unsynced=4, lanes=2)
    peer.publish(topics.up_report(DeviceId(box.dev)), message_bytes(report))
    eventually(lambda: box_state(database, box) != {})
    state = box_state(database, box)
    assert (state["stored_rev"], state["active_rev"], state["shown_rev"]) == (9, 8, 7)
    assert (state["stored_at_ms"], state["active_at_ms"], state["shown_at_ms"]) == (100, 90, 95)
    assert (state["unsynced"], state["error"]) == (4, "replica.digest")


def test_desired_documents_reach_the_box_that_they_are_for(
    database: Database,
    workers: Workers,
    broker: Broker,
    connect: Callable[..., MqttPeer],
    new_box: NewBox,
) -> None:
    box, other = new_box(), new_box()
    box.append_sales(1)
    publish(database, box, 1)
    workers.here()
    topic = topics.down_desired(DeviceId(box.dev))
    peer = connect(box)
    peer.subscribe(topic)
    assert desired_of(peer) == 1
    publish(database, box, 2)
    publish(database, other, 3)
    assert desired_of(peer) == 2
    assert peer.receive_nothing(0.3)
    with MqttPeer(broker.internal_port, "ingest", broker.internal_password) as thief:
        thief.publish(topic, b"", retain=True)  # the broker forgot
    assert peer.receive().payload == b""
    peer.publish(topics.up_hello(DeviceId(box.dev)), a_hello(box, stored_rev=1))
    got = {peer.receive().topic, peer.receive().topic}
    assert got == {topic, topics.down_ack(DeviceId(box.dev))}
    peer.subscribe(topics.CLOUD_BIRTH)
    birth = parse_message(CloudBirth, peer.receive().payload)
    with database.begin() as connection:
        assert birth.incarnation == incarnation(connection)


def desired_of(peer: MqttPeer) -> int:
    catalog = parse_message(DesiredState, peer.receive().payload).catalog
    assert catalog is not None
    return catalog.rev


def publish(database: Database, box: BoxStream, rev: int) -> None:
    """What the publication room leaves behind."""
    catalog = {"zone": f"store-{box.store_id}", "rev": rev, "sha256": "00" * 32, "sig": "00" * 64}
    with database.begin() as connection:
        connection.execute(
            text("""
            INSERT INTO desired (dev, gen, inc, catalog) VALUES (:dev, :rev, '1-1', :catalog)
            ON CONFLICT (dev) DO UPDATE SET gen = excluded.gen, catalog = excluded.catalog,
                changed_no = nextval('desired_changed_no')"""),
            {"dev": box.dev, "rev": rev, "catalog": orjson.dumps(catalog).decode()},
        )
        announce(connection)
