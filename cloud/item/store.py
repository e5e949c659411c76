"""SQL of the catalogue.

Reads `item_price` and `price_draft` beside its own tables: a buyer wants to see them together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, TextClause, text

from cloud.db import copy_rows, like_literal
from cloud.item.master import MasterItem
from shared.kernel.gtin import Gtin

FIELDS = (
    "gtin", "name", "department", "category", "brand", "package_size", "is_weighed", "plu",
    "tags", "tax_bp", "is_promotable", "min_price_minor", "min_margin_bp", "cost_minor", "uom",
)  # fmt: skip
_NAMES = ", ".join(FIELDS)

_STAGE = text("""
    CREATE TEMP TABLE incoming_item (
        line integer NOT NULL, gtin text NOT NULL, name text NOT NULL, department text NOT NULL,
        category text NOT NULL, brand text NOT NULL, package_size text NOT NULL,
        is_weighed boolean NOT NULL, plu text, tags text[] NOT NULL, tax_bp integer NOT NULL,
        is_promotable boolean NOT NULL, min_price_minor integer NOT NULL,
        min_margin_bp integer, cost_minor integer, uom text NOT NULL) ON COMMIT DROP""")
# A PLU may move from one item to another within one table.
_PLU_TAKEN = text("""
    SELECT incoming.line, incoming.plu, item.gtin
    FROM incoming_item incoming
    JOIN item ON item.plu = incoming.plu AND item.gtin <> incoming.gtin
    WHERE NOT EXISTS (SELECT FROM incoming_item moved WHERE moved.gtin = item.gtin)
    ORDER BY incoming.line""")


@dataclass(frozen=True, slots=True)
class CatalogueQuery:
    """What a buyer looks for. `text` words must all occur; `page` counts from 1."""

    text: str = ""
    department: str = ""
    store_id: str = ""
    page: int = 1
    size: int = 50


def stage(connection: Connection, rows: Iterable[tuple[int, MasterItem]]) -> None:
    """Put the rows of a table into a temporary one."""
    connection.execute(_STAGE)
    copy_rows(
        connection,
        "incoming_item",
        ("line", *FIELDS),
        ((line, *map(_copied, _values(item))) for line, item in rows),
    )


def taken_plus(connection: Connection) -> list[tuple[int, str, str]]:
    """(line, PLU, GTIN of the other item) of staged rows whose PLU another item keeps."""
    return [(line, plu, gtin) for line, plu, gtin in connection.execute(_PLU_TAKEN)]


def upsert_staged(connection: Connection, fields: Sequence[str] = FIELDS) -> tuple[int, int]:
    """Write the staged rows that differ; returns how many were created and updated.

    Items that exist change in these `fields` only.
    """
    created, updated = connection.execute(_upsert(fields)).one()
    return created, updated


def departments(connection: Connection) -> list[str]:
    """Every department that has an item."""
    found = connection.execute(text("SELECT DISTINCT department FROM item ORDER BY 1"))
    return [name for (name,) in found if name]


def count(connection: Connection, query: CatalogueQuery) -> int:
    """How many items match."""
    where, parameters = _where(query)
    statement = text(f"SELECT count(*) FROM item WHERE {where}")  # noqa: S608 - constants
    return int(connection.execute(statement, parameters).scalar_one())


def page(connection: Connection, query: CatalogueQuery, at_ms: int) -> list[dict[str, Any]]:
    """One page by name, with the price in force at an instant in the asked or the first store."""
    where, parameters = _where(query)
    statement = _priced(
        f"SELECT * FROM item WHERE {where}"  # noqa: S608 - constants
        " ORDER BY name, gtin LIMIT :size OFFSET :skip",
        "hit.name, hit.gtin",
    )
    parameters |= {
        "size": query.size,
        "skip": (query.page - 1) * query.size,
        "store_id": query.store_id,
        "at_ms": at_ms,
    }
    return [dict(row) for row in connection.execute(statement, parameters).mappings()]


def drafts(connection: Connection) -> Iterator[MasterItem]:
    """Items that changed since they were last published."""
    yield from _items(connection, "JOIN item_draft USING (gtin)")


def items(connection: Connection) -> Iterator[MasterItem]:
    """Every item, by GTIN."""
    yield from _items(connection, "ORDER BY gtin")


def drop_drafts(connection: Connection) -> None:
    """Note that every draft went out."""
    connection.execute(text("DELETE FROM item_draft"))


def _items(connection: Connection, tail: str) -> Iterator[MasterItem]:
    statement = text(f"SELECT {_NAMES} FROM item {tail}")  # noqa: S608 - constants
    for row in connection.execute(statement.execution_options(yield_per=5000)):
        yield _item(row)


def _item(row: Sequence[Any]) -> MasterItem:
    found = dict(zip(FIELDS, row, strict=True))
    return MasterItem(**found | {"gtin": Gtin(found["gtin"]), "tags": tuple(found["tags"])})


_values = attrgetter(*FIELDS)


def _copied(value: object) -> object:
    """The driver writes lists as arrays, and tuples as rows."""
    return list(value) if isinstance(value, tuple) else value


def _upsert(fields: Sequence[str]) -> TextClause:
    """Write staged rows.

    A draft that is there already is written again, so that a publication which is just taking
    the older state of the item notices.
    """
    assert set(fields) <= set(FIELDS)
    given = [name for name in fields if name != "gtin"]
    changed = " OR ".join(f"item.{name} IS DISTINCT FROM excluded.{name}" for name in given)
    put = ", ".join(f"{name} = excluded.{name}" for name in given)
    return text(
        f"WITH written AS (INSERT INTO item ({_NAMES})"  # noqa: S608 - constants
        f" SELECT {_NAMES} FROM incoming_item ON CONFLICT (gtin) DO UPDATE SET {put}"
        f" WHERE {changed} RETURNING gtin, xmax = 0 AS is_new),"
        " drafted AS (INSERT INTO item_draft SELECT gtin FROM written"
        "  ON CONFLICT (gtin) DO UPDATE SET gtin = excluded.gtin)"
        " SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) FROM written"
    )


def _priced(hits: str, order: str) -> TextClause:
    """Add to each item its price in one store; without a store, in the first that has one."""
    names = ", ".join(f"hit.{name}" for name in FIELDS)
    return text(
        f"SELECT {names}, price.regular_minor, price.member_minor,"  # noqa: S608 - constants
        " price.from_at_ms AS price_from_at_ms,"
        " (EXISTS (SELECT FROM item_draft draft WHERE draft.gtin = hit.gtin) OR EXISTS"
        "  (SELECT FROM price_draft draft WHERE draft.gtin = hit.gtin)) AS has_draft"
        f" FROM ({hits}) hit LEFT JOIN LATERAL ("
        "  SELECT regular_minor, member_minor, from_at_ms FROM item_price"
        "  WHERE gtin = hit.gtin AND from_at_ms <= :at_ms"
        "   AND (:store_id = '' OR store_id = :store_id)"
        "  ORDER BY store_id, from_at_ms DESC, id DESC LIMIT 1) price ON true"
        f" ORDER BY {order}"
    )


def _where(query: CatalogueQuery) -> tuple[str, dict[str, Any]]:
    conditions, parameters = ["true"], dict[str, Any]()
    for place, word in enumerate(query.text.lower().split()):
        conditions.append(f"search_text LIKE :word{place}")
        parameters[f"word{place}"] = f"%{like_literal(word)}%"
    if query.department:
        conditions.append("department = :department")
        parameters["department"] = query.department
    return " AND ".join(conditions), parameters
