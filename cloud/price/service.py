"""Commands and questions of prices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import IO, Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from cloud.csv_table import RowErrors
from cloud.db import Database
from cloud.price import store
from cloud.price.store import Author
from cloud.price.table import PriceRow, absurd, check_amounts, read_prices
from cloud.records import ScopedRecord, zone_of
from shared.kernel.errors import MissingError, RefusedError
from shared.kernel.gtin import parse_gtin
from shared.price.price_book import DatedPrice
from shared.publication.revision import Record, RecordKind

LARGE_MOVE_PERCENT = 90


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a table's rows; `updated` ones correct an earlier row of that instant."""

    rows: int
    created: int
    updated: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class ChangePrice:
    """One item's price in some stores (None: all) from an instant on (None: now)."""

    gtin: str
    store_ids: tuple[str, ...] | None
    regular_minor: int
    member_minor: int | None
    from_at_ms: int | None = None
    is_large_confirmed: bool = False


def import_prices(database: Database, stream: IO[bytes], author: Author) -> Imported:
    """Take over a whole table, or nothing of it; ImportRefusedError names every bad cell."""
    errors = RowErrors()
    with database.begin() as connection:
        zones = {
            store_id: ZoneInfo(name) for store_id, name in store.time_zones(connection).items()
        }
        rows = read_prices(stream, zones, errors)
        store.stage(connection, rows)
        for line, gtin in store.unknown_items(connection):
            errors.add(line, "ean13", "item.unknown", gtin=gtin)
        errors.raise_if_any()
        created, updated = store.append_staged(connection, author)
    return Imported(len(rows), created, updated, len(rows) - created - updated)


def change_price(database: Database, command: ChangePrice, author: Author) -> int:
    """Add one dated row per store whose price would change; returns how many.

    Raises RefusedError `barcode.*`, `price.*` or `store.unknown`, MissingError `item.unknown`.
    """
    gtin = parse_gtin(command.gtin)
    check_amounts(command.regular_minor, command.member_minor)
    from_at_ms = author.at_ms if command.from_at_ms is None else command.from_at_ms
    with database.begin() as connection:
        if not store.has_item(connection, gtin):
            raise MissingError("item.unknown", gtin=gtin)
        store_ids = _known_stores(connection, command.store_ids)
        before = store.in_force(connection, gtin, from_at_ms)
        wanted = DatedPrice(from_at_ms, command.regular_minor, command.member_minor)
        changed = [place for place in store_ids if _differs(before.get(place), wanted)]
        if not command.is_large_confirmed:
            for place in changed:
                _check_move(before.get(place), wanted)
        rows = [PriceRow(place, gtin, from_at_ms, *_amounts(wanted)) for place in changed]
        store.stage(connection, enumerate(rows))
        return sum(store.append_staged(connection, author))


def history(database: Database, gtin: str, store_id: str) -> list[dict[str, Any]]:
    """An item's price rows, the newest first."""
    with database.begin() as connection:
        return store.history(connection, parse_gtin(gtin), store_id)


def export(database: Database, store_id: str) -> Iterator[PriceRow]:
    """Every dated price that counts, read while it is consumed."""
    with database.begin() as connection:
        yield from store.export(connection, store_id)


class PriceRecords:
    """Prices as records; see `cloud.records.RecordSource`."""

    def drafts(self, connection: Connection) -> Iterator[ScopedRecord]:
        """All dated prices of each item and store with a draft."""
        by_store = groupby(store.draft_prices(connection), key=lambda row: row.store_id)
        for store_id, rows in by_store:
            for record in records_of(rows):
                yield ScopedRecord(zone_of(store_id), record)

    def chain_records(self, connection: Connection) -> Iterator[Record]:
        """Prices belong to stores."""
        del connection
        return iter(())

    def zone_records(self, connection: Connection, zone: str) -> Iterator[Record]:
        """All dated prices of the stores of a zone."""
        for store_id in store.time_zones(connection):
            if zone_of(store_id) == zone:
                yield from records_of(store.store_prices(connection, store_id))

    def mark_published(self, connection: Connection, rev: int) -> None:
        """See RecordSource."""
        store.mark_published(connection, rev)


def records_of(rows: Iterable[PriceRow]) -> Iterator[Record]:
    """One record per item; rows of one store, by item and ascending instant."""
    for gtin, dated in groupby(rows, key=lambda row: row.gtin):
        prices = [[row.from_at_ms, row.regular_minor, row.member_minor] for row in dated]
        yield Record(RecordKind.PRICE, gtin, {"prices": prices})


def _known_stores(connection: Connection, asked: tuple[str, ...] | None) -> list[str]:
    known = store.time_zones(connection)
    if asked is None:
        return list(known)
    for store_id in asked:
        if store_id not in known:
            raise RefusedError("store.unknown", store_id=store_id[:40])
    return sorted(set(asked))


def _amounts(price: DatedPrice) -> tuple[int, int | None]:
    return price.regular_minor, price.member_minor


def _differs(before: DatedPrice | None, wanted: DatedPrice) -> bool:
    return before is None or _amounts(before) != _amounts(wanted)


def _check_move(before: DatedPrice | None, wanted: DatedPrice) -> None:
    """Ask for a confirmation where either price moves by 90 % or more."""
    if before is None:
        return
    moves = (
        (before.regular_minor, wanted.regular_minor),
        (_member(before), _member(wanted)),
    )
    for old, new in moves:
        margin = old * LARGE_MOVE_PERCENT // 100
        if abs(new - old) * 100 >= LARGE_MOVE_PERCENT * old and new != old:
            raise absurd(new, old - margin, old + margin, can_confirm=True)


def _member(price: DatedPrice) -> int:
    return price.regular_minor if price.member_minor is None else price.member_minor
