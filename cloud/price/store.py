"""SQL of prices. Rows are only ever added; of two with the same instant the later id counts.

Reads `store` and `item` beside its own table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from cloud.db import copy_rows
from cloud.price.table import PriceRow
from shared.price.price_book import DatedPrice

HISTORY_MAX = 500
SAMPLE_MAX = 50

_STAGE = text("""
    CREATE TEMP TABLE incoming_price (
        line integer NOT NULL, store_id text NOT NULL, gtin text NOT NULL,
        from_at_ms bigint NOT NULL, regular_minor integer NOT NULL,
        member_minor integer) ON COMMIT DROP""")
_UNKNOWN_ITEMS = text("""
    SELECT line, gtin FROM incoming_price incoming
    WHERE NOT EXISTS (SELECT FROM item WHERE item.gtin = incoming.gtin) ORDER BY line""")
# Rows that say what is already so are left out.
_APPEND = text("""
    WITH compared AS (
        SELECT incoming.*, latest.id IS NULL AS is_new
        FROM incoming_price incoming LEFT JOIN LATERAL (
            SELECT id, regular_minor, member_minor FROM item_price kept
            WHERE kept.store_id = incoming.store_id AND kept.gtin = incoming.gtin
              AND kept.from_at_ms = incoming.from_at_ms
            ORDER BY id DESC LIMIT 1) latest ON true
        WHERE latest.id IS NULL OR latest.regular_minor <> incoming.regular_minor
           OR latest.member_minor IS DISTINCT FROM incoming.member_minor),
    added AS (
        INSERT INTO item_price (store_id, gtin, from_at_ms, regular_minor, member_minor,
                                created_by, created_at_ms, reason)
        SELECT store_id, gtin, from_at_ms, regular_minor, member_minor,
               :created_by, :created_at_ms, :reason
        FROM compared ORDER BY line RETURNING id, store_id, gtin),
    drafted AS (INSERT INTO price_draft SELECT id, store_id, gtin FROM added)
    SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) FROM compared""")
_IN_FORCE = text("""
    SELECT store.store_id, price.from_at_ms, price.regular_minor, price.member_minor
    FROM store CROSS JOIN LATERAL (
        SELECT from_at_ms, regular_minor, member_minor FROM item_price
        WHERE store_id = store.store_id AND gtin = :gtin AND from_at_ms <= :at_ms
        ORDER BY from_at_ms DESC, id DESC LIMIT 1) price""")
_HISTORY = text("""
    SELECT store_id, from_at_ms, regular_minor, member_minor, created_by, created_at_ms, reason,
           publication.rev AS published_rev
    FROM item_price LEFT JOIN price_publication publication ON price_id = id
    WHERE gtin = :gtin AND (:store_id = '' OR store_id = :store_id)
    ORDER BY from_at_ms DESC, id DESC LIMIT :most""")
_EXPORT = text("""
    SELECT DISTINCT ON (store_id, gtin, from_at_ms)
           store_id, gtin, from_at_ms, regular_minor, member_minor
    FROM item_price WHERE :store_id = '' OR store_id = :store_id
    ORDER BY store_id, gtin, from_at_ms, id DESC""")
# All dated prices of each item that has a draft in a store.
_DRAFT_PRICES = text("""
    SELECT DISTINCT ON (price.store_id, price.gtin, price.from_at_ms)
           price.store_id, price.gtin, price.from_at_ms, price.regular_minor, price.member_minor
    FROM (SELECT DISTINCT store_id, gtin FROM price_draft) draft
    JOIN item_price price USING (store_id, gtin)
    ORDER BY price.store_id, price.gtin, price.from_at_ms, price.id DESC""")
_STORE_PRICES = text("""
    SELECT DISTINCT ON (gtin, from_at_ms)
           store_id, gtin, from_at_ms, regular_minor, member_minor
    FROM item_price WHERE store_id = :store_id
    ORDER BY gtin, from_at_ms, id DESC""")
_DRAFT_SAMPLE = text("""
    SELECT price.gtin, item.name, price.store_id, price.from_at_ms,
           before.regular_minor AS old_minor, price.regular_minor AS new_minor,
           before.member_minor AS old_member_minor, price.member_minor AS new_member_minor
    FROM (SELECT price_id AS id FROM price_draft ORDER BY price_id DESC LIMIT :most) draft
    JOIN item_price price USING (id) JOIN item USING (gtin) LEFT JOIN LATERAL (
        SELECT regular_minor, member_minor FROM item_price earlier
        WHERE earlier.store_id = price.store_id AND earlier.gtin = price.gtin
          AND earlier.from_at_ms <= price.from_at_ms AND earlier.id < price.id
        ORDER BY from_at_ms DESC, id DESC LIMIT 1) before ON true
    ORDER BY max(price.id) OVER (PARTITION BY price.gtin) DESC,
             length(price.store_id), price.store_id, price.from_at_ms""")
_MARK = text("""
    WITH gone AS (DELETE FROM price_draft RETURNING price_id)
    INSERT INTO price_publication SELECT price_id, :rev FROM gone""")


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes prices, when and why."""

    name: str
    at_ms: int
    reason: str


