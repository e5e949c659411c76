"""What the console asks and hears about sales, over HTTP, from what ingest stored."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import text

from cloud.db import Database, notify
from cloud.ingest.arrival import read_arrival
from cloud.ingest.service import ingest
from cloud.ledger.service import LedgerPoster
from shared.journal.event import DayClosed, Event, SaleCompleted
from shared.price.offer import Level, Offer
from shared.price.offer_book import OfferBook
from shared.price.reward import AmountOff
from shared.sale.transaction import RetailTransaction, SaleHeader
from shared.till.z_report import ZReport, fold_z
from tests.builders import a_basket, a_price_book, an_item
from tests.builders import a_sale as built_sale
from tests.fakes.box_stream import DAY, START_MS, BoxStream, a_sale
from tests.lab.cloud_api import CloudApi

NewBox = Callable[[], BoxStream]
Take = Callable[..., None]


@pytest.fixture
def take(database: Database) -> Take:
    """Stores everything that a box has not sent yet."""

    def deliver(box: BoxStream, first: int = 0) -> None:
        arrival = read_arrival(box.dev, box.batch(first, len(box.bodies) - 1))
        ingest(database=database, arrival=arrival, posters=(LedgerPoster(),), now_ms=START_MS)

    return deliver


def z_of(events: list[Event], day: str = DAY) -> ZReport:
    """The box's own report: the fold that it runs itself."""
    z = ZReport(day)
    for event in events:
        z = fold_z(z, event)
    return z


def sell(box: BoxStream, count: int, *, day: str = DAY) -> list[Event]:
    events: list[Event] = [SaleCompleted(a_sale(len(box.bodies) + n)) for n in range(count)]
    for event in events:
        box.append(event, biz=day)
    return events


def close(admin: httpx.Client, box: BoxStream, **query: str) -> list[dict[str, Any]]:
    answer = admin.get("/v1/reports/daily-close", params={"store": box.store_id, **query})
    rows: list[dict[str, Any]] = answer.raise_for_status().json()["rows"]
    return rows


def test_head_office_recomputes_what_the_box_closed(
    admin: httpx.Client, new_box: NewBox, take: Take
) -> None:
    box = new_box()
    z = z_of(sell(box, 7))
    take(box)
    [row] = close(admin, box)
    assert row["box_matches"] is None
    assert {name: row[name] for name in asdict(z) if name in row} == {
        name: value for name, value in asdict(z).items() if name in row
    }
    box.append(DayClosed(DAY, asdict(z)))
    take(box)
    assert close(admin, box)[0]["box_matches"] is True


def test_a_box_that_disagrees_by_a_cent_is_seen(
    admin: httpx.Client, new_box: NewBox, take: Take
) -> None:
    box = new_box()
    z = z_of(sell(box, 3))
    box.append(DayClosed(DAY, asdict(replace(z, cash_minor=z.cash_minor + 1))))
    take(box)
    assert close(admin, box)[0]["box_matches"] is False
    box.append(DayClosed(DAY, asdict(z)))  # closed again: the newest counts
    take(box)
    assert close(admin, box)[0]["box_matches"] is True


def booked(database: Database, box: BoxStream) -> dict[str, int]:
    """The box's accounts, minor units."""
    sums = text(
        "SELECT account, sum(amount_minor)::bigint FROM posting WHERE store_id = :store"
        " GROUP BY account"
    )
    with database.begin() as connection:
        return {row[0]: row[1] for row in connection.execute(sums, {"store": box.store_id})}


def promoted_sale(n: int) -> RetailTransaction:
    """A sale of 10.00 with 0.60 off by a member price and 1.50 off by an offer."""
    offers = OfferBook.of([Offer("o", Level.LINE, AmountOff(150))])
    book = replace(a_price_book({an_item(): (500, 470)}), offers=offers)
    basket = a_basket((an_item(), 2), member="2479")
    return built_sale(basket, book, header=SaleHeader(f"1-{n:06d}", 1, "2041"))


