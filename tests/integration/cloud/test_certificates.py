"""A real box closes its day; head office makes the certificate again and signs beside the box."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import text

from cloud.__main__ import main
from cloud.certificate.store import of_day
from cloud.db import Database
from cloud.ingest.arrival import read_arrival
from cloud.ingest.service import ingest
from cloud.posters import POSTERS
from cloud.recovery.rebuild import rebuild
from edge.clock import SystemClock
from edge.identity import write_secret
from edge.ids import Ids
from edge.journal.signer import KEY_FILE
from edge.journal.store import Journal
from edge.till.service import Till, close_day, closing_slip, open_day
from shared.journal.entry import body_bytes
from shared.journal.event import DayClosed, EntrySalvaged
from shared.kernel.ids import DeviceId, StoreId, StreamId
from shared.till.certificate import (
    DayCertificate,
    box_statement,
    countersign_statement,
    document_of,
    read_certificate,
)
from shared.wire.codec import event_data, parse_body
from tests.builders import an_entry_header
from tests.fakes.box_stream import DAY, START_MS, BoxStream
from tests.fakes.enrolment import enrol
from tests.integration.edge.boxes import MANAGER, a_journal, a_sale_draft
from tests.lab.cloud_api import CloudApi
from tests.lab.net import sleep_briefly

NEXT_DAY = "2017-08-08"
NewBox = Callable[[], BoxStream]


@dataclass
class Store:
    """A store whose box keeps a real journal; `send` carries it to head office."""

    box: BoxStream
    journal: Journal
    database: Database
    till: Till = field(init=False)
    sent: int = 0

    def __post_init__(self) -> None:
        clock = SystemClock()
        self.till = Till(self.journal, clock, Ids(clock), lambda: 7, lambda: 0, lambda: None)

    def open(self, day: str = DAY) -> None:
        open_day(till=self.till, business_date=day, operator=MANAGER)

    def sell(self, *lanes: int, day: str = DAY) -> None:
        for lane in lanes:
            self.journal.append(a_sale_draft(self.journal, lane, biz=day))

    def close(self) -> None:
        close_day(till=self.till, operator=MANAGER)

    def send(self) -> None:
        """Send what is new, with the box's own hashes."""
        for entry in self.journal.read(len(self.box.bodies), 1_000, 1 << 24):
            self.box.append_body(entry.body)
            assert self.box.hashes[entry.seq] == entry.hash
        send(self.database, self.box, self.sent)
        self.sent = len(self.box.bodies)


def send(database: Database, box: BoxStream, first: int = 0) -> None:
    arrival = read_arrival(box.dev, box.batch(first, len(box.bodies) - 1))
    verdict = ingest(database=database, arrival=arrival, posters=POSTERS, now_ms=START_MS)
    assert verdict.code.value == "ok"


@contextmanager
def a_store(folder: Path, box: BoxStream, database: Database) -> Iterator[Store]:
    write_secret(folder / KEY_FILE, box.key.private_bytes_raw())
    journal = a_journal(
        folder,
        dev=DeviceId(box.dev),
        store_id=StoreId(box.store_id),
        stream=StreamId(box.stream_id.hex()),
    )
    yield Store(box, journal, database)
    journal.close()


@pytest.fixture
def store(tmp_path: Path, new_box: NewBox, database: Database) -> Iterator[Store]:
    with a_store(tmp_path, new_box(), database) as made:
        yield made


_readers: dict[str, httpx.Client] = {}


def reader_of(api: CloudApi) -> httpx.Client:
    """A client that may read, signed in once: that takes its time, on purpose."""
    if api.url not in _readers:
        _readers[api.url] = api.client()
    return _readers[api.url]


def checked(api: CloudApi, store_id: str, day: str = DAY) -> dict[str, Any]:
    """The newest certificate of a day, once the API has checked it."""
    client = reader_of(api)
    for _ in range(200):
        found = client.get(f"/v1/certificates/{store_id}/{day}").raise_for_status().json()
        if found["certificates"] and found["certificates"][0]["state"] != "waiting":
            newest: dict[str, Any] = found["certificates"][0]
            return newest
        sleep_briefly()
    message = f"nobody checked {store_id} {day}"
    raise AssertionError(message)


def test_head_office_signs_beside_the_box_what_it_finds_itself(api: CloudApi, store: Store) -> None:
    store.open()
    store.sell(1, 2, 1)
    store.close()
    store.send()
    found = checked(api, store.box.store_id)
    assert (found["state"], found["flaw"], found["beside"]) == ("agrees", None, 0)
    assert [(till["till"], till["first"], till["last"]) for till in found["tills"]] == [
        ("1", 1, 2),
        ("2", 1, 1),
    ]
    slip = closing_slip(till=store.till)
    assert slip is not None
    assert found["code"] == slip.code
    document, box_sig = found["document"], bytes.fromhex(found["box_sig"])
    box_key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(found["box_pub"]))
    box_key.verify(box_sig, box_statement(document))
    hq_key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(found["hq_pub"]))
    hq_key.verify(bytes.fromhex(found["hq_sig"]), countersign_statement(document, box_sig))
    shown = reader_of(api).get("/v1/reports/daily-close", params={"store": store.box.store_id})
    [row] = shown.json()["rows"]
    assert {name: row[f"certificate{name}"] for name in ("", "_flaw", "_code", "_beside")} == {
        "": "agrees",
        "_flaw": None,
        "_code": slip.code,
        "_beside": 0,
    }


