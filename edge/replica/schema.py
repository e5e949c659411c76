"""Tables of the replica.

`replica.db` only points: which revisions are stored, staged and active, in which catalogue file,
and what head office desires. Each catalogue file `catalog-{rev}-{n}.db` begins with a snapshot
and takes the deltas after it. Rows are versioned: a row is part of every revision in
[rev_from, rev_to), so that an open basket keeps reading the revision that it pinned.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import orjson

from shared.kernel.errors import RefusedError
from shared.price.document import parse_offer
from shared.price.document_error import DocumentRefusedError
from shared.price.levels import level_prices, parse_record_key
from shared.publication.revision import RecordKind

_PRICE_PARTS = 3
OPEN_REV = 2**53 - 1
"""`rev_to` of a row that no later revision has replaced."""

POINTER_MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE pointer(
        name TEXT PRIMARY KEY CHECK (name IN ('stored', 'active')),
        rev INTEGER NOT NULL, inc TEXT NOT NULL, manifest_sha256 TEXT NOT NULL,
        file TEXT NOT NULL, at_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE price_change(
        n INTEGER PRIMARY KEY, revision INTEGER NOT NULL, at_ms INTEGER NOT NULL,
        gtin TEXT NOT NULL, name TEXT NOT NULL, old_minor INTEGER, new_minor INTEGER,
        member_minor INTEGER
    ) STRICT
    """,
    """
    CREATE TABLE staged(
        rev INTEGER NOT NULL, inc TEXT NOT NULL, manifest_sha256 TEXT NOT NULL,
        file TEXT NOT NULL, at_ms INTEGER NOT NULL, not_before_ms INTEGER NOT NULL,
        PRIMARY KEY (rev, inc)
    ) STRICT, WITHOUT ROWID;
    INSERT OR IGNORE INTO staged
        SELECT rev, inc, manifest_sha256, file, at_ms, 0 FROM pointer WHERE rev > 0;
    CREATE TABLE desired(n INTEGER PRIMARY KEY CHECK (n = 1), doc BLOB NOT NULL) STRICT
    """,
)


@dataclass(frozen=True, slots=True)
class RecordTable:
    """How the records of one kind lie in a catalogue file; the first column is the key."""

    name: str
    columns: dict[str, type]
    not_null: frozenset[str]
    indexes: tuple[tuple[str, ...], ...]

    @property
    def key(self) -> str:
        """The column that names a record."""
        return next(iter(self.columns))

    # Every name below is a constant of this module; values go in as parameters.

    @property
    def insert_sql(self) -> str:
        """Adds a row: the columns in their order."""
        marks = ",".join("?" * len(self.columns))
        names = ",".join(self.columns)
        return f"INSERT INTO {self.name}({names}) VALUES({marks})"

    @property
    def live_sql(self) -> str:
        """Finds rowid and hash of a key's row that no later revision has replaced."""
        return f"SELECT rowid, hash FROM {self.name} WHERE {self.key}=? AND rev_to={OPEN_REV}"  # noqa: S608 - constants

    @property
    def close_sql(self) -> str:
        """Ends the row with a given rowid before a given revision."""
        return f"UPDATE {self.name} SET rev_to=? WHERE rowid=?"  # noqa: S608 - constants

    @property
    def prune_sql(self) -> str:
        """Drops the rows that ended at or before a given revision."""
        return f"DELETE FROM {self.name} WHERE rev_to<=?"  # noqa: S608 - constants


_VERSION_COLUMNS: dict[str, type] = {"rev_from": int, "rev_to": int, "hash": bytes}

OTHER = "*"
"""Stands for every kind of record that has no table of its own."""

TABLES: dict[str, RecordTable] = {
    RecordKind.ITEM: RecordTable(
        "item",
        {
            "gtin": str,
            "name": str,
            "department": str,
            "category": str,
            "brand": str,
            "package_size": str,
            "is_weighed": int,
            "plu": str,
            "tags": str,
            "tax_bp": int,
            "is_promotable": int,
            "floor_minor": int,
            "uom": str,
            "codes": str,
            "age_limit": int,
            "tax_class": str,
            "later": str,
            "image": str,
            **_VERSION_COLUMNS,
        },
        frozenset({"gtin", "name", "is_weighed", "rev_from", "rev_to", "hash"}),
        (("gtin", "rev_from"), ("plu", "rev_from"), ("codes", "rev_from")),
    ),
    RecordKind.PRICE: RecordTable(
        "price",
        {"gtin": str, "prices": str, **_VERSION_COLUMNS},
        frozenset({"gtin", "prices", "rev_from", "rev_to", "hash"}),
        (("gtin", "rev_from"), ("rev_from",)),
    ),
    RecordKind.STAFF: RecordTable(
        "staff",
        {
            "operator": str,
            "name": str,
            "role": str,
            "pin_hash": str,
            "permissions": str,
            "valid_from": str,
            "valid_to": str,
            "pin_day": str,
            "is_first_pin": int,
            "badge": str,
            **_VERSION_COLUMNS,
        },
        frozenset({"operator", "name", "role", "pin_hash", "rev_from", "rev_to", "hash"}),
        (("operator", "rev_from"),),
    ),
    RecordKind.OFFER: RecordTable(
        "offer",
        {"id": str, "body": str, **_VERSION_COLUMNS},
        frozenset({"id", "body", "rev_from", "rev_to", "hash"}),
        (("id", "rev_from"), ("rev_from",)),
    ),
    # `id` is kind and key. What newer software of head office publishes is kept and counted.
    OTHER: RecordTable(
        "other",
        {"id": str, "kind": str, "key": str, "body": str, **_VERSION_COLUMNS},
        frozenset({"id", "kind", "key", "body", "rev_from", "rev_to", "hash"}),
        (("id", "rev_from"),),
    ),
}