def time_zones(connection: Connection) -> dict[str, str]:
    """The IANA time zone name of each store."""
    found = connection.execute(text("SELECT store_id, time_zone FROM store ORDER BY store_id"))
    return {str(store_id): str(time_zone) for store_id, time_zone in found}


def has_item(connection: Connection, gtin: str) -> bool:
    """Whether the catalogue has an item."""
    found = connection.execute(text("SELECT 1 FROM item WHERE gtin = :gtin"), {"gtin": gtin})
    return found.one_or_none() is not None


def stage(connection: Connection, rows: Iterable[tuple[int, PriceRow]]) -> None:
    """Put the rows of a table into a temporary one."""
    connection.execute(_STAGE)
    copy_rows(
        connection,
        "incoming_price",
        ("line", "store_id", "gtin", "from_at_ms", "regular_minor", "member_minor"),
        (
            (line, row.store_id, row.gtin, row.from_at_ms, row.regular_minor, row.member_minor)
            for line, row in rows
        ),
    )


def unknown_items(connection: Connection) -> list[tuple[int, str]]:
    """(line, GTIN) of staged rows whose item the catalogue does not have."""
    return [(line, gtin) for line, gtin in connection.execute(_UNKNOWN_ITEMS)]


def append_staged(connection: Connection, author: Author) -> tuple[int, int]:
    """Add the staged rows that say something new; returns (new instants, corrections)."""
    created, updated = connection.execute(
        _APPEND,
        {"created_by": author.name, "created_at_ms": author.at_ms, "reason": author.reason},
    ).one()
    return created, updated


def in_force(connection: Connection, gtin: str, at_ms: int) -> dict[str, DatedPrice]:
    """An item's price at an instant in each store that has one."""
    found = connection.execute(_IN_FORCE, {"gtin": gtin, "at_ms": at_ms})
    return {store_id: DatedPrice(*price) for store_id, *price in found}


def history(connection: Connection, gtin: str, store_id: str) -> list[dict[str, Any]]:
    """An item's price rows, the newest first."""
    parameters = {"gtin": gtin, "store_id": store_id, "most": HISTORY_MAX}
    return [dict(row) for row in connection.execute(_HISTORY, parameters).mappings()]


def export(connection: Connection, store_id: str) -> Iterator[PriceRow]:
    """Every dated price that counts, by store, item and instant."""
    statement = _EXPORT.execution_options(yield_per=1000)
    for row in connection.execute(statement, {"store_id": store_id}):
        yield PriceRow(*row)


def draft_prices(connection: Connection) -> Iterator[PriceRow]:
    """All dated prices of each item and store with a draft, by store, item and instant."""
    return _prices(connection.execute(_DRAFT_PRICES.execution_options(yield_per=5000)))


def store_prices(connection: Connection, store_id: str) -> Iterator[PriceRow]:
    """All dated prices of one store, by item and instant."""
    statement = _STORE_PRICES.execution_options(yield_per=5000)
    return _prices(connection.execute(statement, {"store_id": store_id}))


def draft_sample(connection: Connection) -> list[dict[str, Any]]:
    """The newest drafts with the price that they replace: by item, newest first, then by store."""
    found = connection.execute(_DRAFT_SAMPLE, {"most": SAMPLE_MAX}).mappings()
    return [dict(row) for row in found]


def mark_published(connection: Connection, rev: int) -> None:
    """Note that every draft went out with a revision."""
    connection.execute(_MARK, {"rev": rev})


def _prices(rows: Iterable[Sequence[Any]]) -> Iterator[PriceRow]:
    return (PriceRow(*row) for row in rows)
