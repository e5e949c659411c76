"""SQL of prices. Rows are only ever added; of two with the same instant the later id counts.

Reads `store`, `price_zone` and `item` beside its own table. Prices at an instant come from the
function `price_in_force`, which reads local times as UTC: near enough for who looks at them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from cloud.db import copy_rows, like_literal
from cloud.price.table import PriceRow
from cloud.records import CHAIN, zone_of, zone_scope
from cloud.table_import import Author
from shared.price.price_book import DatedPrice

HISTORY_MAX = 500
SAMPLE_MAX = 50
FIELDS = PriceRow._fields

_STAGE = text("""
    CREATE TEMP TABLE incoming_price (
        line integer NOT NULL, scope text NOT NULL, gtin text NOT NULL,
        from_at_ms bigint NOT NULL, regular_minor integer, member_minor integer,
        from_local text, to_at_ms bigint, to_local text) ON COMMIT DROP""")
_UNKNOWN_ITEMS = text("""
    SELECT line, gtin FROM incoming_price incoming
    WHERE NOT EXISTS (SELECT FROM item WHERE item.gtin = incoming.gtin) ORDER BY line""")
# Rows that say what is already so are left out.
_APPEND = text("""
    WITH compared AS (
        SELECT incoming.*, latest.id IS NULL AS is_new
        FROM incoming_price incoming LEFT JOIN LATERAL (
            SELECT id, regular_minor, member_minor, to_at_ms, to_local FROM item_price kept
            WHERE kept.scope = incoming.scope AND kept.gtin = incoming.gtin
              AND kept.from_at_ms = incoming.from_at_ms
              AND kept.from_local IS NOT DISTINCT FROM incoming.from_local
            ORDER BY id DESC LIMIT 1) latest ON true
        WHERE latest.id IS NULL
           OR (latest.regular_minor, latest.member_minor, latest.to_at_ms, latest.to_local)
              IS DISTINCT FROM (incoming.regular_minor, incoming.member_minor,
                                incoming.to_at_ms, incoming.to_local)),
    added AS (
        INSERT INTO item_price (scope, store_id, gtin, from_at_ms, regular_minor, member_minor,
                                from_local, to_at_ms, to_local,
                                created_by, created_at_ms, reason)
        SELECT scope, CASE WHEN scope LIKE 'store-%' THEN substr(scope, 7) ELSE '' END, gtin,
               from_at_ms, regular_minor, member_minor, from_local, to_at_ms, to_local,
               :created_by, :created_at_ms, :reason
        FROM compared ORDER BY line RETURNING id, store_id, gtin, scope),
    drafted AS (
        INSERT INTO price_draft (price_id, store_id, gtin, scope)
        SELECT id, store_id, gtin, scope FROM added)
    SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) FROM compared""")
# What each scope itself says.
_IN_FORCE = text("""
    SELECT asked.scope, price.from_at_ms, price.regular_minor, price.member_minor
    FROM unnest(CAST(:scopes AS text[])) asked (scope) CROSS JOIN LATERAL (
        SELECT from_at_ms, regular_minor, member_minor FROM item_price
        WHERE scope = asked.scope AND gtin = :gtin AND from_at_ms <= :at_ms
          AND (to_at_ms IS NULL OR to_at_ms > :at_ms)
        ORDER BY from_at_ms DESC, id DESC LIMIT 1) price
    WHERE price.regular_minor IS NOT NULL""")
_HISTORY = text("""
    SELECT store_id, scope, from_at_ms, from_local, to_at_ms, to_local, regular_minor,
           member_minor, created_by, created_at_ms, reason, publication.rev AS published_rev
    FROM item_price LEFT JOIN price_publication publication ON price_id = id
    WHERE gtin = :gtin AND (CAST(:scopes AS text[]) IS NULL OR scope = ANY(:scopes))
    ORDER BY from_at_ms DESC, id DESC LIMIT :most""")
_ROW = (
    "price.scope, price.gtin, price.from_at_ms, price.regular_minor, price.member_minor,"
    " price.from_local, price.to_at_ms, price.to_local"
)
_ONCE = "price.scope, price.gtin, price.from_at_ms, coalesce(price.from_local, '')"
_EXPORT = text(f"""
    SELECT DISTINCT ON ({_ONCE}) {_ROW} FROM item_price price
    WHERE CAST(:scopes AS text[]) IS NULL OR scope = ANY(:scopes)
    ORDER BY {_ONCE}, id DESC""")  # noqa: S608 - constants
# All dated prices of each item that has a draft in a scope.
_DRAFT_PRICES = text(f"""
    SELECT DISTINCT ON ({_ONCE}) {_ROW}
    FROM (SELECT DISTINCT scope, gtin FROM price_draft) draft
    JOIN item_price price USING (scope, gtin)
    ORDER BY {_ONCE}, price.id DESC""")  # noqa: S608 - constants
_SCOPE_PRICES = text(f"""
    SELECT DISTINCT ON ({_ONCE}) {_ROW} FROM item_price price WHERE scope = :scope
    ORDER BY {_ONCE}, id DESC""")  # noqa: S608 - constants
# What each place itself says at an instant, of the items whose words all occur.
_SAID = text(f"""
    SELECT DISTINCT ON (price.scope, price.gtin) {_ROW}
    FROM item_price price JOIN item USING (gtin)
    WHERE price.from_at_ms <= :at_ms AND (price.to_at_ms IS NULL OR price.to_at_ms > :at_ms)
      AND (CAST(:scopes AS text[]) IS NULL OR price.scope = ANY(:scopes))
      AND item.search_text LIKE ALL(CAST(:patterns AS text[]))
      AND (:department = '' OR item.department = :department)
    ORDER BY price.scope, price.gtin, price.from_at_ms DESC, price.id DESC""")  # noqa: S608 - constants
_DRAFT_SAMPLE = text("""
    SELECT price.gtin, item.name, price.store_id, price.scope, price.from_at_ms,
           before.regular_minor AS old_minor, price.regular_minor AS new_minor,
           before.member_minor AS old_member_minor, price.member_minor AS new_member_minor
    FROM (SELECT price_id AS id FROM price_draft ORDER BY price_id DESC LIMIT :most) draft
    JOIN item_price price USING (id) JOIN item USING (gtin) LEFT JOIN LATERAL (
        SELECT regular_minor, member_minor FROM item_price earlier
        WHERE earlier.scope = price.scope AND earlier.gtin = price.gtin
          AND earlier.from_at_ms <= price.from_at_ms AND earlier.id < price.id
        ORDER BY from_at_ms DESC, id DESC LIMIT 1) before ON true
    ORDER BY max(price.id) OVER (PARTITION BY price.gtin) DESC,
             length(price.scope), price.scope, price.from_at_ms""")
_TAKE = text("""
    WITH gone AS (DELETE FROM price_draft RETURNING price_id)
    INSERT INTO release_draft (release_id, source, key)
    SELECT :release_id, 'price', price_id::text FROM gone""")
_GIVE_BACK = text("""
    INSERT INTO price_draft (price_id, store_id, gtin, scope)
    SELECT id, store_id, gtin, scope FROM item_price
    JOIN release_draft took ON took.key::bigint = id
    WHERE took.release_id = :release_id AND took.source = 'price'
    ON CONFLICT (price_id) DO NOTHING""")
_MARK = text("""
    INSERT INTO price_publication (price_id, rev)
    SELECT key::bigint, :rev FROM release_draft
    WHERE release_id = :release_id AND source = 'price'
    ON CONFLICT (price_id) DO NOTHING""")


@dataclass(frozen=True, slots=True)
class PriceFilter:
    """Whose prices: of items in which every word of `text` occurs; `scopes` None: everywhere."""

    text: str = ""
    department: str = ""
    scopes: tuple[str, ...] | None = None


def time_zones(connection: Connection) -> dict[str, str]:
    """The IANA time zone name of each store."""
    found = connection.execute(text("SELECT store_id, time_zone FROM store ORDER BY store_id"))
    return {str(store_id): str(time_zone) for store_id, time_zone in found}


def zone_ids(connection: Connection) -> frozenset[str]:
    """Every price zone."""
    found = connection.execute(text("SELECT zone_id FROM price_zone"))
    return frozenset(str(zone_id) for (zone_id,) in found)


def scopes_of(connection: Connection, store_id: str) -> list[str] | None:
    """The scopes whose prices a store may have; None for no store in particular."""
    if not store_id:
        return None
    statement = text("SELECT zone_id FROM store WHERE store_id = :store_id")
    zone_id = connection.execute(statement, {"store_id": store_id}).scalar_one_or_none()
    return [CHAIN, zone_of(store_id), *([zone_scope(zone_id)] if zone_id else [])]


def has_item(connection: Connection, gtin: str) -> bool:
    """Whether the catalogue has an item."""
    found = connection.execute(text("SELECT 1 FROM item WHERE gtin = :gtin"), {"gtin": gtin})
    return found.one_or_none() is not None


def stage(connection: Connection, rows: Iterable[tuple[int, PriceRow]]) -> None:
    """Put the rows of a table into a temporary one."""
    connection.execute(_STAGE)
    copied = ((line, *row) for line, row in rows)
    copy_rows(connection, "incoming_price", ("line", *FIELDS), copied)


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


def in_force(
    connection: Connection, gtin: str, scopes: Sequence[str], at_ms: int
) -> dict[str, DatedPrice]:
    """What each of these scopes itself says of an item's price at an instant."""
    found = connection.execute(_IN_FORCE, {"gtin": gtin, "scopes": list(scopes), "at_ms": at_ms})
    return {scope: DatedPrice(*price) for scope, *price in found}


