"""A database goes back to a day before a theft; the file beside the CAs knows of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from sqlalchemy import text

from cloud.db import Database
from cloud.fleet import standing
from cloud.fleet.certificates import revocation_lists
from cloud.fleet.kept_standing import BY, WHY, bring_together, recall
from cloud.fleet.standing import Order
from cloud.pki.folder import CaFolder
from cloud.pki.shut_out_list import DAMAGED, FILE, ShutOutBox, read_list
from edge.clock import SystemClock
from edge.identity import Identity
from edge.sync.enrol import enrol
from shared.kernel.errors import CorruptError
from tests.lab.cloud_api import CloudApi


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> CaFolder:
    folder = CaFolder(tmp_path_factory.mktemp("ca"), os.urandom)
    folder.init("shops.example", SystemClock().now_ms())
    return folder


@pytest.fixture(scope="module")
def api(
    database: Database, tmp_path_factory: pytest.TempPathFactory, ca: CaFolder
) -> Iterator[CloudApi]:
    """Head office without a worker: nobody brings the two together behind a test's back."""
    folder, changed = tmp_path_factory.mktemp("cloud"), {"ca_dir": str(ca.path)}
    running = CloudApi(database.url, folder, SystemClock(), changed).start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def admin(api: CloudApi) -> httpx.Client:
    client = api.client()
    body = {"name": "Main street", "time_zone": "Asia/Shanghai", "currency": "CNY"}
    client.put("/v1/stores/17", json=body).raise_for_status()
    return client


@pytest.fixture
def box(api: CloudApi, admin: httpx.Client, tmp_path: Path) -> Identity:
    token: str = admin.post("/v1/claims", json={"store_id": "17"}).json()["token"]
    return enrol(tmp_path, api.url, token)


def order(api: CloudApi, box: Identity, why: str) -> Order:
    return Order(box.dev, "test", why, api.context.clock.now_ms())


def rewind(api: CloudApi, box: Identity) -> None:
    """What a restore to a time before its revocation leaves of a box in the database."""
    with api.context.database.begin() as connection:
        for statement in (
            "UPDATE device SET status = 'active' WHERE dev = :dev",
            "UPDATE device_certificate SET revoked_at_ms = NULL WHERE dev = :dev",
            "DELETE FROM fleet_event WHERE dev = :dev AND action <> 'enrolled'",
        ):
            connection.execute(text(statement), {"dev": box.dev})


def revoked_serials(api: CloudApi, ca: CaFolder) -> set[str]:
    lists = revocation_lists(api.context.database, ca, api.context.clock.now_ms())
    return {f"{each.serial_number:x}" for each in x509.load_pem_x509_crl(lists.encode())}


def serials_of(api: CloudApi, box: Identity) -> set[str]:
    with api.context.database.begin() as connection:
        found = connection.execute(
            text("SELECT serial FROM device_certificate WHERE dev = :dev"),
            {"dev": box.dev},
        )
        return set(found.scalars())


def test_a_restored_database_does_not_let_a_stolen_box_in_again(
    box: Identity, api: CloudApi, ca: CaFolder
) -> None:
    database, dev = api.context.database, box.dev
    bearer = {"Authorization": f"Bearer {dev}.{box.secret}"}

    def asks() -> int:
        return api.stranger().get(f"/v1/objects/{'0' * 64}", headers=bearer).status_code

    standing.revoke(database, api.context.accounts, order(api, box, "stolen"))
    bring_together(database, ca, api.context.clock.now_ms())
    rewind(api, box)
    with database.begin() as connection:  # and one that was given after the backup
        gone = text("DELETE FROM device_certificate WHERE dev = :dev RETURNING serial")
        forgotten = set(connection.execute(gone, {"dev": dev}).scalars())
    assert asks() == 404, "it is back"
    assert bring_together(database, ca, api.context.clock.now_ms()) == [dev]
    assert asks() == 403
    assert forgotten <= revoked_serials(api, ca)
    _, events = standing.history(database, dev)
    assert (events[0].action, events[0].by, events[0].reason) == ("revoked", BY, WHY)
    assert bring_together(database, ca, api.context.clock.now_ms()) == [], "once is enough"


def test_an_api_that_starts_on_a_restored_database_knows_it_before_the_first_request(
    box: Identity, api: CloudApi, ca: CaFolder
) -> None:
    standing.revoke(api.context.database, api.context.accounts, order(api, box, "stolen"))
    bring_together(api.context.database, ca, api.context.clock.now_ms())
    rewind(api, box)
    recall(api.context)
    _, events = standing.history(api.context.database, box.dev)
    assert (events[0].action, events[0].reason) == ("revoked", WHY)


def test_what_an_api_cannot_recall_keeps_it_from_nothing(
    api: CloudApi, ca: CaFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    (ca.path / "device-ca.key").chmod(0o644)
    recall(api.context)
    (ca.path / "device-ca.key").chmod(0o600)
    name = api.database_url.rpartition("/")
    empty = Database(f"{name[0]}/postgres")
    recall(replace(api.context, database=empty))
    empty.close()
    assert capsys.readouterr().out.count("fleet.shut_out_not_recalled") == 2


def test_who_was_put_back_into_service_stays_so(box: Identity, api: CloudApi, ca: CaFolder) -> None:
    context = api.context
    standing.revoke(context.database, context.accounts, order(api, box, "lost"))
    bring_together(context.database, ca, context.clock.now_ms())
    found = replace(order(api, box, "found"), at_ms=context.clock.now_ms() + 1)
    standing.reinstate(context.database, context.accounts, context.hq_key, found)
    assert bring_together(context.database, ca, context.clock.now_ms()) == []
    assert box.dev not in {each.dev for each in read_list(ca)}
    assert serials_of(api, box) <= revoked_serials(api, ca), "its old certificate is not good again"


def kept(ca: CaFolder, box: Identity) -> list[ShutOutBox]:
    return [each for each in read_list(ca) if each.dev == box.dev]


@pytest.mark.parametrize("spoil", [b"", b"[]\n00", b"nonsense", b"[]\nnohex\n"])
def test_a_list_that_is_not_ours_is_put_aside_and_made_anew(
    box: Identity, api: CloudApi, ca: CaFolder, spoil: bytes
) -> None:
    standing.revoke(api.context.database, api.context.accounts, order(api, box, "stolen"))
    bring_together(api.context.database, ca, api.context.clock.now_ms())
    path = ca.path / FILE
    kept_before = kept(ca, box)
    assert len(kept_before) == 1
    path.write_bytes(spoil)
    with pytest.raises(CorruptError, match=r"ca\.shut_out"):
        read_list(ca)
    bring_together(api.context.database, ca, api.context.clock.now_ms())
    assert kept(ca, box) == kept_before
    assert (ca.path / DAMAGED).read_bytes() == spoil
