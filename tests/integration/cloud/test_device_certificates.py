"""A box gets a certificate, meets the cloud by mutual TLS, and gets the next one in time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from cloud.db import Database
from cloud.fleet import standing
from cloud.fleet.shut_out import ShutOut, ShutOutParts
from cloud.fleet.standing import Order
from cloud.pki.folder import CaFolder
from edge.clock import SystemClock
from edge.journal.signer import KEY_FILE, load
from edge.journal.store import Journal
from edge.replica.store import Replica
from edge.sync.certificates import CertificateKeeper
from edge.sync.enrol import enrol
from edge.sync.metrics import CERTIFICATES
from edge.sync.service import SyncHooks, SyncParts, SyncService
from edge.tls import NEW_KEY, BoxKeys
from edge.trusted_time import TrustedTime
from shared.wire.certificate import renewal_statement
from shared.wire.topics import up_hello
from tests.integration.edge.boxes import a_sale_draft, open_day
from tests.lab.broker import Broker
from tests.lab.cloud_api import CloudApi
from tests.lab.net import LOOPBACK, free_port
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


def sell_today(box: Box) -> None:
    """Have the day open: a box that comes after another finds it so."""
    day = box.journal.day()
    if day is None or not day.is_open:
        open_day(box.journal)


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
    sell_today(box)
    box.sync.start()
    until(box.is_synced)


def test_a_box_that_is_shut_out_at_the_console_is_out_everywhere_within_seconds(
    box: Box, api: CloudApi, admin: httpx.Client, broker: Broker
) -> None:
    dev, bearer = (
        box.identity.dev,
        {"Authorization": f"Bearer {box.identity.dev}.{box.identity.secret}"},
    )
    sell_today(box)
    box.sync.start()
    until(box.is_synced)
    lists, before = broker.crl_file.read_bytes(), shut_out()
    path = f"/v1/fleet/boxes/{dev}/revoke"
    assert api.stranger().post(path, json={"reason": "mine"}).status_code == 401
    assert admin.post(path, json={"reason": " "}).json()["code"] == "box.reason"
    for _ in range(2):  # a click too many is no second event
        admin.post(path, json={"reason": "stolen"}).raise_for_status()
    batch = api.stranger().post("/v1/journal/batches", content=b"", headers=bearer)
    assert batch.json()["code"] == "device.unknown"
    assert api.stranger().get(f"/v1/objects/{'0' * 64}", headers=bearer).status_code == 403
    until(lambda: broker.crl_file.read_bytes() != lists)
    until(lambda: shut_out() >= before + 2)
    assert not box.sync.tell(up_hello(dev), b"anybody?")
    events = admin.get(f"/v1/fleet/boxes/{dev}").json()["events"]
    told = [(each["action"], each["reason"]) for each in events]
    assert told[:2] == [("revoked", "stolen"), ("enrolled", "")]
    rows = admin.get("/v1/audit").json()["rows"]
    assert f"dev={dev}" in {row["object"] for row in rows if row["what"] == "revoke_box"}


def test_a_worker_that_starts_drops_who_was_shut_out_while_none_ran(
    box: Box, api: CloudApi
) -> None:
    standing.revoke(api.context.database, api.context.accounts, order(api, box, "stolen"))
    dropped: list[str] = []

    def kick(dev: str) -> bool:
        dropped.append(dev)
        return True

    starting = ShutOut(ShutOutParts(api.context.database, SystemClock(), None, "", "", kick))
    starting.start()
    until(lambda: box.identity.dev in dropped)
    starting.stop()


def order(api: CloudApi, box: Box, why: str) -> Order:
    return Order(box.identity.dev, "test", why, api.context.clock.now_ms())


def shut_out() -> float:
    return CERTIFICATES.labels("shut_out")._value.get()


def shift(api: CloudApi, box: Box, days: int) -> None:
    """Let a box's certificates have ended so many days ago, as far as head office knows."""
    with api.context.database.begin() as connection:
        connection.execute(
            text("UPDATE device_certificate SET not_after_ms = :at WHERE dev = :dev"),
            {"dev": box.identity.dev, "at": api.context.clock.now_ms() - days * DAY_MS},
        )


def certificates_of(api: CloudApi, box: Box) -> int:
    with api.context.database.begin() as connection:
        found = connection.execute(
            text("SELECT count(*) FROM device_certificate WHERE dev = :dev"),
            {"dev": box.identity.dev},
        )
        return int(found.scalar_one())


def keeper_of(box: Box) -> CertificateKeeper:
    keeper = box.sync._certificates
    assert keeper is not None
    return keeper


