"""Exports over HTTP and from the command line, from what ingest stored."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import asdict
from functools import reduce
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from cloud.db import Database
from cloud.ingest.arrival import read_arrival
from cloud.ingest.service import ingest
from cloud.posters import POSTERS
from shared.journal.event import (
    DayClosed,
    DayOpened,
    DrawerOpened,
    EntrySalvaged,
    Event,
    SaleCompleted,
)
from shared.till.z_report import ZReport, fold_z
from tests.fakes.box_stream import DAY, START_MS, BoxStream, a_sale
from tests.fakes.enrolment import enrol
from tests.fakes.poslog import OWN, breaches, find, find_all, named, total
from tests.lab.cloud_api import CloudApi

NewBox = Callable[[], BoxStream]
NEXT_DAY = "2017-08-08"
BATCH = 200
MANY = 20_000
FEW = 200
SPARE_BYTES = 12 << 20
"""What a hundred times the sales may cost in memory: Python's own ups and downs."""


@pytest.fixture
def take(database: Database) -> Callable[[BoxStream], None]:
    """Stores everything that a box has written."""

    def deliver(box: BoxStream) -> None:
        for payload in box.batches(BATCH):
            arrival = read_arrival(box.dev, payload)
            ingest(database=database, arrival=arrival, posters=POSTERS, now_ms=START_MS)

    return deliver


def a_day(box: BoxStream, sales: int, day: str = DAY, lines: int = 5) -> ZReport:
    """Open, sell, close; answers the box's own report."""
    first = len(box.bodies)
    events: list[Event] = [SaleCompleted(a_sale(first + n, lines=lines)) for n in range(sales)]
    events.append(DrawerOpened(1, "change"))
    box.append(DayOpened(day), biz=day)
    for event in events:
        box.append(event, biz=day)
    z = reduce(fold_z, events, ZReport(day))
    box.append(DayClosed(day, asdict(z)), biz=day)
    return z


def rows_of(client: httpx.Client, **query: str) -> list[dict[str, Any]]:
    answer = client.get("/v1/export/entries.jsonl", params={"from": DAY, "to": DAY, **query})
    answer.raise_for_status()
    assert answer.headers["content-type"] == "application/x-ndjson"
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert rows.pop()["rows"] == len(rows)
    return rows


def document_of(client: httpx.Client, **query: str) -> ET.Element:
    answer = client.get("/v1/export/poslog.xml", params={"from": DAY, "to": DAY, **query})
    answer.raise_for_status()
    root = ET.fromstring(answer.text)  # noqa: S314 - our own text
    assert list(breaches(root)) == []
    [end] = root.findall(f"{OWN}End")
    assert int(end.attrib["Transactions"]) == len(find_all(root, "Transaction"))
    return root


def test_a_day_of_a_store_is_what_its_z_report_says(
    admin: httpx.Client, new_box: NewBox, take: Callable[[BoxStream], None]
) -> None:
    box = new_box()
    a_day(box, 3, "2017-08-06")
    z = a_day(box, 7)
    a_day(box, 2, NEXT_DAY)
    take(box)
    rows = rows_of(admin, stores=box.store_id)
    assert {row["business_date"] for row in rows} == {DAY}
    assert {row["currency"] for row in rows} == {"USD"}
    kinds = [row["kind"] for row in rows if row["kind"] in {"day_opened", "sale", "day_closed"}]
    assert kinds == ["day_opened", *["sale"] * 7, "day_closed"]
    sales = [row for row in rows if row["kind"] == "sale"]
    assert sum(row["net_minor"] for row in sales) == z.net_minor
    assert [row["hash"] for row in sales] == [h.hex() for h in box.hashes[7:14]]
    root = document_of(admin, stores=box.store_id)
    found = [
        each
        for each in find_all(root, "Transaction")
        if find(each, "RetailTransaction") is not None
    ]
    assert sum(total(each, "TransactionNetAmount") for each in found) == z.net_minor
    assert len(find_all(root, "Transaction/ControlTransaction")) == 3