def item_row(key: str, body: dict[str, Any]) -> tuple[Any, ...]:
    """Values of the item table, without the version columns."""
    get = body.get
    return (
        key,
        body["name"],
        get("department", ""),
        get("category", ""),
        get("brand", ""),
        get("package_size", ""),
        int(get("is_weighed", False)),
        get("plu"),
        orjson.dumps(get("tags", [])).decode(),
        get("tax_bp", 0),
        int(get("is_promotable", True)),
        get("floor_minor", 0),
        get("uom", ""),
        _listed(body, "codes"),
        get("age_limit", 0),
        get("tax_class", ""),
        _listed(body, "later"),
        get("image", ""),
    )


def _listed(body: dict[str, Any], name: str) -> str | None:
    """A list as JSON; NULL where there is none, so that few rows stand in an index of it."""
    return orjson.dumps(body[name]).decode() if body.get(name) else None


def price_row(key: str, body: dict[str, Any]) -> tuple[Any, ...]:
    """Values of the price table, without the version columns.

    RefusedError `publication.price` for a price that no till could read.
    """
    prices = body["prices"]
    if "/" in key or not _is_plain(prices):
        parse_record_key(key)
        level_prices(prices, UTC)
    return key, orjson.dumps(prices).decode()


def _is_plain(prices: list[list[Any]]) -> bool:
    """Whether these are instants with prices, as nearly all are: read at once, in great numbers."""
    return all(
        len(row) == _PRICE_PARTS and type(row[0]) is int and type(row[1]) is int for row in prices
    )


def staff_row(key: str, body: dict[str, Any]) -> tuple[Any, ...]:
    """Values of the staff table, without the version columns."""
    permissions = orjson.dumps(body.get("permissions", [])).decode()
    dates = body.get("valid_from", ""), body.get("valid_to", "")
    badge = orjson.dumps(body["badge"]).decode() if body.get("badge") else None
    pin = body.get("pin_day", ""), int(body.get("is_first_pin", False)), badge
    return key, body["name"], body["role"], body["pin_hash"], permissions, *dates, *pin


def offer_row(key: str, body: dict[str, Any]) -> tuple[Any, ...]:
    """Values of the offer table, without the version columns.

    RefusedError `publication.offer` when the till could not act on it: better the whole revision
    is refused, and head office sees it, than that a shop sells without one of its offers.
    """
    try:
        offer = parse_offer(body)
    except DocumentRefusedError as refused:
        first = refused.errors[0]
        raise RefusedError(
            "publication.offer", offer=key, field=first.path, because=first.code
        ) from None
    if offer.id != key:
        raise RefusedError("publication.offer", offer=key, field="id", because="offer.id")
    return key, orjson.dumps(body).decode()


def other_row(kind: str, key: str, body: dict[str, Any]) -> tuple[Any, ...]:
    """Values of the table for all other kinds, without the version columns."""
    return other_id(kind, key), kind, key, orjson.dumps(body).decode()


def other_id(kind: str, key: str) -> str:
    """What names a record of a kind that has no table of its own."""
    return f"{kind}/{key}"


def table_of(kind: str) -> RecordTable:
    """The table in which the records of a kind lie."""
    return TABLES.get(kind) or TABLES[OTHER]


def stored_key(kind: str, key: str) -> str:
    """What a record is found by in its table."""
    return key if kind in TABLES else other_id(kind, key)


def row_of(kind: str, key: str, body: dict[str, Any]) -> tuple[Any, ...]:
    """Values of a record's row, without the version columns; RefusedError for what is unusable."""
    known = _ROW_OF.get(kind)
    return other_row(kind, key, body) if known is None else known(key, body)


_ROW_OF: dict[str, Callable[[str, dict[str, Any]], tuple[Any, ...]]] = {
    RecordKind.ITEM: item_row,
    RecordKind.PRICE: price_row,
    RecordKind.STAFF: staff_row,
    RecordKind.OFFER: offer_row,
}