def test_what_offers_took_is_booked_apart_and_agrees_with_the_box(
    admin: httpx.Client, new_box: NewBox, take: Take, database: Database
) -> None:
    box = new_box()
    events: list[Event] = [SaleCompleted(promoted_sale(n)) for n in range(2)]
    for event in (*events, DayClosed(DAY, asdict(z_of(events)))):
        box.append(event)
    take(box)
    [row] = close(admin, box)
    assert (row["gross_minor"], row["member_disc_minor"], row["offer_disc_minor"]) == (
        2000,
        120,
        300,
    )
    assert (row["net_minor"], row["box_matches"]) == (1580, True)
    answer = admin.get("/v1/reports/daily-close.csv", params={"store": box.store_id})
    [line] = csv.DictReader(io.StringIO(answer.text))
    assert line["offer_disc_minor"] == "300"
    accounts = {"sales": -2000, "member_discount": 120, "offer_discount": 300, "cash": 1580}
    assert booked(database, box) == accounts


def test_what_rounding_for_cash_added_is_booked_apart_and_agrees_with_the_box(
    admin: httpx.Client, new_box: NewBox, take: Take, database: Database
) -> None:
    box = new_box()
    book = a_price_book({an_item(): (499, 499)})
    events: list[Event] = [
        SaleCompleted(
            built_sale(None, book, header=SaleHeader(f"1-{n:06d}", 1, "2041"), rounding_minor=by)
        )
        for n, by in enumerate((2, 2, -3))
    ]
    for event in (*events, DayClosed(DAY, asdict(z_of(events)))):
        box.append(event)
    take(box)
    [row] = close(admin, box)
    sums = (row["net_minor"], row["rounding_minor"], row["tender_minor"], row["cash_minor"])
    assert sums == (2994, 1, 2995, 2995)
    assert row["box_matches"] is True
    assert booked(database, box) == {"sales": -2994, "cash": 2995, "cash_rounding": -1}


def test_a_box_of_before_offers_still_agrees(
    admin: httpx.Client, new_box: NewBox, take: Take
) -> None:
    box = new_box()
    z = asdict(z_of(sell(box, 3)))
    del z["offer_disc_minor"]
    box.append(DayClosed(DAY, z))
    take(box)
    assert close(admin, box)[0]["box_matches"] is True


def test_a_closed_day_without_sales_has_a_row(
    admin: httpx.Client, new_box: NewBox, take: Take
) -> None:
    box = new_box()
    box.append(DayClosed(DAY, asdict(ZReport(DAY))))
    take(box)
    [row] = close(admin, box)
    assert (row["receipts"], row["net_minor"], row["box_matches"]) == (0, 0, True)


def test_days_are_chosen_by_date_and_the_newest_31_by_default(
    admin: httpx.Client, new_box: NewBox, take: Take
) -> None:
    box = new_box()
    days = [f"2017-{month:02}-{day:02}" for month in (7, 8) for day in range(1, 21)]
    for day in days:
        sell(box, 1, day=day)
    take(box)
    assert [row["business_date"] for row in close(admin, box)] == sorted(days)[:-32:-1]
    chosen = close(admin, box, **{"from": "2017-07-19", "to": "2017-08-02"})
    assert [row["business_date"] for row in chosen] == [
        "2017-08-02",
        "2017-08-01",
        "2017-07-20",
        "2017-07-19",
    ]
    assert len(close(admin, box, **{"from": "2017-08-20"})) == 1
    assert admin.get("/v1/reports/daily-close", params={"from": "yesterday"}).status_code == 422


def test_the_close_can_be_downloaded(admin: httpx.Client, new_box: NewBox, take: Take) -> None:
    box = new_box()
    z = z_of(sell(box, 2))
    take(box)
    answer = admin.get("/v1/reports/daily-close.csv", params={"store": box.store_id})
    assert answer.headers["content-type"].startswith("text/csv")
    [row] = csv.DictReader(io.StringIO(answer.text))
    assert (row["store_id"], row["business_date"]) == (box.store_id, DAY)
    assert (int(row["net_minor"]), row["box_matches"]) == (z.net_minor, "")


