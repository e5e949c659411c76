"""Commands and questions of prices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import IO, Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from cloud.csv_table import RowErrors
from cloud.db import Database
from cloud.price import store
from cloud.price.bulk import BulkChange, changed_rows
from cloud.price.store import PriceFilter
from cloud.price.table import (
    Moment,
    Places,
    PriceRow,
    absurd,
    check_amounts,
    check_period,
    read_prices,
)
from cloud.records import CHAIN, ScopedRecord, level_of, zone_of
from cloud.table_import import Author
from shared.kernel.errors import MissingError
from shared.kernel.gtin import parse_gtin
from shared.price.levels import record_key
from shared.price.price_book import DatedPrice
from shared.publication.revision import Record, RecordKind

LARGE_MOVE_PERCENT = 90
_PLACE = attrgetter("scope", "gtin")


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a table's rows; `updated` ones correct an earlier row of that instant."""

    rows: int
    created: int
    updated: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class ChangePrice:
    """One item's price in some places from a time on.

    `places` are stores, "zone:<id>" or "chain"; None means each store for itself. `start` and
    `until` are as in a table ("" is now, or no end); `regular_minor` None lets the place say
    nothing any more, so that the zone's or the chain's price counts there.
    """

    gtin: str
    places: tuple[str, ...] | None
    regular_minor: int | None
    member_minor: int | None
    from_at_ms: int | None = None
    start: str = ""
    until: str = ""
    is_large_confirmed: bool = False


@dataclass(frozen=True, slots=True)
class BulkEdit:
    """Which prices change how, from a time on ("": now); `places` as in `ChangePrice`."""

    change: BulkChange
    text: str = ""
    department: str = ""
    places: tuple[str, ...] | None = None
    start: str = ""


def import_prices(database: Database, stream: IO[bytes], author: Author) -> Imported:
    """Take over a whole table, or nothing of it; ImportRefusedError names every bad cell."""
    errors = RowErrors()
    with database.begin() as connection:
        places = places_of(connection)
        rows = read_prices(stream, places, errors)
        store.stage(connection, rows)
        for line, gtin in store.unknown_items(connection):
            errors.add(line, "ean13", "item.unknown", gtin=gtin)
        errors.raise_if_any()
        created, updated = store.append_staged(connection, author)
    return Imported(len(rows), created, updated, len(rows) - created - updated)


def change_price(database: Database, command: ChangePrice, author: Author) -> int:
    """Add one dated row per place whose price would change; returns how many.

    Raises RefusedError `barcode.*`, `price.*`, `import.time*`, `store.unknown` or `zone.unknown`,
    MissingError `item.unknown`.
    """
    gtin = parse_gtin(command.gtin)
    if command.regular_minor is not None:
        check_amounts(command.regular_minor, command.member_minor)
    with database.begin() as connection:
        if not store.has_item(connection, gtin):
            raise MissingError("item.unknown", gtin=gtin)
        rows = [row for row in _rows(connection, gtin, command, author) if row is not None]
        store.stage(connection, enumerate(rows))
        return sum(store.append_staged(connection, author))


def _rows(
    connection: Connection, gtin: str, command: ChangePrice, author: Author
) -> Iterator[PriceRow | None]:
    places = places_of(connection)
    cells = list(places.stores) if command.places is None else sorted(set(command.places))
    scopes = [places.scope_of(cell) for cell in cells]
    at_ms = author.at_ms if command.from_at_ms is None else command.from_at_ms
    before = store.in_force(connection, gtin, scopes, at_ms)
    for scope in scopes:
        begin = places.moment(command.start, scope) if command.start else Moment(at_ms)
        end = places.moment(command.until, scope) if command.until else None
        check_period(begin, end)
        member = None if command.regular_minor is None else command.member_minor
        row = PriceRow(scope, gtin, begin.at_ms, command.regular_minor, member, begin.local)
        if end is not None:
            row = row._replace(to_at_ms=end.at_ms, to_local=end.local)
        if not command.is_large_confirmed:
            _check_move(before.get(scope), row)
        is_plain = end is None and begin.local is None
        yield row if not is_plain or _differs(before.get(scope), row) else None


