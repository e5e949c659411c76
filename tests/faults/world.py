"""A store's real sync, its real journal, and what HQ has of them."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from cloud import mqtt as cloud_mqtt
from cloud import worker
from cloud.db import Database
from cloud.ingest import ack as cloud_ack
from edge.clock import SystemClock
from edge.identity import Identity
from edge.journal.signer import KEY_FILE, load_or_create
from edge.journal.store import Journal
from edge.replica.store import Replica
from edge.sync import mqtt as edge_mqtt
from edge.sync import push, uplink
from edge.sync.push import CloudState
from edge.sync.service import SyncHooks, SyncParts, SyncService
from edge.trusted_time import TrustedTime
from shared.journal.chain import genesis_hash, verify_chain
from shared.kernel.ids import DeviceId, StoreId, StreamId
from tests.fakes.enrolment import enrol
from tests.integration.edge.boxes import a_sale_draft, an_identity, open_day
from tests.lab.broker import Broker

BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
JITTER = 0.4


def until(is_true: Callable[[], bool], within_s: float = 15.0) -> None:
    deadline = time.monotonic() + within_s
    while not is_true():
        assert time.monotonic() < deadline, "nothing happened in time"
        time.sleep(0.005)


def hurry(patch: pytest.MonkeyPatch, *, answer_ms: int = 400) -> None:
    """A protocol whose time-outs are a twenty-fifth of the real ones, all in proportion."""
    patch.setattr(uplink, "ANSWER_WITHIN_MS", answer_ms)
    patch.setattr(uplink, "BACKOFF_BASE_MS", answer_ms)
    patch.setattr(uplink, "WAIT_MS_MIN", answer_ms // 20)
    patch.setattr(push, "_PAUSE_MS", answer_ms // 10)
    patch.setattr(edge_mqtt, "RECONNECT_BASE_MS", answer_ms // 10)
    patch.setattr(edge_mqtt, "LINE_BUSY_S_MAX", 4 * answer_ms / 1000)
    patch.setattr(cloud_mqtt, "RETRY_S_MAX", 0.2)
    patch.setattr(cloud_ack, "RETRY_BUSY_MS", answer_ms // 5)
    patch.setattr(worker, "LOCK_WAIT_MS", answer_ms // 3)


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What HQ knows of a box from its enrolment."""

    dev: str
    store_id: str
    journal_pub: bytes
    stream_id: bytes
    ordinal: int = 1


@dataclass
class Store:
    """A store that sells: its box without lanes and screens."""

    identity: Identity
    folder: Path
    journal: Journal
    replica: Replica
    sync: SyncService
    sold: list[str] = field(default_factory=list)
    clouds: list[CloudState] = field(default_factory=list)

    @property
    def stream_id(self) -> bytes:
        return bytes.fromhex(self.journal.stream)

    def sell(self, count: int = 1) -> None:
        """Sales that are durable when this returns, whatever the line does."""
        for _ in range(count):
            with self.journal.exclusive():
                draft = a_sale_draft(self.journal)
                self.sold.append(self.journal.append(draft).id)
        self.sync.notify()

    def is_synced(self) -> bool:
        return self.journal.acked() == self.journal.head()[0]

    def close(self) -> None:
        self.sync.stop()
        self.replica.close()
        self.journal.close()


@dataclass
class Chain:
    """Makes stores that HQ knows; `close` ends them."""

    database: Database
    broker: Broker
    folder: Path
    stores: list[Store] = field(default_factory=list)

    def store(self, port: int | None = None, **identity: Any) -> Store:
        """A store whose box reaches the broker at `port`; its day is open."""
        store = self.prepare(port, **identity)
        store.sync.start()
        return store

    def prepare(self, port: int | None = None, **identity: Any) -> Store:
        """The same, not connected yet."""
        dev = "d-" + "".join(secrets.choice(BASE32) for _ in range(16))
        known: dict[str, Any] = {
            "dev": DeviceId(dev),
            "secret": secrets.token_hex(16),
            "store_id": StoreId(secrets.token_hex(4)),
            "stream": StreamId(secrets.token_hex(16)),
            "broker_port": port or self.broker.device_port,
        }
        made = an_identity(**known | identity)
        folder = self.folder / dev
        folder.mkdir()
        signer = load_or_create(folder / KEY_FILE)
        public, stream = bytes.fromhex(signer.public_hex), bytes.fromhex(made.stream)
        enrol(self.database, Enrolled(dev, made.store_id, public, stream))  # type: ignore[arg-type]
        self.broker.add_device(dev, made.secret)
        time.sleep(0.05)  # the broker reads its log-ins anew
        store = self._build(made, folder)
        open_day(store.journal)
        self.stores.append(store)
        return store

    def reopen(self, store: Store, folder: Path) -> Store:
        """The box as it starts from the files in `folder`: its own, a copy, or an old image."""
        again = self._build(store.identity, folder)
        self.stores.append(again)
        return again

    def close(self) -> None:
        for store in self.stores:
            store.close()

    def _build(self, identity: Identity, folder: Path) -> Store:
        clock = SystemClock()
        journal = Journal(folder / "journal.db", identity, clock, load_or_create(folder / KEY_FILE))
        replica = Replica(folder / "replica")
        clouds: list[CloudState] = []
        trusted = TrustedTime(clock, folder / "time.json")
        trusted.open()
        work = folder / "fetch"
        parts = SyncParts(identity, journal, replica, trusted, clock, lambda: JITTER, work, 1)
        sync = SyncService(parts, SyncHooks(set, lambda _: None, clouds.append))
        journal.open()
        replica.open()
        return Store(identity, folder, journal, replica, sync, clouds=clouds)


def rows(database: Database, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    with database.begin() as connection:
        return [tuple(row) for row in connection.execute(text(statement), values)]


def check_whole(database: Database, *stores: Store) -> None:
    """HQ has every entry once, unchanged, in order, and every sale has had its effects once."""
    for store in stores:
        stream = store.stream_id
        stored = rows(
            database, "SELECT body, hash FROM entry WHERE stream_id = :s ORDER BY seq", s=stream
        )
        ours = store.journal.read(0, 100_000, 1 << 30)
        assert [bytes(body) for body, _ in stored] == [entry.body for entry in ours]
        pairs = [(bytes(body), bytes(entry_hash)) for body, entry_hash in stored]
        assert verify_chain(stream, 0, genesis_hash(stream), pairs) == store.journal.head()[1]
        booked = rows(
            database,
            "SELECT entry_id::text FROM sale WHERE store_id = :s",
            s=store.identity.store_id,
        )
        assert sorted(id_ for (id_,) in booked) == sorted(store.sold)
        paid = rows(
            database,
            "SELECT count(*) FROM posting WHERE store_id = :s AND account = 'cash'",
            s=store.identity.store_id,
        )
        assert paid == [(len(store.sold),)]


def check_prefix(database: Database, store: Store) -> int:
    """HQ's copy is a prefix of the store's journal; how many entries it has."""
    stream = store.stream_id
    stored = rows(database, "SELECT body FROM entry WHERE stream_id = :s ORDER BY seq", s=stream)
    ours = store.journal.read(0, len(stored), 1 << 30) if stored else []
    assert [bytes(body) for (body,) in stored] == [entry.body for entry in ours]
    return len(stored)