def test_days_follow_on_each_other(api: CloudApi, store: Store) -> None:
    for day in (DAY, NEXT_DAY):
        store.open(day)
        store.sell(1, 1, day=day)
        store.close()
    store.send()
    assert checked(api, store.box.store_id)["state"] == "agrees"
    second = checked(api, store.box.store_id, NEXT_DAY)
    assert (second["state"], second["tills"][0]["first"]) == ("agrees", 3)


def test_the_command_line_checks_a_day_again(
    api: CloudApi,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TILLBOX_CLOUD_DATABASE_URL", api.database_url)
    monkeypatch.setenv("TILLBOX_CLOUD_HQ_KEY_FILE", str(api.folder / "hq.key"))
    store.open()
    store.sell(1, 1)
    store.close()
    store.send()
    code = checked(api, store.box.store_id)["code"]
    day = (store.box.store_id, DAY)
    assert main(["certificate", "verify", *day]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said == [
        f"{code}: holds, countersigned, 2 receipts, 2000 minor units",
        "  till 1: 1 to 2, 2000 minor units",
    ]
    assert main(["certificate", "show", *day]) == 0
    assert json.loads(capsys.readouterr().out)["certificates"][0]["code"] == code
    with store.database.begin() as connection:
        altered = "UPDATE entry SET body = body || ' ' WHERE stream_id = :stream AND seq = 2"
        connection.execute(text(altered), {"stream": store.box.stream_id})
    assert main(["certificate", "verify", *day]) == 1
    assert "altered" in capsys.readouterr().out
    assert main(["certificate", "verify", store.box.store_id, NEXT_DAY]) == 1


@pytest.mark.parametrize("is_check", [True, False])
def test_a_rebuild_of_the_books_leaves_what_was_checked(
    api: CloudApi, store: Store, is_check: bool
) -> None:
    store.open()
    store.sell(1)
    store.close()
    store.send()
    before = checked(api, store.box.store_id)
    with closing(Database(api.database_url)) as fresh:
        changes = rebuild(fresh, POSTERS, store_id=store.box.store_id, is_check=is_check)
    assert [(change.table, change.is_same) for change in changes if not change.is_same] == []
    assert "day_certificate" in {change.table for change in changes}
    assert checked(api, store.box.store_id) == before


def sold_less(certificate: DayCertificate) -> DayCertificate:
    """One receipt fewer, with totals and grand totals that fit."""
    [till] = certificate.tills
    less = replace(till, last=till.last - 1, count=till.count - 1, net_minor=till.net_minor - 1000)
    sales, refunds = certificate.span.gt_after
    return DayCertificate(replace(certificate.span, gt_after=(sales - 1000, refunds)), (less,))


def another_root(certificate: DayCertificate) -> DayCertificate:
    [till] = certificate.tills
    return replace(certificate, tills=(replace(till, root="00" * 32),))


def another_store(certificate: DayCertificate) -> DayCertificate:
    return replace(certificate, span=replace(certificate.span, store="elsewhere"))


def a_shorter_day(certificate: DayCertificate) -> DayCertificate:
    span = certificate.span
    return replace(certificate, span=replace(span, first_seq=span.first_seq + 1))


def totals_that_do_not_fit(certificate: DayCertificate) -> DayCertificate:
    return replace(certificate, span=replace(certificate.span, gt_after=(1, 0)))


def a_gap(certificate: DayCertificate) -> DayCertificate:
    [till] = certificate.tills
    return replace(certificate, tills=(replace(till, last=till.last + 1),))


@pytest.mark.parametrize(
    ("lie", "flaw"),
    [
        (sold_less, "certificate.receipts"),
        (another_root, "certificate.root"),
        (another_store, "certificate.place"),
        (a_shorter_day, "certificate.range"),
        (totals_that_do_not_fit, "certificate.totals"),
        (a_gap, "certificate.gap"),
    ],
)
def test_a_box_that_lies_and_signs_it_is_found_out(
    api: CloudApi,
    store: Store,
    lie: Callable[[DayCertificate], DayCertificate],
    flaw: str,
) -> None:
    truth = closed_in(store)
    document = document_of(lie(read_certificate(truth["certificate"])))
    found = retold(api, store, document, store.journal.sign(box_statement(document)).hex())
    assert (found["state"], found["flaw"], found["hq_sig"]) == ("differs", flaw, None)


def test_what_the_box_did_not_sign_is_not_its_certificate(api: CloudApi, store: Store) -> None:
    document = closed_in(store)["certificate"]
    assert retold(api, store, document, "00" * 64)["flaw"] == "certificate.signature"


@pytest.mark.parametrize("document", ["nonsense", "{}", "\0", '{"v":1}'])
def test_a_certificate_that_is_none_is_kept_and_said_to_be_none(
    api: CloudApi, store: Store, document: str
) -> None:
    closed_in(store)
    found = retold(api, store, document, "not hex")
    assert (found["flaw"], found["tills"]) == ("certificate.form", [])


def closed_in(store: Store) -> dict[str, Any]:
    """Two sales and what the box's close would say; the close itself is not sent."""
    store.open()
    store.sell(1, 1)
    store.close()
    data: dict[str, Any] = parse_body(store.journal.read(4, 1, 1 << 20)[0].body)["data"]
    for entry in store.journal.read(0, 4, 1 << 20):
        store.box.append_body(entry.body)
    return data


def retold(api: CloudApi, store: Store, document: str, signature: str) -> dict[str, Any]:
    """The day as `closed_in` left it, closed with that document instead."""
    store.box.append(DayClosed(DAY, {}, {}, document, signature))
    send(store.database, store.box)
    return checked(api, store.box.store_id)


def test_an_entry_altered_before_the_check_is_seen(
    api: CloudApi, tmp_path: Path, new_box: NewBox, database: Database
) -> None:
    with a_store(tmp_path, new_box(), database) as store:
        truth = closed_in(store)
        send(database, store.box)
        with database.begin() as connection:
            altered = "UPDATE entry SET body = body || ' ' WHERE stream_id = :stream AND seq = 2"
            connection.execute(text(altered), {"stream": store.box.stream_id})
        store.box.append(DayClosed(DAY, {}, {}, truth["certificate"], truth["certificate_sig"]))
        send(database, store.box, 4)
        assert checked(api, store.box.store_id)["flaw"] == "certificate.chain"


def test_a_day_that_was_carried_over_into_another_journal_is_checked_too(
    api: CloudApi, store: Store, new_box: NewBox, database: Database
) -> None:
    """The box was replaced before its last entries went up; the new one brings them."""
    store.open()
    store.sell(1, 1)
    store.close()
    entries = store.journal.read(0, 100, 1 << 24)
    for entry in entries[:3]:
        store.box.append_body(entry.body)
    send(database, store.box)
    heir = BoxStream(f"d-{'b' * 16}", store.box.store_id, 2)
    enrol(database, heir)
    for entry in entries[3:5]:
        carried = EntrySalvaged(
            store.box.stream_id.hex(), entry.seq, entry.hash.hex(), entry.body.decode()
        )
        heir.append(carried, entry_id=entry.id)
    send(database, heir)
    found = checked(api, store.box.store_id)
    assert (found["state"], found["flaw"]) == ("agrees", None)


def test_receipts_of_the_day_in_another_journal_are_counted_beside(
    api: CloudApi, store: Store, database: Database
) -> None:
    other = BoxStream(f"d-{'c' * 16}", store.box.store_id, 2)
    enrol(database, other)
    other.append_sales(2)
    send(database, other)
    store.open()
    store.sell(1)
    store.close()
    store.send()
    found = checked(api, store.box.store_id)
    assert (found["state"], found["beside"]) == ("agrees", 2)


def test_another_store_cannot_put_a_certificate_into_a_journal(
    api: CloudApi, store: Store, new_box: NewBox, database: Database
) -> None:
    """Whoever has a receipt knows its journal, and what a box salvages may name any."""
    store.open()
    store.sell(1)
    store.close()
    store.send()
    mine = read_certificate(checked(api, store.box.store_id)["document"])
    seq = mine.span.last_seq + 1
    stranger = new_box()
    span = replace(mine.span, store=stranger.store_id, first_seq=seq, last_seq=seq, gt_after=(7, 7))
    close = DayClosed(DAY, {}, certificate=document_of(replace(mine, span=span)))
    header = an_entry_header(99, id=stranger.id_at(0), type=close.type, stream=mine.span.stream)
    body = body_bytes(header, event_data(close)).decode()
    stranger.append(EntrySalvaged(mine.span.stream, 99, "00" * 32, body))
    send(database, stranger)
    assert checked(api, stranger.store_id)["state"] == "differs"
    store.open(NEXT_DAY)
    store.sell(1, day=NEXT_DAY)
    store.close()
    store.send()
    assert checked(api, store.box.store_id, NEXT_DAY)["flaw"] is None


def test_an_older_box_certifies_nothing(
    admin: httpx.Client, new_box: NewBox, database: Database
) -> None:
    box = new_box()
    box.append(DayClosed(DAY, {}))
    send(database, box)
    with database.begin() as connection:
        assert of_day(connection, box.store_id, date.fromisoformat(DAY)) == []
    found = admin.get(f"/v1/certificates/{box.store_id}/{DAY}").json()
    assert found == {"certificates": []}
