"""Headquarters sees what shelves and cold places told, and has to look at goods that got warm."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import text

from cloud.db import Database
from cloud.ingest.arrival import read_arrival
from cloud.ingest.service import ingest
from cloud.posters import POSTERS
from cloud.shelf import store
from cloud.shelf.service import fact_of
from shared.journal.device_event import (
    ColdChainBroken,
    ColdChainRestored,
    ShelfDiffered,
    ShelfSettled,
    StockCounted,
)
from tests.builders import a_gtin
from tests.fakes.box_stream import START_MS, BoxStream
from tests.lab.cloud_api import CloudApi

NewBox = Callable[[], BoxStream]
JAM, TEA = a_gtin(1), a_gtin(2)


@pytest.fixture
def told(database: Database, new_box: NewBox) -> BoxStream:
    """A box whose jam is missing and whose fridge is warm; tea and freezer are well again."""
    box = new_box()
    box.append(StockCounted(JAM, 12_000, "count", "jam"))
    box.append(ShelfDiffered("tea", TEA, 9_000, 2_000))
    box.append(ColdChainBroken("freezer-1", -9_000, -18_000, START_MS))
    box.append(ShelfSettled("tea", TEA, "counted"))
    box.append(ColdChainRestored("freezer-1", -19_000, -8_500, 3_600_000))
    box.append(ShelfDiffered("jam", JAM, 12_000, 0))
    box.append(ColdChainBroken("fridge-1", 9_500, 7_000, START_MS))
    arrival = read_arrival(box.dev, box.batch(0, len(box.bodies) - 1))
    ingest(database=database, arrival=arrival, posters=POSTERS, now_ms=START_MS)
    return box


def test_the_history_is_newest_first_and_names_what_stands(
    admin: httpx.Client, told: BoxStream
) -> None:
    found = admin.get("/v1/shelves", params={"store": told.store_id}).raise_for_status().json()
    assert [fact["what"] for fact in found["facts"]] == [
        *("broken", "differed", "restored", "settled", "broken", "differed", "counted")
    ]
    assert {(fact["what"], fact["sensor"]) for fact in found["standing"]} == {
        *(("broken", "fridge-1"), ("differed", "jam"))
    }
    differed = found["facts"][1]
    assert (differed["book_milli"], differed["shelf_milli"]) == (12_000, 0)
    assert found["facts"][2]["celsius_milli"] == -8_500
    assert not found["has_more"]


def test_a_store_s_history_is_read_page_by_page(admin: httpx.Client, told: BoxStream) -> None:
    asked = {"store": told.store_id, "limit": "3"}
    first = admin.get("/v1/shelves", params=asked).json()
    assert first["has_more"]
    asked["before_ms"] = str(first["facts"][-1]["at_ms"])
    assert [fact["what"] for fact in admin.get("/v1/shelves", params=asked).json()["facts"]] == [
        *("settled", "broken", "differed")
    ]
    other = admin.get("/v1/shelves", params={"store": "nowhere"}).json()
    assert (other["facts"], other["standing"]) == ([], [])


def test_it_can_be_downloaded_and_asks_for_a_permission(
    api: CloudApi, admin: httpx.Client, told: BoxStream
) -> None:
    answer = admin.get("/v1/shelves/all.csv", params={"store": told.store_id})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["what"] for row in rows][:2] == ["broken", "differed"]
    assert rows[0]["sensor"] == "fridge-1"
    assert api.stranger().get("/v1/shelves/all.csv").status_code == 401
    assert api.stranger().get("/v1/shelves").status_code == 401


def test_a_place_that_is_still_warm_is_a_work_item_until_it_is_settled(
    database: Database, admin: httpx.Client, told: BoxStream
) -> None:
    with database.begin() as connection:  # as if it had just happened
        now_ms = text(
            "UPDATE entry SET at_ms = at_ms - :then + extract(epoch FROM now()) * 1000"
            " WHERE store_id = :store"
        )
        connection.execute(now_ms, {"then": START_MS, "store": told.store_id})
    asked = {"store": told.store_id}
    items = admin.get("/v1/work-items", params=asked).raise_for_status().json()["items"]
    [warm] = [each for each in items if each["kind"] == "cold"]
    assert (warm["code"], warm["store_id"]) == ("cold_chain.broken", told.store_id)
    one = admin.get(f"/v1/work-items/{warm['item']}").json()
    assert '"sensor": "fridge-1"' in one["text"]
    assert one["entry_type"] == "cold_chain.broken"
    assert admin.post(f"/v1/work-items/{warm['item']}/repost", json={}).status_code == 422
    done = admin.post(f"/v1/work-items/{warm['item']}/done", json={"text": "Goods thrown away"})
    assert done.raise_for_status().json()["is_done"]
    left = admin.get("/v1/work-items", params=asked).json()["items"]
    assert [each for each in left if each["kind"] == "cold"] == []


def test_the_history_is_found_by_its_index(database: Database, told: BoxStream) -> None:
    with database.begin() as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        wanted = {"store_id": "", "before_ms": 1 << 53, "most": 10}
        explain = text(f"EXPLAIN {store.FACTS.text}")
        plan = "\n".join(row[0] for row in connection.execute(explain, wanted))
    assert "entry_shelf" in plan


def test_an_entry_that_cannot_be_read_is_left_out() -> None:
    assert fact_of(1, "343", "shelf.differed", b"no JSON") is None
    assert fact_of(1, "343", "shelf.differed", b'{"data": 7}') is None
    assert fact_of(1, "343", "stock.counted", b'{"data": {"qty_milli": "x"}}') is None
