"""SQL of the catalogue.

Reads prices (by `price_in_force`) and `price_draft` beside its own tables: a buyer wants to see
them together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, TextClause, text

from cloud.db import like_literal
from cloud.item.master import MasterItem
from shared.item.item import ItemChange
from shared.item.pack_code import parse_pack_code
from shared.kernel.gtin import Gtin, canonical_gtin

FIELDS = (
    "gtin", "name", "department", "category", "brand", "package_size", "is_weighed", "plu",
    "tags", "tax_bp", "is_promotable", "min_price_minor", "min_margin_bp", "cost_minor", "uom",
    "codes", "age_limit", "shelf_life_days", "tax_class", "image",
)  # fmt: skip
NAMES = ", ".join(FIELDS)
HISTORY_MAX = 500
CODE_DIGITS_MIN = 8
"""Shorter numbers are looked for in names and own codes only."""

_HISTORY = text("""
    SELECT is_new, changes, from_local, changed_by, changed_at_ms, reason FROM item_history
    WHERE gtin = :gtin ORDER BY id DESC LIMIT :most""")
_LATER = """
    SELECT gtin, jsonb_agg(jsonb_build_array(from_local, name, tax_class, tax_bp)
                           ORDER BY from_local) AS later
    FROM item_dated GROUP BY gtin"""


@dataclass(frozen=True, slots=True)
class CatalogueQuery:
    """What a buyer looks for. `text` words must all occur; `page` counts from 1."""

    text: str = ""
    department: str = ""
    store_id: str = ""
    page: int = 1
    size: int = 50


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
    yield from _items(connection, "JOIN item_draft draft ON draft.gtin = item.gtin")


def items(connection: Connection) -> Iterator[MasterItem]:
    """Every item, by GTIN."""
    yield from _items(connection, "ORDER BY item.gtin")


def history(connection: Connection, gtin: str) -> list[dict[str, Any]]:
    """Who changed an item, when, why and from what to what, the newest first."""
    found = connection.execute(_HISTORY, {"gtin": gtin, "most": HISTORY_MAX})
    return [dict(row) for row in found.mappings()]


def find(connection: Connection, gtin: str) -> MasterItem | None:
    """The item with that code of its own."""
    return next(_items(connection, "WHERE item.gtin = :gtin", {"gtin": gtin}), None)


def matching(connection: Connection, query: CatalogueQuery) -> Iterator[MasterItem]:
    """Every item that matches, by GTIN; pages do not count."""
    where, parameters = _where(query)
    yield from _items(connection, f"WHERE {where} ORDER BY item.gtin", parameters)


def _items(
    connection: Connection, tail: str, parameters: dict[str, Any] | None = None
) -> Iterator[MasterItem]:
    names = ", ".join(f"item.{name}" for name in FIELDS)
    statement = text(
        f"SELECT {names}, dated.later FROM item"  # noqa: S608 - constants
        f" LEFT JOIN ({_LATER}) dated ON dated.gtin = item.gtin {tail}"
    )
    found = connection.execute(statement.execution_options(yield_per=5000), parameters or {})
    for *row, later in found:
        yield _item(row, later or ())


def _item(row: Sequence[Any], later: Sequence[Sequence[Any]]) -> MasterItem:
    found = dict(zip(FIELDS, row, strict=True))
    found["gtin"] = Gtin(found["gtin"])
    found["tags"] = tuple(found["tags"])
    found["codes"] = tuple(map(parse_pack_code, found["codes"]))
    return MasterItem(**found, later=tuple(ItemChange(*change) for change in later))


def _priced(hits: str, order: str) -> TextClause:
    """Add to each item its price in one store; without a store, in the first that has one."""
    names = ", ".join(f"hit.{name}" for name in FIELDS)
    return text(
        f"SELECT {names}, price.regular_minor, price.member_minor,"  # noqa: S608 - constants
        f" (SELECT later FROM ({_LATER}) dated WHERE dated.gtin = hit.gtin) AS later,"
        " price.from_at_ms AS price_from_at_ms,"
        " (EXISTS (SELECT FROM item_draft draft WHERE draft.gtin = hit.gtin) OR EXISTS"
        "  (SELECT FROM price_draft draft WHERE draft.gtin = hit.gtin)) AS has_draft"
        f" FROM ({hits}) hit"
        " LEFT JOIN LATERAL price_in_force(hit.gtin, :store_id, :at_ms) price ON true"
        f" ORDER BY {order}"
    )


def _where(query: CatalogueQuery) -> tuple[str, dict[str, Any]]:
    conditions, parameters = ["true"], dict[str, Any]()
    for place, word in enumerate(query.text.lower().split()):
        condition = f"search_text LIKE :word{place}"
        if word.isdecimal() and len(word) >= CODE_DIGITS_MIN:
            owners = f"SELECT gtin FROM item_code WHERE code = :code{place}"  # noqa: S608 - a count
            condition = f"({condition} OR item.gtin IN ({owners}))"
            parameters[f"code{place}"] = canonical_gtin(word)
        conditions.append(condition)
        parameters[f"word{place}"] = f"%{like_literal(word)}%"
    if query.department:
        conditions.append("department = :department")
        parameters["department"] = query.department
    return " AND ".join(conditions), parameters
