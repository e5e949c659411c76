"""The first publication of a large chain: 100,000 items in 100 price zones, one store in each.

python -m tests.bench --only compile
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import text

from cloud.db import Database
from cloud.migrations.run import migrate
from tests.bench.catalogue import gtin_of, item_records
from tests.bench.figure import Figure
from tests.lab.cloud_api import CloudApi
from tests.lab.postgres import PostgresServer

ITEMS, ZONES, ZONE_PRICES = 100_000, 100, 1_000
GOAL_S = 20.0
ITEM_HEADER = "ean13,name,department,category,brand,package_size,weighed,plu"
PRICE_HEADER = "store_id,ean13,effective_at,regular_price_cents,member_price_cents"
LONG_AGO = "2026-01-01T00:00"


def measure(folder: Path) -> Figure:
    """Import, then time the publication alone."""
    server = PostgresServer(folder / "postgres").start()
    database = Database(server.create_database("compile"))
    migrate(database)
    api = CloudApi(database.url, folder).start()
    try:
        client = api.client()
        client.timeout = 600
        _set_up(database)
        client.post("/v1/items/import", content=_items()).raise_for_status()
        client.post("/v1/prices/import", content=_prices()).raise_for_status()
        began = time.perf_counter()
        answer = client.post("/v1/publications", json={"note": "first"})
        took_s = time.perf_counter() - began
        answer.raise_for_status()
        assert answer.json()["stores"] == ZONES
        packed = _packed_bytes(database)
    finally:
        api.stop()
        database.close()
        server.stop()
    return Figure(
        f"{ITEMS:,} items published for {ZONES} zones with {ZONE_PRICES:,} prices of their own",
        "s",
        took_s,
        GOAL_S,
        _zlib_s(),
        "packing the items' lines with zlib, once",
        f"{packed / 1e6:.1f} MB of objects: what stores share is made once",
    )


def _set_up(database: Database) -> None:
    with database.begin() as connection:
        for number in range(1, ZONES + 1):
            values = {"zone": f"z{number}", "store": f"{number}"}
            connection.execute(
                text("INSERT INTO price_zone (zone_id, name) VALUES (:zone, :zone)"), values
            )
            connection.execute(
                text(
                    "INSERT INTO store (store_id, name, time_zone, currency, zone_id)"
                    " VALUES (:store, :store, 'Asia/Shanghai', 'CNY', :zone)"
                ),
                values,
            )


def _items() -> Iterator[bytes]:
    yield f"{ITEM_HEADER}\n".encode()
    for number in range(ITEMS):
        yield f"{gtin_of(number)},商品 {number} 500g,部门,类别,品牌,500 g,0,\n".encode()


def _prices() -> Iterator[bytes]:
    yield f"{PRICE_HEADER}\n".encode()
    for number in range(ITEMS):
        yield f"chain,{gtin_of(number)},{LONG_AGO},{199 + number % 5_000},\n".encode()
    for zone in range(1, ZONES + 1):
        for number in range(ZONE_PRICES):
            gtin = gtin_of((number * 97 + zone) % ITEMS)
            yield f"zone:z{zone},{gtin},{LONG_AGO},{150 + number % 5_000},\n".encode()


def _packed_bytes(database: Database) -> int:
    with database.begin() as connection:
        return int(connection.execute(text("SELECT sum(size) FROM scope_snapshot")).scalar_one())


def _zlib_s() -> float:
    lines = "\n".join(str(record.body) for record in item_records(ITEMS)).encode()
    began = time.perf_counter()
    zlib.compress(lines)
    return time.perf_counter() - began
