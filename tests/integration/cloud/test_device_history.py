"""Headquarters sees what the devices of its stores had."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import text

from cloud.db import Database
from cloud.fleet import device_store
from cloud.fleet.devices import fact_of, standing_of
from cloud.ingest.arrival import read_arrival
from cloud.ingest.service import ingest
from cloud.posters import POSTERS
from shared.journal.device_event import DeviceBound, DeviceFaulted, DeviceRecovered, DevicesTested
from tests.fakes.box_stream import START_MS, BoxStream
from tests.lab.cloud_api import CloudApi

NewBox = Callable[[], BoxStream]
FAULT = DeviceFaulted("printer-1", "printer", 0, "printer.paper_out", "failed")


@pytest.fixture
def troubled(database: Database, new_box: NewBox) -> BoxStream:
    """A box whose printer ran out of paper twice and whose scanner came back."""
    box = new_box()
    box.append_sales(1)
    box.append(DeviceBound("scanner-1", "scanner", 1, "usb-1.2 SCN0001"))
    box.append(DeviceFaulted("scanner-1", "scanner", 1, "scanner.unplugged", "absent"))
    box.append(DeviceRecovered("scanner-1", "scanner", 1, 90_000, 2))
    box.append(FAULT)
    box.append(DevicesTested({"printer-1": "printer.paper_out", "box:disk": "passed"}, False))
    arrival = read_arrival(box.dev, box.batch(0, len(box.bodies) - 1))
    ingest(database=database, arrival=arrival, posters=POSTERS, now_ms=START_MS)
    return box


def test_a_store_s_history_is_newest_first_and_names_what_stands(
    admin: httpx.Client, troubled: BoxStream
) -> None:
    found = admin.get(f"/v1/stores/{troubled.store_id}/devices").raise_for_status().json()
    assert [fact["what"] for fact in found["facts"]] == [
        *("tested", "faulted", "recovered", "faulted", "bound")
    ]
    tested, _, recovered, *_ = found["facts"]
    assert tested["code"] == "printer-1 printer.paper_out"
    assert (recovered["after_ms"], recovered["times"]) == (90_000, 2)
    [standing] = found["standing"]
    assert (standing["device"], standing["code"]) == ("printer-1", "printer.paper_out")
    assert not found["has_more"]


def test_a_long_history_is_read_page_by_page(admin: httpx.Client, troubled: BoxStream) -> None:
    url = f"/v1/stores/{troubled.store_id}/devices"
    first = admin.get(url, params={"limit": 2}).json()
    assert first["has_more"]
    rest = admin.get(url, params={"before_ms": first["facts"][-1]["at_ms"]}).json()
    assert [fact["what"] for fact in rest["facts"]] == ["recovered", "faulted", "bound"]


def test_it_can_be_downloaded_and_asks_for_a_permission(
    api: CloudApi, admin: httpx.Client, troubled: BoxStream
) -> None:
    url = f"/v1/stores/{troubled.store_id}/devices.csv"
    rows = list(csv.DictReader(io.StringIO(admin.get(url).raise_for_status().text)))
    assert [row["what"] for row in rows][:2] == ["tested", "faulted"]
    assert rows[1]["device"] == "printer-1"
    assert api.stranger().get(url).status_code == 401
    assert admin.get("/v1/stores/nowhere/devices").json()["facts"] == []
    odd = admin.get("/v1/stores/%E5%8C%97%0D%0Ax/devices.csv").raise_for_status()
    assert odd.headers["Content-Disposition"] == 'attachment; filename="devices-___x.csv"'


def test_the_history_is_found_by_its_index(database: Database, troubled: BoxStream) -> None:
    with database.begin() as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        wanted = {"store_id": troubled.store_id, "before_ms": 1 << 53, "most": 10}
        explain = text(f"EXPLAIN {device_store.FACTS.text}")
        plan = "\n".join(row[0] for row in connection.execute(explain, wanted))
    assert "entry_device" in plan


def test_an_entry_that_cannot_be_read_is_left_out() -> None:
    assert fact_of(1, "device.faulted", b"no JSON") is None
    assert fact_of(1, "device.faulted", b'{"data":{"device":"x"}}') is None
    assert fact_of(1, "devices.tested", b'{"data":{"results":7}}') is None


def test_a_device_that_recovered_later_does_not_stand() -> None:
    body = b'{"data":{"device":"p","kind":"printer","lane":0,"code":"c","state":"failed"}}'
    faulted, recovered = fact_of(1, "device.faulted", body), fact_of(2, "device.recovered", body)
    assert faulted is not None
    assert recovered is not None
    assert (faulted.times, recovered.times) == (0, 1), "one is left out of an entry"
    assert standing_of([recovered, faulted]) == []
    assert standing_of([faulted, recovered]) == [faulted]