def test_a_day_without_sales_still_tells_its_opening_and_closing(
    admin: httpx.Client, new_box: NewBox, take: Callable[[BoxStream], None]
) -> None:
    box = new_box()
    a_day(box, 2, "2017-08-06")
    a_day(box, 0)
    a_day(box, 2, NEXT_DAY)
    take(box)
    kinds = [row["kind"] for row in rows_of(admin, stores=box.store_id)]
    assert kinds == ["day_opened", "no_sale", "day_closed"]


def test_a_clock_that_went_back_loses_no_sale(
    admin: httpx.Client, new_box: NewBox, take: Callable[[BoxStream], None]
) -> None:
    box = new_box()
    a_day(box, 2, "2017-08-06")
    a_day(box, 3, "1970-01-01")
    a_day(box, 2)
    take(box)
    rows = rows_of(admin, stores=box.store_id, **{"from": "1970-01-01", "to": "1970-01-01"})
    assert sum(row["kind"] == "sale" for row in rows) == 3
    assert sum(row["kind"] == "sale" for row in rows_of(admin, stores=box.store_id)) == 2


def test_flagged_sales_are_told_wherever_they_lie_and_marked(
    admin: httpx.Client, new_box: NewBox, take: Callable[[BoxStream], None]
) -> None:
    box = new_box()
    a_day(box, 2)
    a_day(box, 2, NEXT_DAY)
    body = box.bodies[1].replace(b'"biz":"2017-08-07"', b'"biz":"someday"')
    seq = len(box.bodies)
    body = body.replace(b'"seq":1,', f'"seq":{seq},'.encode())
    box.append_body(body.replace(box.id_at(1).encode(), box.id_at(seq).encode()))
    take(box)
    sales = [row for row in rows_of(admin, stores=box.store_id) if row["kind"] == "sale"]
    assert [row["flag"] for row in sales] == ["", "", "ledger.business_date"]
    [marked] = [
        each
        for each in find_all(document_of(admin, stores=box.store_id), "Transaction")
        if f"{OWN}Flag" in each.attrib
    ]
    assert find(marked, "RetailTransaction") is not None


def test_a_sale_of_two_journals_is_told_once(
    database: Database,
    admin: httpx.Client,
    new_box: NewBox,
    take: Callable[[BoxStream], None],
) -> None:
    box = new_box()
    a_day(box, 4)
    lost = BoxStream(box.dev, box.store_id, 1, list(box.bodies), list(box.hashes))
    lost.append(SaleCompleted(a_sale(50)))
    take(box)
    second = BoxStream(box.dev, box.store_id, ordinal=2)
    enrol(database, second)
    for seq in (3, len(box.bodies)):  # one that is here already, one that is nowhere else
        body, known = lost.bodies[seq].decode(), lost.hashes[seq].hex()
        carried = EntrySalvaged(box.stream_id.hex(), seq, known, body)
        second.append(carried, entry_id=box.id_at(seq), biz=NEXT_DAY)
    second.append(SaleCompleted(a_sale(2)), entry_id=box.id_at(3))
    second.append_sales(1)
    take(second)
    sales = [row for row in rows_of(admin, stores=box.store_id) if row["kind"] == "sale"]
    assert len(sales) == len({row["entry_id"] for row in sales}) == 6
    carried_over = [row for row in sales if row["salvaged_by"]]
    assert [row["entry_id"] for row in carried_over] == [box.id_at(len(box.bodies))]
    assert carried_over[0]["stream"] == box.stream_id.hex()
    with_dates = rows_of(admin, stores=box.store_id, **{"from": NEXT_DAY, "to": NEXT_DAY})
    assert with_dates == []


