"""SQL of the simulation; it only reads.

The books (`sale`) say which entries count, each once; the journal (`entry`) has what was sold.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, text

from cloud.db import driver
from cloud.simulation.replay import ItemFacts
from shared.price.floor import floor_unit_minor
from shared.sale.pricing import tags_of

ROWS_AT_ONCE = 500
_PLACES = text("SELECT store_id, time_zone, currency FROM store ORDER BY store_id")
_DAYS = text("""
    SELECT store_id, business_date, count(*) FROM sale
    WHERE business_date BETWEEN :from_on AND :to_on AND store_id = ANY(:stores)
    GROUP BY store_id, business_date ORDER BY store_id, business_date""")
# An entry may stand under two streams (a cloned card's tail); its sale is in the books once.
_BODIES = """
SELECT found.body FROM (
    SELECT entry_id::text AS id, at_ms FROM sale
    WHERE store_id = %(store)s AND business_date = %(day)s) booked
CROSS JOIN LATERAL (
    SELECT body FROM entry
    WHERE entry.store_id = %(store)s AND entry.at_ms = booked.at_ms
        AND entry.type = 'sale.completed' AND entry.id = booked.id LIMIT 1) found"""
_FACTS = """
SELECT gtin, department, category, brand, tags, uom, is_promotable, tax_bp, min_price_minor,
    min_margin_bp, cost_minor
FROM item WHERE gtin = ANY(%s)"""


@dataclass(frozen=True, slots=True)
class Place:
    """A store with its IANA time zone and its currency."""

    store_id: str
    time_zone: str
    currency: str


@dataclass(frozen=True, slots=True)
class StoreDay:
    """One business day of one store, with how many sales the books have of it."""

    store_id: str
    day: date
    baskets: int


def places(connection: Connection) -> dict[str, Place]:
    """Every store by its id."""
    return {row[0]: Place(*row) for row in connection.execute(_PLACES)}


def store_days(
    connection: Connection, from_on: date, to_on: date, store_ids: Collection[str]
) -> list[StoreDay]:
    """Days with sales, both ends included, by store and day."""
    wanted = {"from_on": from_on, "to_on": to_on, "stores": list(store_ids)}
    return [StoreDay(*row) for row in connection.execute(_DAYS, wanted)]


def sale_bodies(
    connection: Connection, store_id: str, day: date
) -> Generator[list[bytes], None, None]:
    """Bodies of one day's sales, some hundred at a time, from a cursor of the server."""
    with driver(connection).cursor(name="tillbox_simulation") as cursor:
        cursor.execute(_BODIES, {"store": store_id, "day": day}, binary=True)
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            yield [bytes(row[0]) for row in rows]


def item_facts(connection: Connection, gtins: Sequence[str]) -> Iterator[tuple[str, ItemFacts]]:
    """What the item master says of some items; nothing of those that it does not have."""
    for row in driver(connection).execute(_FACTS, (list(gtins),)):
        gtin, department, category, brand, tags, uom, is_promotable, tax_bp, *money = row
        min_price, min_margin_bp, cost = money
        floor = floor_unit_minor(min_price, cost, min_margin_bp, tax_bp)
        marks = tags_of(tuple(tags), department, brand)
        yield gtin, ItemFacts(category, marks, uom, is_promotable, floor, tax_bp, cost)