def history(database: Database, gtin: str, store_id: str) -> list[dict[str, Any]]:
    """An item's price rows, the newest first; of one store with its zone's and the chain's."""
    with database.begin() as connection:
        return store.history(connection, parse_gtin(gtin), store.scopes_of(connection, store_id))


def export(database: Database, store_id: str) -> Iterator[PriceRow]:
    """Every dated price that counts, read while it is consumed."""
    with database.begin() as connection:
        yield from store.export(connection, [zone_of(store_id)] if store_id else None)


def bulk_rows(database: Database, asked: BulkEdit, at_ms: int) -> Iterator[PriceRow]:
    """The rows of a table that would change many prices; nothing is written.

    `at_ms` is now (UTC): what is charged at the start is what changes. Raises RefusedError
    `store.unknown`, `zone.unknown` or `import.time*`.
    """
    with database.begin() as connection:
        places = places_of(connection)
        cells = asked.places
        scopes = None if cells is None else tuple(map(places.scope_of, sorted(set(cells))))
        begin = places.moment(asked.start, CHAIN) if asked.start else Moment(at_ms)
        found = PriceFilter(asked.text, asked.department, scopes)
        for row in changed_rows(store.said_at(connection, found, begin.at_ms), asked.change):
            start = places.moment(asked.start, row.scope) if asked.start else begin
            yield row._replace(from_at_ms=start.at_ms, from_local=start.local)


def places_of(connection: Connection) -> Places:
    """Who may have prices."""
    zones = {store_id: ZoneInfo(name) for store_id, name in store.time_zones(connection).items()}
    return Places(zones, store.zone_ids(connection))


class PriceRecords:
    """Prices as records; see `cloud.records.RecordSource`."""

    name = "price"

    def drafts(self, connection: Connection) -> Iterator[ScopedRecord]:
        """All dated prices of each item and scope with a draft."""
        for (scope, _), dated in groupby(store.draft_prices(connection), key=_PLACE):
            yield ScopedRecord(scope, _record_of(list(dated)))

    def take(self, connection: Connection, release_id: int) -> None:
        """See RecordSource."""
        store.take_drafts(connection, release_id)

    def give_back(self, connection: Connection, release_id: int) -> None:
        """See RecordSource."""
        store.give_drafts_back(connection, release_id)

    def mark_published(self, connection: Connection, release_id: int, rev: int) -> None:
        """See RecordSource."""
        store.mark_published(connection, release_id, rev)


def _record_of(dated: Sequence[PriceRow]) -> Record:
    key = record_key(dated[0].gtin, level_of(dated[0].scope))
    return Record(RecordKind.PRICE, key, {"prices": list(map(_period_of, dated))})


def _period_of(row: PriceRow) -> list[int | str | None]:
    start = row.from_at_ms if row.from_local is None else row.from_local
    end = row.to_at_ms if row.to_local is None else row.to_local
    said: list[int | str | None] = [start, row.regular_minor, row.member_minor]
    return said if end is None else [*said, end]


def _differs(before: DatedPrice | None, wanted: PriceRow) -> bool:
    if before is None:
        return wanted.regular_minor is not None
    amounts = (before.regular_minor, before.member_minor)
    return amounts != (wanted.regular_minor, wanted.member_minor)


def _check_move(before: DatedPrice | None, wanted: PriceRow) -> None:
    """Ask for a confirmation where either price moves by 90 % or more."""
    if before is None or wanted.regular_minor is None:
        return
    moves = (
        (before.regular_minor, wanted.regular_minor),
        (_member(before), _member(wanted)),
    )
    for old, new in moves:
        margin = old * LARGE_MOVE_PERCENT // 100
        if abs(new - old) * 100 >= LARGE_MOVE_PERCENT * old and new != old:
            raise absurd(new, old - margin, old + margin, can_confirm=True)


def _member(price: DatedPrice | PriceRow) -> int:
    member = price.regular_minor if price.member_minor is None else price.member_minor
    assert member is not None
    return member
