"""A box gets a certificate, meets the cloud by mutual TLS, and gets the next one in time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from cloud.db import Database
from cloud.fleet import standing
from cloud.fleet.standing import Order
from cloud.pki.folder import CaFolder
from edge.clock import SystemClock
from edge.journal.signer import KEY_FILE, load
from edge.journal.store import Journal
from edge.replica.store import Replica
from edge.sync.enrol import enrol
from edge.sync.metrics import CERTIFICATES
from edge.sync.service import SyncHooks, SyncParts, SyncService
from edge.tls import BoxKeys
from edge.trusted_time import TrustedTime
from shared.wire.topics import up_hello
from tests.integration.edge.boxes import open_day
from tests.lab.broker import Broker
from tests.lab.cloud_api import CloudApi
from tests.lab.net import LOOPBACK
from tests.lab.workers import Workers

DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> CaFolder:
    folder = CaFolder(tmp_path_factory.mktemp("ca"), os.urandom)
    folder.init("shops.example", SystemClock().now_ms())
    return folder


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory, ca: CaFolder) -> Iterator[Broker]:
    running = Broker(tmp_path_factory.mktemp("tls-broker"), ca=ca).start()
    assert running.has_logins, "Mosquitto is missing: install it (apt-get install mosquitto)."
    yield running
    running.stop()


@pytest.fixture(scope="module")
def api(
    database: Database, tmp_path_factory: pytest.TempPathFactory, broker: Broker, ca: CaFolder
) -> Iterator[CloudApi]:
    changed = {
        "ca_dir": str(ca.path),
        "device_broker_host": LOOPBACK,
        "device_broker_port": broker.device_port,
        "device_broker_tls_port": broker.tls_port,
    }
    folder = tmp_path_factory.mktemp("cloud")
    running = CloudApi(database.url, folder, SystemClock(), changed).start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def admin(api: CloudApi) -> httpx.Client:
    client = api.client()
    body = {"name": "Main street", "time_zone": "Asia/Shanghai", "currency": "CNY"}
    client.put("/v1/stores/17", json=body).raise_for_status()
    return client


@pytest.fixture(scope="module")
def workers(
    database: Database, broker: Broker, tmp_path_factory: pytest.TempPathFactory, ca: CaFolder
) -> Iterator[Workers]:
    folder = tmp_path_factory.mktemp("worker")
    running = Workers(
        database.url,
        broker,
        folder,
        ca_dir=str(ca.path),
        broker_crl_file=str(broker.crl_file),
        broker_pid_file=str(broker.pid_file),
        device_broker_port=broker.tls_port,
    )
    running.here()
    yield running
    running.stop()


@pytest.fixture
def token(admin: httpx.Client) -> str:
    found: str = admin.post("/v1/claims", json={"store_id": "17"}).json()["token"]
    return found


def until(is_true: Callable[[], bool], within_s: float = 20.0) -> None:
    deadline = time.monotonic() + within_s
    while not is_true():
        assert time.monotonic() < deadline, "nothing happened in time"
        time.sleep(0.01)


class Box:
    """The box of a folder without lanes and screens."""

    def __init__(self, folder: Path, api: CloudApi, token: str) -> None:
        self.identity = enrol(folder, api.url, token)
        self.keys = BoxKeys(folder)
        clock = SystemClock()
        self.journal = Journal(folder / "journal.db", self.identity, clock, load(folder / KEY_FILE))
        self.journal.open()
        self.replica = Replica(folder / "replica")
        self.replica.open()
        trusted = TrustedTime(clock, folder / "time.json")
        trusted.open()
        parts = SyncParts(
            self.identity,
            self.journal,
            self.replica,
            trusted,
            clock,
            lambda: 0.05,
            folder / "fetch",
            1,
        )
        hooks = SyncHooks(set, lambda _: None, lambda _: None)
        self.sync = SyncService(replace(parts, keys=self.keys), hooks)

    def is_synced(self) -> bool:
        return self.journal.acked() == self.journal.head()[0]

    def close(self) -> None:
        self.sync.stop()
        self.replica.close()
        self.journal.close()


@pytest.fixture
def box(api: CloudApi, workers: Workers, token: str, tmp_path: Path) -> Iterator[Box]:
    made = Box(tmp_path, api, token)
    yield made
    made.close()


def test_a_box_enrols_sells_and_is_heard_by_mutual_tls(box: Box, broker: Broker) -> None:
    current = box.keys.current()
    assert current is not None
    assert (current.host, current.port) == (LOOPBACK, broker.tls_port)
    assert current.path.stat().st_mode & 0o777 == 0o600
    open_day(box.journal)
    box.sync.start()
    until(box.is_synced)


def test_a_revoked_box_is_dropped_and_cannot_come_back(
    box: Box, api: CloudApi, broker: Broker
) -> None:
    open_day(box.journal)
    box.sync.start()
    until(box.is_synced)
    lists = broker.crl_file.read_bytes()
    standing.revoke(api.context.database, api.context.accounts, order(api, box, "stolen"))
    until(lambda: broker.crl_file.read_bytes() != lists)
    until(lambda: shut_out() >= 2)
    assert not box.sync.tell(up_hello(box.identity.dev), b"anybody?")


def order(api: CloudApi, box: Box, why: str) -> Order:
    return Order(box.identity.dev, "test", why, api.context.clock.now_ms())


def shut_out() -> float:
    return CERTIFICATES.labels("shut_out")._value.get()
