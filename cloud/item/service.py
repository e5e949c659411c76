"""Commands and questions of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import IO, Any

from sqlalchemy import Connection

from cloud.csv_table import RowErrors
from cloud.db import Database
from cloud.item import store
from cloud.item.master import MasterItem
from cloud.item.store import CatalogueQuery
from cloud.item.table import read_items
from cloud.records import CHAIN, ScopedRecord
from shared.item.item import Item
from shared.publication.revision import Record, RecordKind

_SILENT: dict[str, object] = {
    field.name: field.default
    for field in fields(Item)
    if field.name in {"tags", "tax_bp", "is_promotable", "floor_minor", "uom"}
}


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a table's rows."""

    rows: int
    created: int
    updated: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class CataloguePage:
    """One page of the catalogue."""

    items: list[dict[str, Any]]
    total: int
    page: int
    size: int


def import_items(database: Database, stream: IO[bytes]) -> Imported:
    """Take over a whole table, or nothing of it; ImportRefusedError names every bad cell."""
    errors = RowErrors()
    table = read_items(stream, errors)
    rows = table.rows
    with database.begin() as connection:
        store.stage(connection, rows)
        for line, plu, gtin in store.taken_plus(connection):
            errors.add(line, "plu", "item.plu_taken", value=plu, gtin=gtin)
        errors.raise_if_any()
        created, updated = store.upsert_staged(connection, table.fields)
    return Imported(len(rows), created, updated, len(rows) - created - updated)


def catalogue(database: Database, query: CatalogueQuery, at_ms: int) -> CataloguePage:
    """One page of what matches, and how much matches in all."""
    with database.begin() as connection:
        return CataloguePage(
            store.page(connection, query, at_ms),
            store.count(connection, query),
            query.page,
            query.size,
        )


def departments(database: Database) -> list[str]:
    """Every department that has an item."""
    with database.begin() as connection:
        return store.departments(connection)


def export(database: Database) -> Iterator[MasterItem]:
    """Every item by GTIN, read while it is consumed."""
    with database.begin() as connection:
        yield from store.items(connection)


class ItemRecords:
    """The catalogue as records; see `cloud.records.RecordSource`."""

    def drafts(self, connection: Connection) -> Iterator[ScopedRecord]:
        """Items that changed."""
        for item in store.drafts(connection):
            yield ScopedRecord(CHAIN, record_of(item))

    def chain_records(self, connection: Connection) -> Iterator[Record]:
        """Every item."""
        return map(record_of, store.items(connection))

    def zone_records(self, connection: Connection, zone: str) -> Iterator[Record]:
        """Every store has the same items."""
        del connection, zone
        return iter(())

    def mark_published(self, connection: Connection, rev: int) -> None:
        """See RecordSource."""
        del rev
        store.drop_drafts(connection)


def record_of(item: MasterItem) -> Record:
    """An item as it is published.

    What offers ask is left out where it says nothing: so a record means the same as before it
    could be said, and keeps its bytes.
    """
    body = asdict(item.sold())
    for name, silent in _SILENT.items():
        if body[name] == silent:
            del body[name]
    if "tags" in body:
        body["tags"] = list(body["tags"])
    return Record(RecordKind.ITEM, item.gtin, body)
