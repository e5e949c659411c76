"""Commands and questions of the catalogue."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from operator import attrgetter
from typing import IO, Any

from sqlalchemy import Connection

from cloud.csv_table import RowErrors
from cloud.db import Database
from cloud.item import import_store, store
from cloud.item.master import MasterItem
from cloud.item.store import CatalogueQuery
from cloud.item.table import COLUMNS, EFFECTIVE_FROM, ItemTable, read_items, rows_of
from cloud.records import CHAIN, ScopedRecord, TableDrafts
from cloud.table_import import Author, begin_difference, difference
from shared.item.item import Item, ItemChange
from shared.item.pack_code import parse_pack_code
from shared.kernel.errors import MissingError
from shared.kernel.gtin import parse_gtin
from shared.kernel.quantity import ONE_MILLI
from shared.publication.revision import Record, RecordKind

_PUBLISHED = tuple(field.name for field in fields(Item))
_published_of = attrgetter(*_PUBLISHED)
_SILENT: dict[str, object] = {
    field.name: field.default
    for field in fields(Item)
    if field.name
    in {
        *("tags", "tax_bp", "is_promotable", "floor_minor", "uom"),
        *("codes", "age_limit", "tax_class", "later", "image"),
    }
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


def import_items(database: Database, stream: IO[bytes], author: Author) -> Imported:
    """Take over a whole table, or nothing of it; ImportRefusedError names every bad cell."""
    with database.begin() as connection:
        table = _stage(connection, stream, author.at_ms, shows_new=False)
        import_store.write(connection, table.fields, author)
        found = difference(connection)
    rows = len(table.rows) + len(table.dated)
    return Imported(rows, found.created, found.updated, rows - found.created - found.updated)


class ItemImporter:
    """The catalogue's table in two steps; see `cloud.table_import.TableImporter`."""

    def __init__(self) -> None:
        self._table: ItemTable | None = None

    def stage(self, connection: Connection, stream: IO[bytes], at_ms: int) -> int:
        """Check the table and tell what it would change."""
        table = self._table = _stage(connection, stream, at_ms, shows_new=True)
        return len(table.rows) + len(table.dated)

    def write(self, connection: Connection, author: Author) -> None:
        """Write what was staged."""
        assert self._table is not None
        import_store.write(connection, self._table.fields, author)


def _stage(connection: Connection, stream: IO[bytes], at_ms: int, *, shows_new: bool) -> ItemTable:
    errors = RowErrors()
    table = read_items(stream, errors)
    import_store.stage(connection, table.rows)
    import_store.stage_dated(connection, table.dated)
    for line, plu, gtin in import_store.taken_plus(connection):
        errors.add(line, "plu", "item.plu_taken", value=plu, gtin=gtin)
    _check_codes(connection, table, errors)
    local = import_store.now_local(connection, at_ms)
    for line, row in table.dated:
        if row.change.from_local <= local:
            errors.add(line, EFFECTIVE_FROM, "item.dated_past", value=row.change.from_local)
    errors.raise_if_any()
    import_store.settle(connection, local)
    begin_difference(connection)
    import_store.compare(connection, table.fields, shows_new=shows_new)
    return table


def _check_codes(connection: Connection, table: ItemTable, errors: RowErrors) -> None:
    """Every code names one item."""
    for line, code, gtin in import_store.taken_codes(connection):
        errors.add(line, "codes", "item.code_taken", value=code, gtin=gtin)
    for line, code in import_store.codes_of_items(connection):
        errors.add(line, "codes", "item.code_is_item", value=code)
    for line, code, gtin in import_store.items_of_codes(connection, table.fields):
        errors.add(line, "ean13", "item.code_taken", value=code, gtin=gtin)
    for line, gtin in import_store.unknown_items(connection):
        errors.add(line, "ean13", "item.unknown", gtin=gtin)


def catalogue(database: Database, query: CatalogueQuery, at_ms: int) -> CataloguePage:
    """One page of what matches, and how much matches in all."""
    with database.begin() as connection:
        local = import_store.now_local(connection, at_ms)
        return CataloguePage(
            [_shown(row, local) for row in store.page(connection, query, at_ms)],
            store.count(connection, query),
            query.page,
            query.size,
        )


