"""Recorded sales in a real PostgreSQL, priced again under a draft."""

from __future__ import annotations

import csv
import io
import json
import multiprocessing
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from cloud.__main__ import main
from cloud.db import Database
from cloud.ingest.arrival import read_arrival
from cloud.ingest.service import ingest
from cloud.ledger.service import LedgerPoster
from cloud.simulation.report import Scope, SimulationReport
from cloud.simulation.service import Progress, simulate_stores
from cloud.simulation.view import report_data
from shared.journal.event import SaleCompleted
from shared.kernel.errors import RefusedError, UnavailableError
from shared.price.condition import ALL, MinSpend, Selector
from shared.price.offer import Level, Offer
from shared.price.reward import AmountOff, PercentOff
from tests.fakes.box_stream import DAY, GOODS, START_MS, BoxStream, a_sale
from tests.fakes.enrolment import enrol

DAYS = (DAY, "2017-08-08", "2017-08-09")
pytestmark = pytest.mark.usefixtures("items")
FIRST, LAST = date.fromisoformat(DAYS[0]), date.fromisoformat(DAYS[-1])
MILK = GOODS[0][0]
SALES = 40
TEN_PERCENT = Offer("milk-10", Level.LINE, PercentOff(1000), Selector(skus=frozenset({MILK})))
TWENTY_PERCENT = replace(TEN_PERCENT, reward=PercentOff(2000), version=2)
OVER_15 = Offer("over-15", Level.BASKET, AmountOff(300), when=(MinSpend(ALL, 1500),))


