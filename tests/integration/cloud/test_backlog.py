"""Two workers behind one broker: a backlog, a new life, batches of newer software."""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import orjson
import pytest
import zstandard
from sqlalchemy import text

from cloud.db import Database
from shared.journal.entry import EntryHeader, body_fields
from shared.journal.event import SaleCompleted, StreamOpened
from shared.kernel.canonical import canonical_bytes
from shared.kernel.ids import DeviceId
from shared.wire import topics
from shared.wire.batch import CODEC_ZLIB, decode_batch
from shared.wire.codec import event_data
from shared.wire.message import Ack, parse_message
from tests.fakes.box_stream import DAY, START_MS, BoxStream, a_sale
from tests.fakes.mqtt_peer import MqttPeer
from tests.lab.broker import Broker
from tests.lab.workers import Workers

NewBox = Callable[[], BoxStream]
Connect = Callable[[BoxStream], MqttPeer]
BACKLOG = 10_000


@pytest.fixture
def two_workers(database: Database, broker: Broker, tmp_path: Path) -> Iterator[list[str]]:
    """Base URLs of two workers."""
    made = Workers(database.url, broker, tmp_path)
    yield [made.here(), made.here()]
    made.stop()


@pytest.fixture
def connect(broker: Broker) -> Iterator[Connect]:
    """Connects a box that listens for its acknowledgements."""
    with ExitStack() as stack:

        def join(box: BoxStream) -> MqttPeer:
            broker.add_device(box.dev, "secret")
            time.sleep(0.1)
            peer = MqttPeer(broker.device_port, box.dev, "secret")
            stack.enter_context(peer)
            peer.subscribe(topics.down_ack(DeviceId(box.dev)))
            return peer

        yield join


def send(peer: MqttPeer, box: BoxStream, payload: bytes) -> None:
    peer.publish(topics.up_journal(DeviceId(box.dev)), payload)


def ack_of(peer: MqttPeer) -> Ack:
    return parse_message(Ack, peer.receive().payload)


def taken_by(url: str) -> int:
    found = re.search(r"tillbox_ingest_entries_total (\d+)", httpx.get(f"{url}/metrics").text)
    return int(found[1]) if found else 0


def heard_by(url: str) -> float:
    told = httpx.get(f"{url}/metrics").text
    return sum(map(float, re.findall(r"tillbox_ingest_batches_total\{[^}]*\} (\S+)", told)))


def one(database: Database, statement: str, box: BoxStream) -> int:
    values = {"store": box.store_id, "stream": box.stream_id}
    with database.begin() as connection:
        return int(connection.execute(text(statement), values).scalar_one())


def test_a_backlog_of_ten_thousand_entries_drains_through_two_workers(
    database: Database, two_workers: list[str], connect: Connect, new_box: NewBox
) -> None:
    box = new_box()
    box.append_sales(BACKLOG)
    peer = connect(box)
    for payload in box.batches(200):
        send(peer, box, payload)
        assert ack_of(peer).code == "ok"
    stored = "SELECT count(*) FROM entry WHERE stream_id = :stream"
    assert one(database, stored, box) == BACKLOG
    assert one(database, "SELECT count(*) FROM sale WHERE store_id = :store", box) == BACKLOG
    taken = [taken_by(url) for url in two_workers]
    assert (sum(taken), min(taken) > 0) == (BACKLOG, True)


def test_a_new_life_that_both_workers_hear_of_is_registered_once(
    database: Database, two_workers: list[str], connect: Connect, new_box: NewBox
) -> None:
    box = new_box()
    peer = connect(box)
    for ordinal in range(2, 7):
        life = BoxStream(box.dev, box.store_id, ordinal)
        opened = StreamOpened(box.dev, box.store_id, "f", "clone", box.journal_pub.hex())
        life.append(opened)
        life.append_sales(5)
        payload = life.batch(0, 5)
        for _ in range(4):  # the broker hands them to the workers in turn
            peer.client.publish(topics.up_journal(DeviceId(box.dev)), payload, qos=1)
        assert sorted(ack_of(peer).code for _ in range(4)) == ["dup", "dup", "dup", "ok"]
    lives = "SELECT count(*) FROM stream WHERE store_id = :store AND cause = 'clone'"
    assert one(database, lives, box) == 5
    assert one(database, "SELECT max(ordinal) FROM stream WHERE store_id = :store", box) == 6
    assert all(heard_by(url) > 0 for url in two_workers)


def a_newer_body(box: BoxStream) -> bytes:
    """A sale of a software that says more than we know, in the header and in the event."""
    seq = len(box.bodies)
    header = EntryHeader(
        id=box.id_at(seq),
        type="sale.completed",
        stream=box.stream_id.hex(),
        seq=seq,
        at=START_MS,
        boot=3,
        mono=1,
        clk=2,
        biz=DAY,
        till="1",
        shift="1",
        actor="2041",
        sw="9.9.9",
        gt=(0, 0),
        cat=7,
    )
    data = event_data(SaleCompleted(a_sale(seq)))
    data["sale"]["carbon_g"] = 120
    return canonical_bytes({**body_fields(header, data), "v": 2, "weather": {"rain": True}})


def rewritten(payload: bytes, **changes: object) -> bytes:
    """The same batch with other header fields, in the codec that any box can write."""
    header, *bodies = (
        zstandard.ZstdDecompressor().decompressobj().decompress(payload[1:]).split(b"\n")
    )
    told = {**orjson.loads(header), **changes}
    shown = {name: value for name, value in told.items() if value is not None}
    return bytes((CODEC_ZLIB,)) + zlib.compress(b"\n".join((orjson.dumps(shown), *bodies)))


def test_fields_of_newer_software_are_kept_in_the_body_and_ignored_in_the_header(
    database: Database, two_workers: list[str], connect: Connect, new_box: NewBox
) -> None:
    box = new_box()
    box.append_sales(1)
    body = a_newer_body(box)
    box.append_body(body)
    payload = rewritten(box.batch(0, 1), v=2, region="north", tags=[1, {"a": None}])
    header, bodies = decode_batch(payload)
    assert (header.count, bodies) == (2, box.bodies)
    peer = connect(box)
    send(peer, box, payload)
    assert ack_of(peer).code == "ok"
    with database.begin() as connection:
        stored = connection.execute(
            text("SELECT body FROM entry WHERE stream_id = :s AND seq = 1"), {"s": box.stream_id}
        ).scalar_one()
    assert bytes(stored) == body
    assert one(database, "SELECT count(*) FROM sale WHERE store_id = :store", box) == 2