def departments(database: Database) -> list[str]:
    """Every department that has an item."""
    with database.begin() as connection:
        return store.departments(connection)


def export(database: Database, query: CatalogueQuery, at_ms: int) -> Iterator[MasterItem]:
    """Every item that matches, by GTIN, as it is now; read while it is consumed."""
    with database.begin() as connection:
        local = import_store.now_local(connection, at_ms)
        for item in store.matching(connection, query):
            yield item.settled(local)


@dataclass(frozen=True, slots=True)
class BulkEdit:
    """Which fields of many items get which values; tags are added and taken away."""

    values: Mapping[str, str | int | bool]
    add_tags: frozenset[str] = frozenset()
    drop_tags: frozenset[str] = frozenset()

    def applied(self, item: MasterItem) -> MasterItem:
        """The item with its new values."""
        tags = tuple(sorted({*item.tags, *self.add_tags} - self.drop_tags))
        return replace(item, tags=tags, **self.values)  # type: ignore[arg-type]


def bulk_items(
    database: Database, query: CatalogueQuery, edit: BulkEdit, at_ms: int
) -> Iterator[MasterItem]:
    """The items that would change, as they would be then; nothing is written."""
    for item in export(database, query, at_ms):
        changed = edit.applied(item)
        if changed != item:
            yield changed


def set_picture(database: Database, gtin: str, image: str, author: Author) -> Imported:
    """Give an item a picture ("" takes it away), as its row of a table would.

    Raises MissingError `item.unknown`, RefusedError `barcode.*`, ImportRefusedError `item.image`.
    """
    wanted = parse_gtin(gtin)
    query = CatalogueQuery(wanted)
    edit = BulkEdit({"image": image})
    found = [each for each in export(database, query, author.at_ms) if each.gtin == wanted]
    if not found:
        raise MissingError("item.unknown", gtin=wanted)
    table = io.StringIO()
    csv.writer(table).writerows([COLUMNS, *rows_of(edit.applied(found[0]))])
    return import_items(database, io.BytesIO(table.getvalue().encode()), author)


def history(database: Database, gtin: str) -> list[dict[str, Any]]:
    """Who changed an item, when, why and from what to what; RefusedError `barcode.*`."""
    with database.begin() as connection:
        return store.history(connection, parse_gtin(gtin))


def _shown(row: dict[str, Any], local: str) -> dict[str, Any]:
    """A row of the catalogue as it is now, with its codes in parts and what is yet to come."""
    later = [ItemChange(*change) for change in row["later"] or ()]
    for change in later:
        if change.from_local <= local:
            row |= change.changed
    codes = map(parse_pack_code, row["codes"])
    return row | {
        "codes": [
            {"code": code.gtin, "units": code.qty_milli // ONE_MILLI, "uom": code.uom}
            for code in codes
        ],
        "later": [asdict(change) for change in later if change.from_local > local],
    }


class ItemRecords(TableDrafts):
    """The catalogue as records; see `cloud.records.RecordSource`."""

    name, draft_table, draft_column = "item", "item_draft", "gtin"

    def drafts(self, connection: Connection) -> Iterator[ScopedRecord]:
        """Items that changed."""
        for item in store.drafts(connection):
            yield ScopedRecord(CHAIN, record_of(item))


def record_of(item: MasterItem) -> Record:
    """An item as it is published.

    What offers ask is left out where it says nothing: so a record means the same as before it
    could be said, and keeps its bytes.
    """
    # asdict costs ten times as much
    body: dict[str, Any] = dict(zip(_PUBLISHED, _published_of(item.sold()), strict=True))
    for name, silent in _SILENT.items():
        if body[name] == silent:
            del body[name]
    if "tags" in body:
        body["tags"] = list(body["tags"])
    if "codes" in body:
        body["codes"] = [code.raw for code in item.codes]
    if "later" in body:
        body["later"] = [[change.from_local, change.changed] for change in item.later]
    return Record(RecordKind.ITEM, item.gtin, body)
