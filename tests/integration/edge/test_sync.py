"""The sync room against a real broker, with a real journal and replica and a small cloud."""

import json
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from edge.clock import SystemClock
from edge.identity import Identity
from edge.ids import Ids
from edge.journal.signer import FileSigner, load_or_create
from edge.journal.store import EntryDraft, Journal
from edge.replica.store import ActivationResult, Replica
from edge.sync.push import CloudState
from edge.sync.service import SyncHooks, SyncParts, SyncService
from edge.trusted_time import TrustedTime
from shared.journal.event import OperatorSignedOn
from shared.journal.life import LIVES_PER_DAY_MAX
from shared.kernel.ids import DeviceId, StoreId, StreamId
from shared.publication.revision import Record, RecordKind
from shared.wire.message import AckCode, Birth, DesiredState, message_bytes
from shared.wire.topics import down_ack, down_desired
from tests.builders import a_gtin
from tests.fakes.cloud import FakeIngest, FakeObjects, FakePublisher, Stream
from tests.lab.broker import Broker
from tests.lab.net import LOOPBACK

ZONE = "store-343"
CLOCK = SystemClock()
IDS = Ids(CLOCK)


def until(is_true: Callable[[], bool], within_s: float = 15.0) -> None:
    deadline = time.monotonic() + within_s
    while not is_true():
        assert time.monotonic() < deadline, "nothing happened in time"
        time.sleep(0.005)


def a_device() -> DeviceId:
    return DeviceId(
        "d-" + "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz234567") for _ in range(16))
    )


def price(number: int, minor: int) -> Record:
    return Record(RecordKind.PRICE, a_gtin(number), {"prices": [[0, minor, None]]})


def item(number: int) -> Record:
    body = {
        "gtin": a_gtin(number),
        "name": f"Item {number}",
        "department": "Grocery",
        "category": "",
    }
    more = {"brand": "", "package_size": "", "is_weighed": False, "plu": None}
    return Record(RecordKind.ITEM, a_gtin(number), body | more)


@dataclass
class BoxUnderTest:
    identity: Identity
    journal: Journal
    replica: Replica
    sync: SyncService
    activated: list[ActivationResult] = field(default_factory=list)
    clouds: list[CloudState] = field(default_factory=list)
    standings: list[str] = field(default_factory=list)

    def append(self, count: int = 1) -> None:
        for _ in range(count):
            event = OperatorSignedOn(lane=1, operator="1001")
            self.journal.append(
                EntryDraft(IDS.entry_id(), event, "1001", "1", "", CLOCK.now_ms(), 0)
            )

    def is_synced(self) -> bool:
        return self.journal.acked() == self.journal.head()[0]


@pytest.fixture
def objects() -> Iterator[FakeObjects]:
    server = FakeObjects()
    yield server
    server.stop()


@pytest.fixture
def publisher(objects: FakeObjects) -> FakePublisher:
    return FakePublisher(ZONE, objects)


@pytest.fixture
def ingest(broker: Broker) -> Iterator[FakeIngest]:
    running = FakeIngest(broker).start()
    yield running
    running.stop()


@pytest.fixture
def box(
    broker: Broker,
    ingest: FakeIngest,
    objects: FakeObjects,
    publisher: FakePublisher,
    tmp_path: Path,
) -> Iterator[BoxUnderTest]:
    dev, secret = a_device(), secrets.token_hex(16)
    objects.token = f"{dev}.{secret}"
    identity = Identity(
        dev=dev,
        secret=secret,
        store_id=StoreId("343"),
        store_name="343",
        zone="America/New_York",
        currency="USD",
        stream=StreamId(secrets.token_hex(16)),
        ordinal=1,
        broker_host=LOOPBACK,
        broker_port=broker.device_port,
        hq_pub=publisher.public_hex,
        price_zone=ZONE,
        cloud_url=objects.url,
    )
    signer = load_or_create(tmp_path / "journal.key")
    ingest.streams[dev] = Stream(bytes.fromhex(identity.stream), _public(signer))
    broker.add_device(dev, secret)
    running = _build(identity, signer, tmp_path)
    running.sync.start()
    yield running
    running.sync.stop()
    running.replica.close()
    running.journal.close()