def history(
    connection: Connection, gtin: str, scopes: Sequence[str] | None
) -> list[dict[str, Any]]:
    """An item's price rows in some scopes (None: in all), the newest first."""
    parameters = {"gtin": gtin, "scopes": _array(scopes), "most": HISTORY_MAX}
    return [dict(row) for row in connection.execute(_HISTORY, parameters).mappings()]


def export(connection: Connection, scopes: Sequence[str] | None) -> Iterator[PriceRow]:
    """Every dated price that counts in some scopes (None: in all), by scope, item and instant."""
    statement = _EXPORT.execution_options(yield_per=1000)
    return _prices(connection.execute(statement, {"scopes": _array(scopes)}))


def said_at(connection: Connection, found: PriceFilter, at_ms: int) -> Iterator[PriceRow]:
    """What each place itself says at an instant, by place and item."""
    parameters = {
        "at_ms": at_ms,
        "scopes": None if found.scopes is None else list(found.scopes),
        "patterns": [f"%{like_literal(word)}%" for word in found.text.lower().split()],
        "department": found.department,
    }
    return _prices(connection.execute(_SAID.execution_options(yield_per=5000), parameters))


def draft_prices(connection: Connection) -> Iterator[PriceRow]:
    """All dated prices of each item and scope with a draft, by scope, item and instant."""
    return _prices(connection.execute(_DRAFT_PRICES.execution_options(yield_per=5000)))


