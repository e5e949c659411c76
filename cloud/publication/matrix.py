"""How far every store is, column by column: counted by the database, shown page by page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from cloud.db import Database, like_literal
from cloud.publication import convergence_store
from cloud.publication.converge import (
    COLUMN_OF,
    Column,
    Convergence,
    ConvergenceState,
    Later,
    Reported,
    Software,
    columns_of,
    converge,
    converge_software,
)
from cloud.publication.standing_store import BEHIND, WHOLE, Asked, Page, standings

CSV_ROWS_MAX = 100_000
REPORTED = (
    *("last_contact_at_ms", "stored_rev", "active_rev", "shown_rev", "error", "held", "reads"),
)
SHOWN = (
    *("store_id", "name", "target_rev", "stored_rev", "active_rev", "shown_rev"),
    *("stored_at_ms", "active_at_ms", "shown_at_ms", "last_contact_at_ms"),
)
NOT_SHOWN = "not_shown"
"""What no till has shown yet has not quite arrived."""
CSV_COLUMNS = (
    *("store_id", "name", "state", "because", "target_rev", "stored_rev", "active_rev"),
    *("shown_rev", "announced_at_ms", "stored_at_ms", "active_at_ms", "shown_at_ms"),
    *("held_until_ms", "last_contact_at_ms"),
    *(column.value for column in Column),
)


@dataclass(frozen=True, slots=True)
class MatrixQuery:
    """What a person looks for; "" for everything. `page` counts from 1.

    `state` is one of the states, `not_shown` or `behind`; of the named column, if there is one.
    """

    state: str = ""
    column: str = ""
    group_id: str = ""
    word: str = ""
    page: int = 1
    size: int = 100


def matrix(database: Database, query: MatrixQuery, now_ms: int) -> dict[str, Any]:
    """One page of stores, and how many there are in each state."""
    page = Page(query.column, query.state, query.size, (query.page - 1) * query.size)
    with database.begin() as connection:
        target_rev = convergence_store.target_rev(connection)
        found = standings(connection, _asked(query, now_ms), page)
        rows = judged(connection, now_ms, stores=found.stores)
    return {
        "target_rev": target_rev,
        "total": _total(found.counts[query.column or WHOLE], query.state),
        "page": query.page,
        "size": query.size,
        "counts": found.counts[WHOLE],
        "kinds_counts": {column.value: found.counts[column.value] for column in Column},
        "reached": found.reached,
        "stores": rows,
    }


def summary(database: Database, now_ms: int) -> dict[str, Any]:
    """How many stores have, sell with and show what they should."""
    with database.begin() as connection:
        target_rev = convergence_store.target_rev(connection)
        found = standings(connection, Asked(now_ms))
    return {"target_rev": target_rev, "states": found.counts[WHOLE], **found.reached}


def csv_rows(database: Database, query: MatrixQuery, now_ms: int) -> Iterator[tuple[Any, ...]]:
    """Every store of a query in the order of `CSV_COLUMNS`; columns say their state."""
    page = Page(query.column, query.state, CSV_ROWS_MAX)
    with database.begin() as connection:
        found = standings(connection, _asked(query, now_ms), page)
        rows = judged(connection, now_ms, stores=found.stores)
    for row in rows:
        cells = {name: cell["state"] for name, cell in row["cells"].items()}
        yield tuple((row | cells)[name] for name in CSV_COLUMNS)


def judged(
    connection: Connection, now_ms: int, *, dev: str = "", stores: list[str] | None = None
) -> list[dict[str, Any]]:
    """Stores (those named, the one of a box, or all) with their state and those of columns."""
    rows = convergence_store.rows(connection, dev, stores)
    waiting: dict[str, list[tuple[Later, list[str]]]] = {}
    for store_id, rev, at_ms, kinds in convergence_store.later(connection, dev, stores):
        waiting.setdefault(store_id, []).append((Later(rev, at_ms), kinds))
    revs = {rev for row in rows for rev in (row["target_rev"], *(row["kinds"] or {}).values())}
    revs |= {each.rev for some in waiting.values() for each, _ in some}
    made_at = convergence_store.made_at(connection, revs - {None})
    return [_row(row, waiting.get(row["store_id"], []), made_at, now_ms) for row in rows]


def standing_of(row: Mapping[str, Any], column: str = "") -> str:
    """What people call a judged row's state, as such or of a column."""
    cell = row["cells"][column] if column else row
    return NOT_SHOWN if cell["because"] == "till_not_shown" else str(cell["state"])


def _asked(query: MatrixQuery, now_ms: int) -> Asked:
    return Asked(now_ms, query.word, f"%{like_literal(query.word)}%", query.group_id)


def _total(counts: Mapping[str, int], state: str) -> int:
    every = sum(counts.values())
    if state == BEHIND:
        return every - counts.get(ConvergenceState.CURRENT, 0)
    return counts.get(state, 0) if state else every


def _row(
    row: Mapping[str, Any],
    waiting: list[tuple[Later, list[str]]],
    made_at: Mapping[int, int],
    now_ms: int,
) -> dict[str, Any]:
    box = Reported(**{name: row[name] for name in REPORTED})
    first = waiting[0][0] if waiting else None
    whole = converge(row["target_rev"], box, now_ms, first)
    wanted_rev = row["target_rev"] if whole.at_ms is None or first is None else first.rev
    columns = columns_of(row["kinds"] or {})
    cells = {
        column.value: _cell(columns.get(column), _first(waiting, column), box, made_at, now_ms)
        for column in Column
        if column is not Column.SOFTWARE
    }
    software = Software(
        row["wanted_software"], row["software"], row["software_state"], row["software_error"]
    )
    return {
        **{name: row[name] for name in SHOWN},
        "dev": row["dev"],
        "state": whole.state.value,
        "because": whole.because,
        "announced_at_ms": None if wanted_rev is None else made_at.get(wanted_rev),
        "held_until_ms": whole.at_ms,
        "cells": {**cells, Column.SOFTWARE.value: _software_cell(software, box, now_ms)},
    }


def _cell(
    target_rev: int | None,
    later: Later | None,
    box: Reported,
    made_at: Mapping[int, int],
    now_ms: int,
) -> dict[str, Any]:
    # What only a later revision brings has nothing before it to be behind with.
    begins = 0 if target_rev is None and later is not None else target_rev
    found = converge(begins, box, now_ms, later)
    wanted = target_rev if later is None or found.at_ms is None else later.rev
    since_ms = None if wanted is None else made_at.get(wanted)
    return _shown(wanted, box.active_rev, found, since_ms)


def _software_cell(software: Software, box: Reported, now_ms: int) -> dict[str, Any]:
    return _shown(software.wanted, software.running, converge_software(software, box, now_ms), None)


def _shown(
    target: int | str | None,
    running: int | str | None,
    found: Convergence,
    since_ms: int | None,
) -> dict[str, Any]:
    return {
        "target": target,
        "running": running,
        "state": found.state.value,
        "because": found.because,
        "at_ms": found.at_ms,
        "since_ms": since_ms,
    }


def _first(waiting: Iterable[tuple[Later, list[str]]], column: Column) -> Later | None:
    """The first of what waits that changes a column."""
    found = (
        each for each, kinds in waiting if any(COLUMN_OF.get(kind) is column for kind in kinds)
    )
    return next(found, None)