def _public(signer: FileSigner) -> object:
    return signer._key.public_key()


def _build(identity: Identity, signer: FileSigner, folder: Path) -> BoxUnderTest:
    journal = Journal(folder / "journal.db", identity, CLOCK, signer)
    replica = Replica(folder / "replica")
    activated: list[ActivationResult] = []
    clouds: list[CloudState] = []
    trusted = TrustedTime(CLOCK, folder / "time.json")
    trusted.open()
    parts = SyncParts(identity, journal, replica, trusted, CLOCK, lambda: 0.05, folder / "fetch", 1)
    standings: list[str] = []
    hooks = SyncHooks(set, activated.append, clouds.append, on_standing=standings.append)
    sync = SyncService(parts, hooks)
    journal.open()
    replica.open()
    return BoxUnderTest(identity, journal, replica, sync, activated, clouds, standings)


def test_the_journal_arrives_whole_and_is_acknowledged(
    box: BoxUnderTest, ingest: FakeIngest
) -> None:
    box.append(450)
    box.sync.notify()
    until(box.is_synced)
    stream = ingest.streams[box.identity.dev]
    entries = box.journal.read(0, 1000, 1 << 30)
    assert stream.bodies == [entry.body for entry in entries]
    assert len(entries) == 451
    state = box.sync.cloud_state()
    assert (state.online, state.unsynced) == (True, 0)
    assert [cloud.online for cloud in box.clouds] == [True]


def test_a_sale_is_acknowledged_without_waiting_for_company(
    box: BoxUnderTest, ingest: FakeIngest
) -> None:
    until(lambda: box.is_synced() and box.sync.cloud_state().online)
    started = time.monotonic()
    box.append()
    box.sync.notify()
    until(box.is_synced)
    assert time.monotonic() - started < 1.0


def test_lost_batches_and_lost_acks_are_made_good_by_the_next_hello(
    box: BoxUnderTest, ingest: FakeIngest
) -> None:
    until(box.is_synced)
    for fault in ("lose_batches", "lose_acks"):
        setattr(ingest, fault, 1)
        box.append(5)
        box.sync.notify()
        until(lambda fault=fault: getattr(ingest, fault) == 0)  # type: ignore[misc]
        assert not box.is_synced()
        ingest.be_born()
        until(box.is_synced)
    assert len(ingest.streams[box.identity.dev].bodies) == box.journal.head()[0] + 1


def test_entries_made_while_the_broker_is_down_arrive_when_it_is_back(
    box: BoxUnderTest, ingest: FakeIngest, broker: Broker
) -> None:
    until(box.is_synced)
    broker.kill()
    until(lambda: not box.sync.cloud_state().online)
    box.append(30)
    box.sync.notify()
    assert box.sync.cloud_state().unsynced == 30
    broker.start()
    until(box.is_synced, within_s=30)
    assert [cloud.online for cloud in box.clouds] == [True, False, True]


def test_a_refusal_is_followed_by_a_pause_not_by_a_storm(
    box: BoxUnderTest, ingest: FakeIngest
) -> None:
    until(box.is_synced)
    sent = ingest.batches
    ingest.next_code = AckCode.BUSY
    box.append(3)
    box.sync.notify()
    until(lambda: ingest.batches == sent + 1)
    time.sleep(0.3)
    assert ingest.batches == sent + 1
    until(box.is_synced)
    assert ingest.batches == sent + 2


def test_a_fork_begins_a_stream_of_its_own_that_carries_what_was_not_acknowledged(
    box: BoxUnderTest, ingest: FakeIngest
) -> None:
    until(box.is_synced)
    ingest.next_code = AckCode.FORK
    box.append(3)
    box.sync.notify()
    until(lambda: box.journal.stream != box.identity.stream and box.is_synced())
    (old,) = ingest.ended
    assert len(old.bodies) == 1
    new = ingest.streams[box.identity.dev]
    bodies = [json.loads(body) for body in new.bodies]
    assert [body["type"] for body in bodies] == ["stream.opened"] + 3 * ["entry.salvaged"]
    assert bodies[0]["data"]["cause"] == "clone"
    box.append(2)
    box.sync.notify()
    until(box.is_synced)
    assert new.head == 5


