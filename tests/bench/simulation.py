"""Recorded baskets priced again under two rule sets: baskets per second of one core.

The whole way is measured, in CPU time of this process: fetch the entries from PostgreSQL, decode
them, look their items up, price each basket under this week's thirty offers and under a draft that
changes a third of them, and sum up.  Beside it stands what pricing alone would allow: the same
baskets in memory, priced under both rule sets and nothing else.

    python -m tests.bench.simulation [--baskets N]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from rich.console import Console

from cloud.db import Database, copy_rows
from cloud.ingest.arrival import read_arrival
from cloud.ingest.service import ingest
from cloud.ledger.service import LedgerPoster
from cloud.migrations.run import migrate
from cloud.simulation.report import Offers, Scope, SimulationReport
from cloud.simulation.service import simulate_stores
from shared.journal.event import SaleCompleted
from shared.price.context import PriceContext, PriceLine, PricingInstant
from shared.price.derive import derive
from shared.price.offer_book import OfferBook
from tests.bench.figure import Figure, show
from tests.bench.rule_sets import draft_of, week_of
from tests.bench.shopping import NOT_PROMOTED, Shopping, sale_of, shopping
from tests.fakes.box_stream import START_MS, BoxStream
from tests.fakes.enrolment import enrol
from tests.lab.postgres import PostgresServer

BASKETS = 4_000
PER_DAY = 500
BATCH = 200
GOAL_PER_S = 2_000
ROUNDS = 5
STORE = "343"
FIRST_DAY = date(2017, 8, 7)
ITEM_COLUMNS = (
    *("gtin", "name", "department", "category", "brand", "package_size", "is_weighed"),
    *("is_promotable", "cost_minor"),
)


def measure(folder: Path, count: int = BASKETS) -> list[Figure]:
    """Both figures, on a PostgreSQL of their own below `folder`."""
    shop = shopping(count)
    server = PostgresServer(folder).start()
    try:
        database = Database(server.create_database("bench_simulation"))
        migrate(database)
        _record(database, shop)
        _list_items(database, shop)
        week = week_of(shop)
        figures = [
            _figure(database, shop, "a draft against this week's 30 offers", week),
            _figure(database, shop, "a draft against no offers", ()),
        ]
        database.close()
    finally:
        server.stop()
    return figures


def _figure(database: Database, shop: Shopping, what: str, today: Offers) -> Figure:
    draft = draft_of(week_of(shop))
    last = FIRST_DAY + timedelta(days=len(shop.baskets) // PER_DAY)
    scope = Scope(FIRST_DAY, last, {STORE: today}, {STORE: draft})
    rates = [_rate(database, scope, len(shop.baskets)) for _ in range(ROUNDS)]
    return Figure(
        f"simulation of {what}, per second of one core's CPU time",
        "baskets",
        statistics.median(rates),
        GOAL_PER_S,
        _pricing_alone(shop, [OfferBook.of(each) for each in (today, draft) if each]),
        "pricing alone",
        f"{shop.source}: {len(shop.baskets):,} baskets of {shop.mean_lines:.2f} lines; rounds "
        + ", ".join(f"{rate:,.0f}" for rate in rates),
        higher_is_better=True,
    )


def _rate(database: Database, scope: Scope, count: int) -> float:
    started = time.process_time()
    *_, report = simulate_stores(database, scope)
    took = time.process_time() - started
    assert isinstance(report, SimulationReport)
    assert report.stores[0].tally.baskets == count
    return count / took


def _pricing_alone(shop: Shopping, books: Sequence[OfferBook]) -> float:
    at = PricingInstant(START_MS, FIRST_DAY, 14 * 3600)
    baskets = [
        tuple(
            PriceLine(
                place,
                line.item.gtin,
                line.pieces * 1000,
                line.unit_minor,
                line.item.category,
                frozenset({f"department:{line.item.department}", f"brand:{line.item.brand}"}),
                is_promotable=line.item.department not in NOT_PROMOTED,
            )
            for place, line in enumerate(basket)
        )
        for basket in shop.baskets
    ]
    started = time.process_time()
    for lines in baskets:
        for book in books:
            derive(lines, book, PriceContext(), at)
    return len(baskets) / (time.process_time() - started)


def _record(database: Database, shop: Shopping) -> None:
    """Let a store's journal arrive, as it does from a box."""
    box = BoxStream("d-aaaaaaaaaaaaaaaa", STORE)
    for number, basket in enumerate(shop.baskets):
        day = FIRST_DAY + timedelta(days=number // PER_DAY)
        box.append(SaleCompleted(sale_of(number, basket)), biz=day.isoformat())
    enrol(database, box)
    for payload in box.batches(BATCH):
        arrival = read_arrival(box.dev, payload)
        ingest(database=database, arrival=arrival, posters=(LedgerPoster(),), now_ms=START_MS)


def _list_items(database: Database, shop: Shopping) -> None:
    """Put the goods into the item master; cost is three quarters of the price of one sale."""
    prices = {line.item: line.unit_minor for basket in shop.baskets for line in basket}
    with database.begin() as connection:
        copy_rows(
            connection,
            "item",
            ITEM_COLUMNS,
            (
                (
                    *(item.gtin, "x", item.department, item.category, item.brand, "", False),
                    *(item.department not in NOT_PROMOTED, unit_minor * 3 // 4),
                )
                for item, unit_minor in prices.items()
            ),
        )


def main() -> None:
    """Print both figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.simulation", description=__doc__)
    parser.add_argument("--baskets", type=int, default=BASKETS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tillbox-bench-") as folder:
        show(Console(width=200), measure(Path(folder) / "pg", options.baskets))


if __name__ == "__main__":
    main()