@pytest.fixture
def new_store(database: Database, new_box: Callable[[], BoxStream]) -> Callable[[], BoxStream]:
    """Makes stores that sold so many receipts on each of three days."""

    def make() -> BoxStream:
        box = new_box()
        for n in range(SALES * len(DAYS)):
            sale = a_sale(n, lines=1 + n % 6)
            at_ms = START_MS + n * 1_000 + (n // SALES) * 86_400_000
            box.append(SaleCompleted(replace(sale, priced_at_ms=at_ms)), biz=DAYS[n // SALES])
        send(database, box)
        return box

    return make


@pytest.fixture(scope="module")
def items(database: Database) -> None:
    """The item master knows all goods but one, and what most of them cost."""
    insert = text("""
        INSERT INTO item (gtin, name, department, category, brand, package_size, is_weighed,
                          cost_minor)
        VALUES (:gtin, 'x', 'D', :category, 'B', '', false, :cost)""")
    with database.begin() as connection:
        for place, (gtin, _, unit, _) in enumerate(GOODS[:-1]):
            cost = None if place == 1 else unit // 2
            connection.execute(insert, {"gtin": gtin, "category": f"c{place}", "cost": cost})


def send(database: Database, box: BoxStream) -> None:
    arrival = read_arrival(box.dev, box.batch(0, len(box.bodies) - 1))
    ingest(database=database, arrival=arrival, posters=(LedgerPoster(),), now_ms=START_MS)


def scope_of(*boxes: BoxStream, today: tuple[Offer, ...], draft: tuple[Offer, ...]) -> Scope:
    stores = [box.store_id for box in boxes]
    return Scope(FIRST, LAST, dict.fromkeys(stores, today), dict.fromkeys(stores, draft))


def run(database: Database, scope: Scope, jobs: int = 1) -> tuple[list[Progress], SimulationReport]:
    *progress, report = simulate_stores(database, scope, jobs)
    assert isinstance(report, SimulationReport)
    return [step for step in progress if isinstance(step, Progress)], report


def test_the_report_says_what_a_draft_would_have_given(
    database: Database, new_store: Callable[[], BoxStream]
) -> None:
    store = new_store()
    scope = scope_of(store, today=(TEN_PERCENT,), draft=(TWENTY_PERCENT, OVER_15))
    progress, report = run(database, scope)
    total = SALES * len(DAYS)
    assert [step.done for step in progress] == [0, SALES, 2 * SALES, total]
    assert {step.total for step in progress} == {total}
    (section,) = report.stores
    tally = section.tally
    sales = [a_sale(n, lines=1 + n % 6) for n in range(total)]
    assert (tally.baskets, tally.lines) == (total, sum(len(sale.lines) for sale in sales))
    assert tally.paid_minor == sum(sale.totals.net_minor for sale in sales)
    milk = [sum(line.net_minor for line in sale.lines if line.gtin == MILK) for sale in sales]
    ten = [
        sum(half_up(line.net_minor, 10) for line in sale.lines if line.gtin == MILK)
        for sale in sales
    ]
    twenty = [
        sum(half_up(line.net_minor, 5) for line in sale.lines if line.gtin == MILK)
        for sale in sales
    ]
    big = [sale.totals.net_minor - off >= 1500 for sale, off in zip(sales, twenty, strict=True)]
    assert tally.today.discount_minor == sum(ten)
    assert tally.today.touched == sum(1 for amount in milk if amount)
    rows = {row.offer.id: row.did for row in section.draft}
    assert (rows["milk-10"].discount_minor, rows["over-15"].baskets) == (sum(twenty), sum(big))
    assert rows["over-15"].discount_minor == 300 * sum(big)
    saved = [two - one + 300 * is_big for one, two, is_big in zip(ten, twenty, big, strict=True)]
    assert tally.change.winners == sum(1 for amount in saved if amount)
    assert tally.change.winners_minor == sum(saved)
    assert tally.change.losers == 0
    assert tally.today.due_minor - tally.draft.due_minor == sum(saved)
    assert report.totals[0].tally.draft.due_minor == tally.draft.due_minor


def half_up(minor: int, part: int) -> int:
    return (2 * minor + part) // (2 * part)


def test_the_report_is_the_same_for_any_number_of_processes(
    database: Database, new_store: Callable[[], BoxStream]
) -> None:
    stores = new_store(), new_store()
    scope = scope_of(*stores, today=(TEN_PERCENT,), draft=(OVER_15, TWENTY_PERCENT))
    progress, report = run(database, scope)
    alone = report_data(report)
    also, together = run(database, scope, jobs=3)
    assert also == progress
    assert report_data(together) == alone
    assert [store["baskets"] for store in alone["stores"]] == [SALES * len(DAYS)] * 2
    assert alone["totals"][0]["baskets"] == 2 * SALES * len(DAYS)


def test_a_process_that_dies_ends_the_simulation_with_a_reason(
    database: Database, new_store: Callable[[], BoxStream]
) -> None:
    scope = scope_of(new_store(), new_store(), new_store(), today=(), draft=(OVER_15,))
    steps = simulate_stores(database, scope, jobs=2)
    assert next(steps) == Progress(0, 9 * SALES)
    assert next(steps) == Progress(SALES, 9 * SALES)
    for process in multiprocessing.active_children():
        process.kill()
        process.join()
    with pytest.raises(UnavailableError, match=r"simulation\.process"):
        list(steps)


def test_only_the_days_asked_for_count(
    database: Database, new_store: Callable[[], BoxStream]
) -> None:
    scope = scope_of(new_store(), today=(), draft=(OVER_15,))
    one_day = replace(scope, from_on=date.fromisoformat(DAYS[1]), to_on=date.fromisoformat(DAYS[1]))
    assert run(database, one_day)[1].stores[0].tally.baskets == SALES
    empty = replace(scope, from_on=date(2016, 1, 1), to_on=date(2016, 12, 31))
    progress, report = run(database, empty)
    assert progress == [Progress(0, 0)]
    assert report.stores[0].tally.baskets == 0
    assert [row.offer.id for row in report.stores[0].draft] == ["over-15"]


def test_margin_counts_the_lines_whose_cost_is_known(
    database: Database, new_store: Callable[[], BoxStream]
) -> None:
    _, report = run(database, scope_of(new_store(), today=(), draft=(TWENTY_PERCENT,)))
    sales = [a_sale(n, lines=1 + n % 6) for n in range(SALES * len(DAYS))]
    costs = {gtin: unit // 2 for n, (gtin, _, unit, _) in enumerate(GOODS) if n not in {1, 4}}
    lines = [line for sale in sales for line in sale.lines]
    known = [line for line in lines if line.gtin in costs]
    margin = report.stores[0].tally.today.margin
    assert (margin.lines, margin.lines_without_cost) == (len(lines), len(lines) - len(known))
    assert margin.sales_minor == sum(line.net_minor for line in known)
    assert margin.cost_minor == sum(costs[line.gtin] * line.qty_milli // 1000 for line in known)
    (row,) = report.stores[0].draft
    milk = [line for line in lines if line.gtin == MILK]
    assert row.did.margin.lines == len(milk)
    paid = sum(line.net_minor for line in milk) - row.did.discount_minor
    assert row.did.margin.sales_minor == paid


def test_a_sale_that_came_twice_counts_once(
    database: Database, new_store: Callable[[], BoxStream]
) -> None:
    box = new_store()
    clone = BoxStream(box.dev, box.store_id, ordinal=2)
    enrol(database, clone)
    sale = a_sale(0, lines=1)
    clone.append(SaleCompleted(replace(sale, priced_at_ms=START_MS)), entry_id=box.id_at(0))
    send(database, clone)
    _, report = run(database, scope_of(box, today=(), draft=(OVER_15,)))
    assert report.stores[0].tally.baskets == SALES * len(DAYS)


def test_a_sale_that_cannot_be_read_is_counted_and_left_out(
    database: Database, new_store: Callable[[], BoxStream]
) -> None:
    box = new_store()
    with database.begin() as connection:
        changed = connection.execute(
            text(
                "UPDATE entry SET body = convert_to(replace(convert_from(body, 'UTF8'),"
                " '\"priced_at_ms\":', '\"priced_at\":'), 'UTF8')"
                " WHERE store_id = :store AND seq < 3"
            ),
            {"store": box.store_id},
        )
    assert changed.rowcount == 3
    tally = run(database, scope_of(box, today=(), draft=()))[1].stores[0].tally
    assert (tally.unreadable, tally.baskets) == (3, SALES * len(DAYS) - 3)


def test_what_cannot_be_simulated_is_refused(
    database: Database, new_box: Callable[[], BoxStream]
) -> None:
    scope = scope_of(new_box(), today=(), draft=())
    with pytest.raises(RefusedError, match=r"simulation\.dates"):
        run(database, replace(scope, from_on=LAST, to_on=FIRST))
    nowhere = {"nowhere": ()}
    with pytest.raises(RefusedError, match=r"store\.unknown"):
        run(database, replace(scope, today=nowhere, draft=nowhere))


DRAFT = """
format: tillbox-offers/1
currency: USD
offers:
  - id: milk-10
    level: line
    target: {sku: ["0400000000017"]}
    reward: {type: percent_off, bp: 2000}
  - id: over-15
    name: {en: 3.00 off 15.00}
    level: basket
    target: {all: true}
    when: [{type: min_spend, scope: {all: true}, amount: "15.00"}]
    reward: {type: amount_off, amount: "3.00"}
    stores: ["%s"]
"""


@pytest.fixture
def command(database: Database, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Runs `tillbox-cloud price` on the file's database."""
    url = database.url.replace("+psycopg", "")
    monkeypatch.setenv("TILLBOX_CLOUD_DATABASE_URL", url)
    return lambda *words: main(["price", *map(str, words)])


def test_the_command_compares_with_what_is_published(
    database: Database,
    new_store: Callable[[], BoxStream],
    command: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    box, other = new_store(), new_store()
    today, draft = tmp_path / "today.yaml", tmp_path / "draft.yaml"
    today.write_text((DRAFT % other.store_id).replace("bp: 2000", "bp: 1000"))
    draft.write_text(DRAFT % box.store_id)
    asked = (
        "simulate",
        "--rules",
        draft,
        "--from",
        DAYS[0],
        "--to",
        DAYS[-1],
        "--stores",
        f"{other.store_id},{box.store_id}",
    )
    as_json, as_csv = tmp_path / "report.json", tmp_path / "report.csv"
    assert command(*asked, "--against", today, "--json", as_json, "--csv", as_csv) == 0
    said = capsys.readouterr()
    assert said.err == ""
    found = json.loads(as_json.read_text())
    assert found["format"] == "tillbox-simulation/1"
    by_store = {store["store_id"]: store for store in found["stores"]}
    assert {offer["id"] for offer in by_store[box.store_id]["draft"]["offers"]} == {
        "milk-10",
        "over-15",
    }
    assert by_store[box.store_id]["losers"] == 0 < by_store[box.store_id]["winners"]
    assert by_store[other.store_id]["losers"] > 0
    rows = list(csv.DictReader(io.StringIO(as_csv.read_text())))
    mine = [row for row in rows if row["store_id"] == box.store_id and row["rules"] == "draft"]
    assert sum(int(row["discount_minor"]) for row in mine if row["offer_id"]) == int(
        mine[0]["discount_minor"]
    )
    for words in (
        f"Store {box.store_id}, USD: 120 sales",
        "All stores, USD",
        "3.00 off 15.00",
        "customers pay less",
        "receipt 1-0",
    ):
        assert words in said.out
    # The same offers, published instead of named by a file.
    assert command("load", today) == 0
    publish = "INSERT INTO offer_publication SELECT offer_id, version, 1 FROM offer_version"
    with database.begin() as connection:
        connection.execute(text(publish))
    assert command(*asked, "--json", as_json, "--jobs", "1") == 0
    assert json.loads(as_json.read_text()) == found


def test_the_command_tells_what_is_wrong_with_a_draft(
    database: Database,
    command: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    draft = tmp_path / "draft.yaml"
    draft.write_text((DRAFT % "1").replace("percent_off", "percent_of"))
    dates = ("--from", DAYS[0], "--to", DAYS[-1])
    assert command("simulate", "--rules", draft, *dates) == 1
    said = capsys.readouterr().err
    assert "offers[0].reward.type (line 8)" in said
    draft.write_text(DRAFT % "1")
    assert command("simulate", "--rules", draft, *dates, "--stores", "none") == 1
    assert "There is no store none." in capsys.readouterr().err