def test_a_box_that_meets_a_fork_at_every_turn_stops_and_sells_on(
    box: BoxUnderTest, ingest: FakeIngest
) -> None:
    until(box.is_synced)
    for _ in range(LIVES_PER_DAY_MAX):
        sent = ingest.batches
        ingest.next_code = AckCode.FORK
        box.append()
        box.sync.notify()
        until(lambda sent=sent: ingest.batches > sent and ingest.next_code is None)
        until(lambda: box.journal.head()[0] > 0)
        if len(ingest.ended) < LIVES_PER_DAY_MAX - 1:
            until(box.is_synced)
    stream, sent = box.journal.stream, ingest.batches
    box.append(3)
    box.sync.notify()
    time.sleep(0.5)
    assert (box.journal.stream, ingest.batches) == (stream, sent)
    ingest.be_born()
    until(box.is_synced)


def test_a_cloud_that_was_restored_gets_again_what_it_lost(
    box: BoxUnderTest, ingest: FakeIngest
) -> None:
    box.append(5)
    box.sync.notify()
    until(box.is_synced)
    stream = ingest.streams[box.identity.dev]
    del stream.bodies[3:], stream.hashes[3:]
    ingest.inc = "77-2"
    ingest.be_born()
    until(lambda: stream.head == 5)
    until(lambda: box.journal.note("inc") == "77-2" and box.is_synced())
    assert box.journal.stream == box.identity.stream


def test_garbage_from_the_broker_is_counted_and_the_box_lives_on(
    box: BoxUnderTest, ingest: FakeIngest
) -> None:
    until(box.is_synced)
    before = _bad_messages()
    dev = box.identity.dev
    for topic in (down_ack(dev), down_desired(dev)):
        for payload in (b"\x00\xff", b"{}", b"[1]", b'{"v":1}', b"x" * 300_000):
            ingest.send(topic, payload)
    ingest.send(down_ack(dev), b"x" * 1_000_000)
    until(lambda: _bad_messages() >= before + 11)
    box.append(3)
    box.sync.notify()
    until(box.is_synced)


def _bad_messages() -> float:
    return sum(
        sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name == "tillbox_sync_bad_messages_total"
    )


def test_birth_and_last_will_carry_the_ordinal_of_the_connection(
    box: BoxUnderTest, ingest: FakeIngest
) -> None:
    until(box.is_synced)
    box.sync.stop()
    until(lambda: len(_states(ingest, box)) == 2)
    birth, death = _states(ingest, box)
    assert (birth.online, death.online) == (True, False)
    assert birth.conn == death.conn == 1_000_001


def _states(ingest: FakeIngest, box: BoxUnderTest) -> list[Birth]:
    return [birth for dev, birth in ingest.states if dev == box.identity.dev]


def test_a_publication_is_fetched_checked_and_activated_at_once(
    box: BoxUnderTest, ingest: FakeIngest, publisher: FakePublisher, objects: FakeObjects
) -> None:
    until(box.is_synced)
    ingest.desire(box.identity.dev, publisher.publish([item(1), price(1, 500)]))
    until(lambda: box.replica.active_revision() == 1)
    delays = []
    for minor in range(600, 612):
        catalog = publisher.publish([price(1, minor)])
        started = time.monotonic()
        ingest.desire(box.identity.dev, catalog)
        until(lambda: box.replica.active_revision() == publisher.rev)
        delays.append(time.monotonic() - started)
    assert max(delays) < 1.0
    [newest] = box.replica.dated_prices(a_gtin(1), publisher.rev)
    assert newest.regular_minor == 611
    assert [change.new_minor for change in box.activated[-1].changes] == [611]
    assert objects.connections <= 2, "the connection is kept open between publications"
    until(lambda: ingest.reports[-1].catalog.active == publisher.rev)
    assert ingest.reports[-1].catalog.stored == publisher.rev
    assert list((box.replica._folder.parent / "fetch").iterdir()) == []


