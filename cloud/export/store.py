"""SQL of the export; it only reads.

The journal has no business dates in columns, so the books say where a day lies: from after the
last sale of an earlier date to before the first of a later one, in each stream of the store, and
in any case from the first to the last sale of the dates themselves. What a box salvaged, and what
was flagged, is found by indexes of its own, wherever it lies. The caller drops other dates.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from cloud.db import driver
from shared.export.entry import ExportedStore, StoredEntry
from shared.kernel.money import currency_of

ROWS_AT_ONCE = 200
_STORES = text("SELECT store_id, name, currency, time_zone FROM store ORDER BY store_id")
_SALES = text("""
    SELECT count(*) FROM sale
    WHERE business_date BETWEEN :from_on AND :to_on AND store_id = ANY(:stores)""")
_STREAMS = "SELECT stream_id, head_seq FROM stream WHERE store_id = %s ORDER BY ordinal"
# Where sales of one date, or of a span of dates, stand in each stream.
_REACH = """
SELECT entry.stream_id, min(entry.seq), max(entry.seq)
FROM sale JOIN entry ON entry.store_id = sale.store_id AND entry.at_ms = sale.at_ms
    AND entry.type = 'sale.completed' AND entry.id = sale.entry_id::text
WHERE sale.store_id = %s AND sale.business_date BETWEEN %s AND %s
GROUP BY entry.stream_id"""
_DATE_BEFORE = "SELECT max(business_date) FROM sale WHERE store_id = %s AND business_date < %s"
_DATE_AFTER = "SELECT min(business_date) FROM sale WHERE store_id = %s AND business_date > %s"
_COLUMNS = "e.stream_id, e.seq, e.id, e.type, e.at_ms, e.hash, e.flag, e.body"
# `earlier` are the streams that were told before: an id that stands there is not told again.
_NOT_EARLIER = """
NOT EXISTS (
    SELECT FROM unnest(%(earlier)s::bytea[], %(firsts)s::bigint[], %(lasts)s::bigint[])
        AS told (stream_id, first, last)
    JOIN entry o ON o.stream_id = told.stream_id AND o.seq BETWEEN told.first AND told.last
        AND o.store_id = %(store)s
    WHERE o.id = e.id)
AND NOT EXISTS (
    SELECT FROM entry o
    WHERE o.store_id = %(store)s AND o.type = 'entry.salvaged'
        AND o.stream_id = ANY(%(earlier)s) AND o.id = e.id)"""
_SPAN = f"""
SELECT {_COLUMNS} FROM entry e
WHERE e.store_id = %(store)s AND e.stream_id = %(stream)s
    AND e.seq BETWEEN %(first)s AND %(last)s AND e.type <> 'entry.salvaged'"""  # noqa: S608 - fixed text
_SALVAGED = f"""
SELECT {_COLUMNS} FROM entry e
WHERE e.store_id = %(store)s AND e.type = 'entry.salvaged' AND e.stream_id = %(stream)s"""  # noqa: S608 - fixed text
_FLAGGED = f"""
SELECT {_COLUMNS} FROM entry e
WHERE e.store_id = %(store)s AND e.flag IS NOT NULL AND e.type <> 'entry.salvaged'
    AND e.stream_id = %(stream)s AND e.seq NOT BETWEEN %(first)s AND %(last)s"""  # noqa: S608 - fixed text
_BRANCHES = """
SELECT e.stream_id, e.seq, '', '', 0, e.hash, NULL, e.body FROM branch_entry e
WHERE e.store_id = %(store)s ORDER BY e.stream_id, e.seq, e.hash"""
_TOLD = """
SELECT e.id FROM unnest(%(streams)s::bytea[], %(firsts)s::bigint[], %(lasts)s::bigint[])
    AS told (stream_id, first, last)
JOIN entry e ON e.stream_id = told.stream_id AND e.seq BETWEEN told.first AND told.last
    AND e.store_id = %(store)s