def test_live_shows_each_stores_newest_day_and_sums_in_the_cloud(
    admin: httpx.Client, new_box: NewBox, take: Take
) -> None:
    box, idle = new_box(), new_box()
    sell(box, 2, day="2017-08-06")
    z = z_of(sell(box, 3))
    take(box)
    answer = admin.get("/v1/reports/live").raise_for_status().json()
    stores = {store["store_id"]: store for store in answer["stores"]}
    mine = stores[box.store_id]
    assert (mine["business_date"], mine["today_receipts"]) == (DAY, 3)
    assert mine["today_net_minor"] == z.net_minor
    assert stores[idle.store_id]["last_sale_at_ms"] is None
    [total] = answer["totals"]
    assert total["net_minor"] == sum(store["today_net_minor"] for store in stores.values())
    assert {"store_id", "receipt_no", "at_ms", "net_minor", "lines"} <= set(answer["recent"][0])


def test_reports_ask_who_is_there(api: CloudApi) -> None:
    for path in ("daily-close", "daily-close.csv", "live"):
        assert httpx.get(f"{api.url}/v1/reports/{path}").status_code == 401
    assert httpx.get(f"{api.url}/v1/events").status_code == 401


@contextmanager
def listening(admin: httpx.Client) -> Iterator[Iterator[tuple[str, dict[str, Any]]]]:
    """The event stream, after its first beat."""
    with admin.stream("GET", "/v1/events", timeout=15) as answer:
        answer.raise_for_status()
        events = events_of(answer.iter_lines())
        assert next(events)[0] == "beat"
        yield events


def events_of(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    name = ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, orjson.loads(line.removeprefix("data: "))


def own(
    events: Iterator[tuple[str, dict[str, Any]]], name: str, box: BoxStream
) -> Iterator[dict[str, Any]]:
    """Events of one kind about one box's store; other tests' boxes may still be told of."""
    return (data for kind, data in events if kind == name and data["store_id"] == box.store_id)


def test_a_committed_sale_is_pushed_to_every_console_and_then_its_box(
    admin: httpx.Client, new_box: NewBox, take: Take
) -> None:
    box = new_box()
    z = z_of(sell(box, 2))
    with listening(admin) as one, listening(admin) as other:
        take(box)
        for events in (one, other):
            sales = own(events, "sale", box)
            heard = [next(sales), next(sales)]
            assert sum(sale["net_minor"] for sale in heard) == z.net_minor
            assert [sale["receipt_no"] for sale in heard] == ["1-000000", "1-000001"]
            assert next(own(events, "fleet", box))["head_seq"] == 1


def test_a_box_that_moved_is_pushed_with_its_store(
    database: Database, admin: httpx.Client, new_box: NewBox
) -> None:
    box = new_box()
    with listening(admin) as events:
        with database.begin() as connection:
            connection.execute(
                text("INSERT INTO box_state (dev, store_id, online) VALUES (:d, :s, true)"),
                {"d": box.dev, "s": box.store_id},
            )
            told = {"kind": "box", "dev": box.dev}
            notify(connection, "tillbox_live", orjson.dumps(told).decode())
        assert next(own(events, "fleet", box))["online"] is True
        assert next(own(events, "convergence", box))["state"] == "current"


def test_a_publication_shows_every_store(
    database: Database, admin: httpx.Client, new_box: NewBox
) -> None:
    box = new_box()
    with listening(admin) as events:
        with database.begin() as connection:
            notify(connection, "tillbox_publication", "1")
        assert next(own(events, "convergence", box))["because"] == "nothing_published"


def test_a_big_batch_tells_of_its_newest_sales_only(
    admin: httpx.Client, new_box: NewBox, take: Take
) -> None:
    box = new_box()
    sell(box, 200)
    with listening(admin) as events:
        take(box)
        sales = own(events, "sale", box)
        heard = [next(sales)["receipt_no"] for _ in range(20)]
    assert heard == [f"1-{n:06d}" for n in range(180, 200)]


def test_streams_end_when_the_api_stops(database: Database, tmp_path: Path) -> None:
    api = CloudApi(database.url, tmp_path).start()
    with (
        httpx.Client(base_url=api.url, headers=api.client().headers) as console,
        listening(console) as events,
    ):
        stopper = threading.Thread(target=api.stop)
        stopper.start()
        with suppress(httpx.RemoteProtocolError):  # the server may cut instead of ending
            assert all(name == "beat" for name, _ in events)
        stopper.join(timeout=10)
        assert not stopper.is_alive()