def test_what_the_till_shows_is_reported(box: BoxUnderTest, ingest: FakeIngest) -> None:
    until(box.is_synced)
    box.sync.shown(1, 7)
    until(lambda: ingest.reports[-1].catalog.shown == {"1": 7})


def test_a_report_that_told_of_unsynced_entries_is_corrected_when_they_are_synced(
    box: BoxUnderTest, ingest: FakeIngest
) -> None:
    until(box.is_synced)
    ingest.is_paused = True
    box.append(4)
    box.sync.shown(1, 7)
    until(lambda: bool(ingest.reports) and ingest.reports[-1].unsynced == 4)
    ingest.is_paused = False
    ingest.be_born()
    until(lambda: ingest.reports[-1].unsynced == 0)


def test_a_price_that_head_office_did_not_sign_is_never_fetched(
    box: BoxUnderTest, ingest: FakeIngest, publisher: FakePublisher, objects: FakeObjects
) -> None:
    until(box.is_synced)
    forger = FakePublisher(ZONE, objects)
    asked = objects.requests
    ingest.desire(box.identity.dev, forger.publish([item(1), price(1, 1)]))
    until(lambda: bool(ingest.reports) and ingest.reports[-1].catalog.error is not None)
    assert ingest.reports[-1].catalog.error == "publication.signature"
    assert (box.replica.active_revision(), objects.requests) == (0, asked)
    ingest.desire(box.identity.dev, publisher.publish([item(1), price(1, 500)]))
    until(lambda: box.replica.active_revision() == 1)
    until(lambda: ingest.reports[-1].catalog.error is None)


def test_a_spoilt_or_unreachable_object_is_fetched_again(
    box: BoxUnderTest, ingest: FakeIngest, publisher: FakePublisher, objects: FakeObjects
) -> None:
    until(box.is_synced)
    objects.fail_next = 2
    ingest.desire(box.identity.dev, publisher.publish([item(1), price(1, 500)]))
    until(lambda: box.replica.active_revision() == 1)
    objects.spoil_next = 1
    ingest.desire(box.identity.dev, publisher.publish([price(1, 600)]))
    until(lambda: box.replica.active_revision() == 2)
    assert box.replica.dated_prices(a_gtin(1), 2)[0].regular_minor == 600


def test_the_box_hears_that_it_was_replaced(box: BoxUnderTest, ingest: FakeIngest) -> None:
    until(lambda: box.is_synced() and box.sync.cloud_state().online)
    topic = down_desired(box.identity.dev)
    ingest.send(topic, message_bytes(DesiredState(1, "1-1", None, status="retiring")), retain=True)
    until(lambda: box.standings == ["retiring"])
    ingest.send(topic, b'{"gen":2,"inc":"1-1","catalog":null,"v":1}', retain=True)  # as before
    until(lambda: box.standings == ["retiring", "active"])


def test_an_entry_that_the_card_has_spoilt_does_not_hold_back_those_behind_it(
    box: BoxUnderTest, ingest: FakeIngest
) -> None:
    until(box.is_synced)
    assert box.journal.head()[0] == 0
    with sqlite3.connect(box.journal.path) as connection:  # as bits that flip once it is written
        connection.execute("DROP TRIGGER entry_is_final")
        connection.execute(
            "CREATE TRIGGER spoilt AFTER INSERT ON entry BEGIN"
            " UPDATE entry SET body=CAST('{' || CAST(body AS TEXT) AS BLOB) WHERE seq=NEW.seq"
            " AND seq=2; END"
        )
    connection.close()
    box.append(3)
    box.sync.notify()
    until(lambda: box.journal.stream != box.identity.stream and box.is_synced())
    bodies = [json.loads(body) for body in ingest.streams[box.identity.dev].bodies]
    assert [body["type"] for body in bodies] == ["stream.opened"] + 3 * ["entry.salvaged"]
    assert bodies[0]["data"]["cause"] == "corrupt"
    carried = [body["data"]["body"][:9] == "damaged: " for body in bodies[1:]]
    assert carried == [False, True, False]