def ask(
    api: CloudApi, box: Box, *, off_ms: int = 0, proof: bytes | None = None, dev: str = ""
) -> httpx.Response:
    """A request for the next certificate, as the box makes it but for what is changed."""
    csr, t = box.keys.request(), api.context.clock.now_ms() + off_ms
    signed = proof or box.journal.sign(renewal_statement(box.identity.dev, csr.encode(), t))
    headers = {"Authorization": f"Bearer {dev or box.identity.dev}.{box.identity.secret}"}
    body = {"csr": csr, "t": t, "proof": signed.hex()}
    return api.stranger().post("/v1/device/certificate", json=body, headers=headers)


def test_the_next_certificate_replaces_the_old_one_once_the_broker_took_it(box: Box) -> None:
    sell_today(box)
    box.sync.start()
    until(box.is_synced)
    old = box.keys.current()
    assert old is not None
    before = old.path.read_bytes()
    keeper_of(box).renew()
    until(lambda: box.keys.upcoming() is None)
    assert old.path.read_bytes() != before
    with box.journal.exclusive():
        box.journal.append(a_sale_draft(box.journal))
    box.sync.notify()
    until(box.is_synced)


def test_a_new_certificate_that_leads_nowhere_leaves_the_box_on_its_old_one(
    box: Box, api: CloudApi
) -> None:
    csr = box.keys.request()
    answer = ask(api, box).json()
    assert csr
    answer["broker"]["port"] = free_port()
    box.keys.accept(answer)
    sell_today(box)
    box.sync.start()
    until(box.is_synced)
    assert box.keys.upcoming() is not None, "it is tried again, in turns"


def test_a_lost_answer_costs_no_second_certificate(box: Box, api: CloudApi) -> None:
    first, again = ask(api, box), ask(api, box)
    assert (first.status_code, again.json()) == (200, first.json())
    assert certificates_of(api, box) == 2, "that of the enrolment and this one"
    shift(api, box, 10)
    late = ask(api, box)
    assert late.status_code == 200, "the answer was lost, and the shop was closed since"
    assert late.json()["certificate"] != first.json()["certificate"]


def test_after_a_long_closure_the_journal_key_still_gets_the_next_one(
    box: Box, api: CloudApi
) -> None:
    shift(api, box, 179)
    keeper_of(box).renew()
    assert box.keys.upcoming() is not None
    shift(api, box, 181)
    assert ask(api, box).json()["code"] == "certificate.too_late"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"proof": bytes(64)}, 403, "certificate.proof"),
        ({"off_ms": 901_000}, 422, "certificate.clock"),
        ({"off_ms": -901_000}, 422, "certificate.clock"),
        ({"dev": "d-zzzzzzzzzzzzzzzz"}, 403, "device.unknown"),
    ],
)
def test_who_is_not_this_box_now_gets_no_certificate_of_it(
    box: Box, api: CloudApi, change: dict[str, Any], status: int, code: str
) -> None:
    answer = ask(api, box, **change)
    assert (answer.json()["code"], answer.status_code) == (code, status)


@pytest.mark.parametrize("off_ms", [-400 * DAY_MS, -DAY_MS, 40 * DAY_MS])
def test_a_box_whose_clock_is_off_gets_its_next_certificate_by_head_offices(
    box: Box, off_ms: int
) -> None:
    keeper = keeper_of(box)

    class Off(SystemClock):
        def now_ms(self) -> int:
            return super().now_ms() + off_ms

    keeper._parts = replace(keeper._parts, time=Off())
    keeper.renew()
    assert box.keys.upcoming() is not None


def test_a_box_that_asks_without_an_end_is_stopped(box: Box, api: CloudApi) -> None:
    for _ in range(5):
        assert ask(api, box).status_code == 200
        (box.keys.folder / NEW_KEY).unlink()
    assert ask(api, box).json()["code"] == "certificate.too_many"


def test_a_revoked_box_gets_none_and_a_reinstated_one_a_new_one(box: Box, api: CloudApi) -> None:
    context = api.context
    standing.revoke(context.database, context.accounts, order(api, box, "lost"))
    assert ask(api, box).json()["code"] == "device.unknown"
    standing.reinstate(context.database, context.accounts, context.hq_key, order(api, box, "found"))
    keeper_of(box).renew()
    sell_today(box)
    box.sync.start()
    until(box.is_synced)
    assert box.keys.upcoming() is None, "the revoked one was no way any more"


def test_everybody_may_know_the_cas_and_who_counts_no_more(api: CloudApi, ca: CaFolder) -> None:
    found = {
        name: api.stranger().get(f"/v1/pki/{name}").text
        for name in ("chain-ca.pem", "device-ca.pem", "device.crl")
    }
    assert found["chain-ca.pem"] == ca.bundle("chain")
    assert found["device-ca.pem"] == ca.bundle("device")
    assert found["device.crl"].startswith("-----BEGIN X509 CRL")
    assert not any("PRIVATE" in text for text in found.values())
