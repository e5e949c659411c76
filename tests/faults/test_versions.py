"""A box of the version before, or after, with the cloud of today, and the reverse."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import zstandard

from cloud.db import Database
from cloud.ingest.arrival import read_arrival
from cloud.ingest.service import ingest
from cloud.posters import POSTERS
from shared.journal.event import SaleCompleted, UnknownEvent
from shared.wire.message import AckCode
from shared.wire.topics import down_ack
from tests.fakes.box_stream import START_MS, BoxStream, a_sale
from tests.fakes.enrolment import enrol
from tests.fakes.mqtt_peer import MqttPeer
from tests.faults.metrics import counted
from tests.faults.world import Chain, Enrolled, check_whole, rows, until
from tests.lab.broker import Broker
from tests.lab.workers import Workers

BAD = "tillbox_sync_bad_messages_total"
GOLDEN = Path(__file__).resolve().parents[1] / "golden"


def take(database: Database, dev: str, payload: bytes) -> AckCode:
    arrival = read_arrival(dev, payload)
    return ingest(database=database, arrival=arrival, posters=POSTERS, now_ms=START_MS).code


def test_the_journal_of_a_first_version_box_is_stored_and_booked(database: Database) -> None:
    said: dict[str, Any] = json.loads((GOLDEN / "wire_v1_batch.json").read_text("utf-8"))
    public, stream = bytes.fromhex(said["journal_pub"]), bytes.fromhex(said["stream"])
    enrol(database, Enrolled(said["dev"], said["store"], public, stream))  # type: ignore[arg-type]
    assert take(database, said["dev"], b64decode(said["zlib"])) is AckCode.OK
    assert take(database, said["dev"], b64decode(said["zstd"])) is AckCode.DUP
    stored = rows(
        database, "SELECT body, flag FROM entry WHERE stream_id = :s ORDER BY seq", s=stream
    )
    assert [bytes(body).decode() for body, _ in stored] == said["bodies"]
    flags = {json.loads(bytes(body))["type"]: flag for body, flag in stored if flag is not None}
    assert flags == {}, "every sale of the first version still makes sense"
    booked = "SELECT count(*) FROM sale WHERE store_id = :s"
    assert rows(database, booked, s=said["store"]) == [(2,)]


def test_what_a_later_box_adds_to_header_and_entries_is_kept_and_does_no_harm(
    database: Database,
) -> None:
    box = BoxStream("d-laterlaterlaterl", "later")
    enrol(database, box)
    box.append_sales(1)
    box.append(UnknownEvent("loyalty.stamped", {"stamps": 3}))
    body = orjson.loads(box.bodies[0])
    body |= {"id": box.id_at(2), "seq": 2, "later": {"deep": [1]}}
    body["data"]["sale"]["later"] = "x"
    box.append_body(orjson.dumps(body, option=orjson.OPT_SORT_KEYS))
    payload = box.batch(0, 2)
    lines = zstandard.ZstdDecompressor().decompressobj().decompress(payload[1:]).split(b"\n")
    lines[0] = orjson.dumps(orjson.loads(lines[0]) | {"later": True})
    later = b"\x01" + zstandard.ZstdCompressor().compress(b"\n".join(lines))
    assert take(database, box.dev, later) is AckCode.OK
    stored = rows(
        database, "SELECT body, flag FROM entry WHERE stream_id = :s ORDER BY seq", s=box.stream_id
    )
    assert [(bytes(body), flag) for body, flag in stored] == [(each, None) for each in box.bodies]
    booked = "SELECT count(*) FROM sale WHERE store_id = :s"
    assert rows(database, booked, s="later") == [(2,)]


LATER_ACK = {
    "stream": "",
    "code": "throttled",
    "head": 0,
    "hh": "",
    "safe": -1,
    "sh": "",
    "inc": "9-9",
    "t": 1,
    "later": {"deep": 1},
    "v": 2,
}


def test_a_box_outlives_answers_that_only_later_software_understands(
    database: Database,
    chain: Chain,
    workers: Workers,
    broker: Broker,
) -> None:
    workers.here()
    store = chain.store()
    until(store.is_synced)
    before = counted(BAD, code="wire.message")
    with MqttPeer(broker.internal_port, broker.internal_user, broker.internal_password) as cloud:
        said = orjson.dumps(LATER_ACK | {"stream": store.journal.stream})
        cloud.publish(down_ack(store.identity.dev), said)
        until(lambda: counted(BAD, code="wire.message") > before)
    store.sell(2)
    until(store.is_synced)
    check_whole(database, store)


def test_a_sale_of_either_version_counts_once_when_both_send_it(database: Database) -> None:
    old, new = BoxStream("d-oldoldoldoldoldo", "both"), BoxStream("d-newnewnewnewnewn", "both")
    for box in (old, new):
        enrol(database, replace(box, ordinal=1 if box is old else 2))
    old.append(SaleCompleted(a_sale(1)))
    new = replace(new, ordinal=2)
    new.append(SaleCompleted(a_sale(1)), entry_id=old.id_at(0))
    assert take(database, old.dev, old.batch(0, 0)) is AckCode.OK
    assert take(database, new.dev, new.batch(0, 0)) is AckCode.OK
    booked = "SELECT count(*) FROM sale WHERE store_id = :s"
    assert rows(database, booked, s="both") == [(1,)]