WHERE e.id = ANY(%(ids)s)
UNION SELECT e.id FROM entry e
WHERE e.store_id = %(store)s AND e.type = 'entry.salvaged' AND e.id = ANY(%(ids)s)"""
_cursor_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Span:
    """Entries first..last of one stream; none where last < first."""

    stream_id: bytes
    first: int
    last: int


def exported_stores(connection: Connection) -> dict[str, ExportedStore]:
    """Every store by its id."""
    return {
        store_id: ExportedStore(store_id, name, currency_of(currency), ZoneInfo(zone))
        for store_id, name, currency, zone in connection.execute(_STORES)
    }


def count_sales(
    connection: Connection, from_on: date, to_on: date, store_ids: Collection[str]
) -> int:
    """How many sales the books have of those dates."""
    wanted = {"from_on": from_on, "to_on": to_on, "stores": list(store_ids)}
    return int(connection.execute(_SALES, wanted).scalar_one())


def spans(connection: Connection, store_id: str, from_on: date, to_on: date) -> list[Span]:
    """Where a store's entries of those dates may stand, stream by stream, oldest first."""
    raw = driver(connection)
    own = _reach(connection, store_id, from_on, to_on)
    before = raw.execute(_DATE_BEFORE, (store_id, from_on)).fetchone()
    after = raw.execute(_DATE_AFTER, (store_id, to_on)).fetchone()
    earlier = _reach(connection, store_id, *_day(before))
    later = _reach(connection, store_id, *_day(after))
    found = []
    for stream_id, head_seq in raw.execute(_STREAMS, (store_id,)).fetchall():
        stream = bytes(stream_id)
        first = earlier[stream][1] + 1 if stream in earlier else 0
        last = later[stream][0] - 1 if stream in later else head_seq
        if stream in own:
            first, last = min(first, own[stream][0]), max(last, own[stream][1])
        found.append(Span(stream, first, last))
    return found


def entries(connection: Connection, store_id: str, found: Sequence[Span]) -> Iterator[StoredEntry]:
    """The entries of these spans, salvaged and flagged ones of the same streams included.

    In the order of streams and numbers; an id that stands in two streams comes once. Rows come
    from a cursor of the server, some hundred at a time.
    """
    for n, span in enumerate(found):
        told = found[:n]
        facts = {
            "store": store_id,
            "stream": span.stream_id,
            "first": span.first,
            "last": span.last,
            "earlier": [each.stream_id for each in told],
            "firsts": [each.first for each in told],
            "lasts": [each.last for each in told],
        }
        # Salvage comes first in a journal life: its entries are older than the life's own.
        for query in (_SALVAGED, _SPAN, _FLAGGED):
            if query is _SPAN and span.last < span.first:
                continue
            once = f"{query} AND {_NOT_EARLIER}" if told else query
            yield from _rows(connection, f"{once} ORDER BY e.seq", facts)


def branch_entries(connection: Connection, store_id: str) -> Iterator[StoredEntry]:
    """Entries that stand beside the journal; id, type and instant are in their bodies only.

    They were signed under numbers that others have in this database, as after a restore to the
    past, and have had their effects.
    """
    yield from _rows(connection, _BRANCHES, {"store": store_id})


def told_ids(
    connection: Connection, store_id: str, found: Sequence[Span], ids: Sequence[str]
) -> set[str]:
    """Which of these entry ids stand in the spans, or among what the store's boxes salvaged."""
    facts = {
        "store": store_id,
        "streams": [span.stream_id for span in found],
        "firsts": [span.first for span in found],
        "lasts": [span.last for span in found],
        "ids": list(ids),
    }
    return {row[0] for row in driver(connection).execute(_TOLD, facts)}


def _rows(connection: Connection, query: str, facts: dict[str, Any]) -> Iterator[StoredEntry]:
    name = f"tillbox_export_{next(_cursor_numbers)}"
    with driver(connection).cursor(name=name) as cursor:
        cursor.execute(query, facts, binary=True)
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            for stream_id, seq, id_, kind, at_ms, entry_hash, flag, body in rows:
                yield StoredEntry(
                    bytes(stream_id).hex(),
                    seq,
                    id_,
                    kind,
                    at_ms,
                    bytes(entry_hash).hex(),
                    flag or "",
                    bytes(body),
                )


def _reach(
    connection: Connection, store_id: str, from_on: date | None, to_on: date | None
) -> dict[bytes, tuple[int, int]]:
    if from_on is None:
        return {}
    rows = driver(connection).execute(_REACH, (store_id, from_on, to_on))
    return {bytes(stream_id): (first, last) for stream_id, first, last in rows}


def _day(row: tuple[Any, ...] | None) -> tuple[date | None, date | None]:
    day = None if row is None else row[0]
    return day, day
