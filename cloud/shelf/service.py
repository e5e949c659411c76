"""What shelves and cold places told, newest first, and what of it still stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields, replace
from typing import Any

from cloud.db import Database
from cloud.shelf import store
from shared.kernel.errors import RefusedError
from shared.wire.codec import parse_body

FACTS_MAX = 500
CSV_MAX = 10_000
LOOKED_AT = 5_000
"""So many facts back a difference or a warm place that stands is looked for."""
NEVER_MS = 1 << 53
_OPENS = {"differed": "shelf", "broken": "cold"}
_CLOSES = {"settled": "shelf", "restored": "cold"}


@dataclass(frozen=True, slots=True)
class ShelfFact:
    """One row; `at_ms` UTC, quantities and degrees Celsius in thousandths, null where none.

    `what`: counted, differed, settled, broken or restored; `how` a difference was settled, or why
    a shelf was counted; `by` is the person, "" for the sensor's own word.
    """

    at_ms: int
    store_id: str
    what: str
    sensor: str
    gtin: str
    item: str
    book_milli: int | None
    shelf_milli: int | None
    celsius_milli: int | None
    limit_milli: int | None
    how: str
    by: str


COLUMNS = tuple(each.name for each in fields(ShelfFact))


@dataclass(frozen=True, slots=True)
class ShelfHistory:
    """The facts asked for, what stands now, and whether there are older facts."""

    facts: Sequence[ShelfFact]
    standing: Sequence[ShelfFact]
    has_more: bool


def history(database: Database, store_id: str, before_ms: int, most: int) -> ShelfHistory:
    """The facts of a store ("": of all) before an instant, newest first."""
    found = _read(database, store_id, before_ms, min(most, FACTS_MAX) + 1)
    standing = standing_of(_read(database, store_id, NEVER_MS, LOOKED_AT))
    return ShelfHistory(found[:most], standing, len(found) > most)


def all_rows(database: Database, store_id: str) -> Iterable[tuple[Any, ...]]:
    """The newest rows of a download."""
    return (astuple(fact) for fact in _read(database, store_id, NEVER_MS, CSV_MAX))


def standing_of(newest_first: Iterable[ShelfFact]) -> list[ShelfFact]:
    """Differences and warm places whose end was not told. Pure."""
    last: dict[tuple[str, str, str], ShelfFact] = {}
    for fact in newest_first:
        kind = _OPENS.get(fact.what) or _CLOSES.get(fact.what)
        if kind is not None:
            last.setdefault((fact.store_id, fact.sensor, kind), fact)
    return [fact for fact in last.values() if fact.what in _OPENS]


def fact_of(at_ms: int, store_id: str, kind: str, body: bytes) -> ShelfFact | None:
    """One entry as a row; None for one that cannot be read, which is in the work list. Pure."""
    try:
        entry = parse_body(body)
        data = entry["data"]
        return ShelfFact(
            at_ms=at_ms,
            store_id=store_id,
            what=kind.rpartition(".")[2],
            sensor=str(data.get("sensor", "")),
            gtin=str(data.get("gtin", "")),
            item="",
            book_milli=_number(data, "book_milli", "qty_milli"),
            shelf_milli=_number(data, "shelf_milli"),
            celsius_milli=_number(data, "worst_milli", "celsius_milli"),
            limit_milli=_number(data, "limit_milli"),
            how=str(data.get("how", data.get("reason", ""))),
            by=str(entry.get("actor", "")),
        )
    except (RefusedError, KeyError, TypeError, ValueError, AttributeError):
        return None


def _number(data: dict[str, Any], *names: str) -> int | None:
    return next((int(data[name]) for name in names if name in data), None)


def _read(database: Database, store_id: str, before_ms: int, most: int) -> list[ShelfFact]:
    with database.begin() as connection:
        rows = store.facts(connection, store_id, before_ms, most)
        found = [fact for row in rows if (fact := fact_of(*row)) is not None]
        names = store.names(connection, (fact.gtin for fact in found if fact.gtin))
    return [replace(fact, item=names.get(fact.gtin, "")) for fact in found]
