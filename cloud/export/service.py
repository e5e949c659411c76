"""An export of some business dates, as pieces of text that never are all in memory at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from cloud.db import Database
from cloud.export import store
from shared.export.entry import ExportedEntry, ExportedStore, read_entry
from shared.export.poslog import document_end, document_start, transaction
from shared.export.rows import end_line, json_lines
from shared.journal.event import SaleCompleted
from shared.kernel.errors import RefusedError

DAYS_MAX = 3_660
PIECE_CHARS = 1 << 15
"""Pieces are gathered to about this size: each costs a step of the web server."""


@dataclass(frozen=True, slots=True)
class ExportScope:
    """Which business dates (both included) of which stores; no stores means all of them."""

    from_on: date
    to_on: date
    store_ids: tuple[str, ...] = ()


Watch = Callable[[int, int], None]
"""Told how many sales are done and how many there are."""


def poslog(database: Database, scope: ExportScope, watch: Watch | None = None) -> Iterator[str]:
    """A POSLog document; raises as `checked` before its first piece."""
    with database.begin() as connection:
        stores = checked(connection, scope)
        yield document_start()
        transactions = 0
        for entry in _entries(connection, scope, stores, watch):
            piece = transaction(entry)
            transactions += piece != ""
            yield piece
        yield document_end(transactions)


def json_rows(database: Database, scope: ExportScope, watch: Watch | None = None) -> Iterator[str]:
    """Rows as JSON lines; raises as `checked` before its first piece."""
    with database.begin() as connection:
        stores = checked(connection, scope)
        rows = entries = 0
        for entry in _entries(connection, scope, stores, watch):
            entries += 1
            for line in json_lines(entry):
                rows += 1
                yield line
        yield end_line(rows, entries)


def in_pieces(texts: Iterator[str]) -> Iterator[bytes]:
    """The same text as UTF-8 in larger pieces."""
    gathered: list[str] = []
    size = 0
    for each in texts:
        gathered.append(each)
        size += len(each)
        if size >= PIECE_CHARS:
            yield "".join(gathered).encode()
            gathered, size = [], 0
    yield "".join(gathered).encode()


def checked(connection: Connection, scope: ExportScope) -> list[str]:
    """The ids of the stores to export.

    Raises RefusedError `export.dates` for dates in the wrong order or too far apart, and
    `store.unknown`.
    """
    days = (scope.to_on - scope.from_on).days
    if not 0 <= days <= DAYS_MAX:
        raise RefusedError("export.dates", days=DAYS_MAX)
    known = store.exported_stores(connection)
    for store_id in scope.store_ids:
        if store_id not in known:
            raise RefusedError("store.unknown", store_id=store_id[:40])
    return sorted(set(scope.store_ids) or known)


def _entries(
    connection: Connection, scope: ExportScope, store_ids: Collection[str], watch: Watch | None
) -> Iterator[ExportedEntry]:
    places = store.exported_stores(connection)
    total = 0
    if watch is not None:
        total = store.count_sales(connection, scope.from_on, scope.to_on, store_ids)
    done = 0
    for store_id in store_ids:
        for entry in _entries_of(connection, scope, places[store_id]):
            yield entry
            if watch is not None and isinstance(entry.event, SaleCompleted):
                done += 1
                watch(min(done, total), total)


def _entries_of(
    connection: Connection, scope: ExportScope, place: ExportedStore
) -> Iterator[ExportedEntry]:
    first, last = scope.from_on.isoformat(), scope.to_on.isoformat()
    found = store.spans(connection, place.id, scope.from_on, scope.to_on)
    for stored in store.entries(connection, place.id, found):
        entry = read_entry(place, stored)
        if first <= entry.day <= last:
            yield entry
    beside = [
        entry
        for stored in store.branch_entries(connection, place.id)
        if first <= (entry := read_entry(place, stored)).day <= last
    ]
    told = store.told_ids(connection, place.id, found, [entry.id for entry in beside])
    for entry in beside:
        if entry.id not in told:
            told.add(entry.id)
            yield entry