def test_what_stands_beside_the_journal_is_told_once_too(
    database: Database,
    admin: httpx.Client,
    new_box: NewBox,
    take: Callable[[BoxStream], None],
) -> None:
    box = new_box()
    a_day(box, 3)
    take(box)
    other = BoxStream(box.dev, box.store_id, 1, list(box.bodies[:3]), list(box.hashes[:3]))
    other.append(SaleCompleted(a_sale(60)), entry_id=box.id_at(99))
    other.append(SaleCompleted(a_sale(60)), entry_id=box.id_at(99))
    other.append(SaleCompleted(a_sale(1)), entry_id=box.id_at(1))
    other.append(SaleCompleted(a_sale(61)), biz=NEXT_DAY)
    beside = text(
        "INSERT INTO branch_entry (stream_id, seq, hash, prev_hash, store_id, body)"
        " VALUES (:stream, :seq, :hash, :prev, :store, :body)"
    )
    with database.begin() as connection:
        for seq in range(3, 7):
            values = {"stream": box.stream_id, "seq": seq, "store": box.store_id}
            chain = {"hash": other.hashes[seq], "prev": other.hashes[seq - 1]}
            connection.execute(beside, {**values, **chain, "body": other.bodies[seq]})
    sales = [row for row in rows_of(admin, stores=box.store_id) if row["kind"] == "sale"]
    assert len(sales) == len({row["entry_id"] for row in sales}) == 4
    assert (sales[-1]["seq"], sales[-1]["hash"]) == (3, other.hashes[3].hex())


def test_only_some_roles_may_export_and_odd_dates_are_refused_at_once(
    api: CloudApi, admin: httpx.Client, new_box: NewBox
) -> None:
    box = new_box()
    day = {"from": DAY, "to": DAY}
    assert api.client("accountant").get("/v1/export/poslog.xml", params=day).status_code == 200
    for role in ("reader", "buyer", "it"):
        answer = api.client(role).get("/v1/export/entries.jsonl", params=day)
        assert (answer.status_code, answer.json()["code"]) == (403, "permission.missing")
    refused = admin.get("/v1/export/poslog.xml", params={"from": NEXT_DAY, "to": DAY})
    assert refused.json()["code"] == "export.dates"
    unknown = admin.get("/v1/export/poslog.xml", params={**day, "stores": f"{box.store_id},moon"})
    assert unknown.json()["code"] == "store.unknown"
    empty = rows_of(admin, stores=box.store_id)
    assert empty == []


def exported_by_command(url: str, kind: str, out: Path, *more: str) -> int:
    """Export to a file in a process of its own; its peak memory in bytes."""
    # Not getrusage: what it says of a child begins with the memory of its parent.
    program = (
        "import sys; from pathlib import Path; from cloud.__main__ import main;"
        " code = main(sys.argv[1:]); status = Path('/proc/self/status').read_text();"
        " print(code, status.partition('VmHWM:')[2].split()[0])"
    )
    arguments = ["export", kind, "--from", DAY, "--to", NEXT_DAY, "--out", str(out), *more]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, "TILLBOX_CLOUD_DATABASE_URL": url},
        check=True,
        capture_output=True,
        text=True,
    )
    code, peak_kib = map(int, done.stdout.split())
    assert (code, done.stderr) == (0, "")
    return peak_kib << 10


def test_a_hundred_times_the_sales_need_no_more_memory(
    database: Database,
    new_box: NewBox,
    take: Callable[[BoxStream], None],
    tmp_path: Path,
) -> None:
    few, many = new_box(), new_box()
    z_few, z_many = a_day(few, FEW, lines=1), a_day(many, MANY, lines=1)
    take(few)
    take(many)
    small, large = tmp_path / "few.xml", tmp_path / "many.xml"
    url = database.url.replace("+psycopg", "")
    small_peak = exported_by_command(url, "poslog", small, "--stores", few.store_id)
    large_peak = exported_by_command(url, "poslog", large, "--stores", many.store_id)
    assert large.stat().st_size > 80 * small.stat().st_size
    assert large_peak - small_peak < SPARE_BYTES
    assert read_piecemeal(small) == (FEW, z_few.net_minor)
    assert read_piecemeal(large) == (MANY, z_many.net_minor)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["few.xml", "many.xml"]


def read_piecemeal(path: Path) -> tuple[int, int]:
    """Sales and their net sum, read by a standard parser that forgets what it has seen."""
    count = net = 0
    for _, element in ET.iterparse(path):  # noqa: S314 - our own text
        if named(element) == "Transaction":
            if find(element, "RetailTransaction") is not None:
                count += 1
                net += total(element, "TransactionNetAmount")
            element.clear()
    return count, net