def scope_prices(connection: Connection, scope: str) -> Iterator[PriceRow]:
    """All dated prices of one scope, by item and instant."""
    statement = _SCOPE_PRICES.execution_options(yield_per=5000)
    return _prices(connection.execute(statement, {"scope": scope}))


def draft_sample(connection: Connection) -> list[dict[str, Any]]:
    """The newest drafts with the price that they replace: by item, newest first, then by store."""
    found = connection.execute(_DRAFT_SAMPLE, {"most": SAMPLE_MAX}).mappings()
    return [dict(row) for row in found]


def take_drafts(connection: Connection, release_id: int) -> None:
    """Let every draft belong to a release."""
    connection.execute(_TAKE, {"release_id": release_id})


def give_drafts_back(connection: Connection, release_id: int) -> None:
    """Let the drafts of a release wait again."""
    connection.execute(_GIVE_BACK, {"release_id": release_id})


def mark_published(connection: Connection, release_id: int, rev: int) -> None:
    """Note that what a release took went out with a revision."""
    connection.execute(_MARK, {"release_id": release_id, "rev": rev})


def _prices(rows: Iterable[Sequence[Any]]) -> Iterator[PriceRow]:
    return map(PriceRow._make, rows)


def _array(scopes: Sequence[str] | None) -> list[str] | None:
    return None if scopes is None else list(scopes)
