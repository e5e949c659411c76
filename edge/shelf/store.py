"""What the shelf room keeps in `desk.db`: the book of stock, tasks, and facts on their way.

A task and the fact about it are written together; the journal gets the fact afterwards, under an id
that it keeps, so a box that dies in between tells it once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from edge.sqlite import Writer
from shared.journal.event import Event
from shared.wire.codec import event_data, parse_event

DIFFERS, COLD = "differs", "cold"
HISTORY_KEPT = 500
_COLUMNS = (
    "n, sensor, kind, gtin, at_ms, book_milli, shelf_milli, celsius_milli, limit_milli,"
    " seen_by, settled_at_ms, how, by, reason"
)
_OPEN_TASK = (
    "INSERT INTO shelf_task(sensor, kind, gtin, at_ms, book_milli, shelf_milli, celsius_milli,"
    " limit_milli) VALUES(?,?,?,?,?,?,?,?)"
)
_FORGET_TASKS = (
    "DELETE FROM shelf_task WHERE settled_at_ms IS NOT NULL"
    " AND n <= (SELECT max(n) FROM shelf_task) - ?"
)


@dataclass(frozen=True, slots=True)
class Task:
    """Something that a person has to look at, or has; instants UTC ms, `how` None while open.

    `kind` "differs" with book and shelf in thousandths, or "cold" with the temperature and the
    limit that it broke in thousandths of a degree.  `seen_by` has taken note of a cold one.
    """

    n: int
    sensor: str
    kind: str
    gtin: str
    at_ms: int
    book_milli: int
    shelf_milli: int
    celsius_milli: int
    limit_milli: int
    seen_by: str = ""
    settled_at_ms: int | None = None
    how: str | None = None
    by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """A fact on its way into the journal; `actor` is the person whose deed it was, "" for none."""

    id: str
    at_ms: int
    actor: str
    event: Event


@dataclass(frozen=True, slots=True)
class Place:
    """How far the book has read: entry `seq` of the journal `stream`."""

    stream: str
    seq: int


class ShelfStore:
    """Rows of `desk.db`; any thread."""

    def __init__(self, database: Writer) -> None:
        self._database = database

    def place(self) -> Place | None:
        """How far the book has read, None before the first time."""
        rows = self._database.rows("SELECT stream, seq FROM shelf_place")
        return Place(*rows[0]) if rows else None

    def book(self) -> dict[str, int]:
        """Thousandths by GTIN of every item that was ever counted."""
        return dict(self._database.rows("SELECT gtin, qty_milli FROM shelf_book"))

    def keep_book(self, place: Place, changed: Mapping[str, int]) -> None:
        """Keep what has changed, and how far that is, together."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO shelf_place(one, stream, seq) VALUES(1,?,?)"
                " ON CONFLICT(one) DO UPDATE SET stream=excluded.stream, seq=excluded.seq",
                (place.stream, place.seq),
            )
            connection.executemany(
                "INSERT INTO shelf_book(gtin, qty_milli) VALUES(?,?)"
                " ON CONFLICT(gtin) DO UPDATE SET qty_milli=excluded.qty_milli",
                list(changed.items()),
            )

    def accepted(self) -> dict[str, int]:
        """By sensor, the difference that a person has settled, in thousandths."""
        return dict(self._database.rows("SELECT sensor, gap_milli FROM shelf_accepted"))

    def keep_accepted(self, sensor: str, gap_milli: int) -> None:
        """Remember a settled difference; 0 forgets it."""
        with self._database.transaction() as connection:
            _accept(connection, sensor, gap_milli)

    def open_tasks(self) -> list[Task]:
        """What waits for a person, the oldest first."""
        return self._tasks("settled_at_ms IS NULL ORDER BY n", ())

    def done_tasks(self, limit: int) -> list[Task]:
        """What was settled, the newest first."""
        newest = "settled_at_ms IS NOT NULL ORDER BY settled_at_ms DESC LIMIT ?"
        return self._tasks(newest, (limit,))

    def task(self, n: int) -> Task | None:
        """The task of that number."""
        found = self._tasks("n=?", (n,))
        return found[0] if found else None

    def open_task(self, task: Task, fact: Told) -> None:
        """A new task and its fact; a sensor has one open task of a kind at a time."""
        with self._database.transaction(is_synced=True) as connection:
            connection.execute(
                _OPEN_TASK,
                (
                    *(task.sensor, task.kind, task.gtin, task.at_ms, task.book_milli),
                    *(task.shelf_milli, task.celsius_milli, task.limit_milli),
                ),
            )
            _tell(connection, fact)

    def note_seen(self, n: int, by: str, reason: str) -> None:
        """Somebody has taken note of an alarm; it stays until the place is cold again."""
        with self._database.transaction(is_synced=True) as connection:
            connection.execute(
                "UPDATE shelf_task SET seen_by=?, reason=? WHERE n=?", (by, reason, n)
            )

    def settle(self, ended: Task | None, facts: list[Told], gap_milli: int | None = None) -> None:
        """End a task as `ended` says, with its facts and what was accepted by it."""
        with self._database.transaction(is_synced=True) as connection:
            if ended is not None:
                connection.execute(
                    "UPDATE shelf_task SET settled_at_ms=?, how=?, by=?, reason=? WHERE n=?",
                    (ended.settled_at_ms, ended.how, ended.by, ended.reason, ended.n),
                )
                connection.execute(_FORGET_TASKS, (HISTORY_KEPT,))
                if gap_milli is not None:
                    _accept(connection, ended.sensor, gap_milli)
            for fact in facts:
                _tell(connection, fact)

    def waiting_facts(self) -> list[Told]:
        """What the journal has not got yet, in order."""
        rows = self._database.rows("SELECT id, at_ms, actor, type, data FROM shelf_fact ORDER BY n")
        return [
            Told(fact_id, at_ms, actor, parse_event(kind, orjson.loads(data)))
            for fact_id, at_ms, actor, kind, data in rows
        ]

    def forget_fact(self, fact_id: str) -> None:
        """The journal has it."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM shelf_fact WHERE id=?", (fact_id,))

    def _tasks(self, where: str, parameters: tuple[Any, ...]) -> list[Task]:
        sql = f"SELECT {_COLUMNS} FROM shelf_task WHERE {where}"  # noqa: S608 - fixed texts
        return [Task(*row) for row in self._database.rows(sql, parameters)]


def _tell(connection: sqlite3.Connection, fact: Told) -> None:
    connection.execute(
        "INSERT INTO shelf_fact(id, at_ms, actor, type, data) VALUES(?,?,?,?,?)",
        (fact.id, fact.at_ms, fact.actor, fact.event.type, orjson.dumps(event_data(fact.event))),
    )


def _accept(connection: sqlite3.Connection, sensor: str, gap_milli: int) -> None:
    if gap_milli:
        connection.execute(
            "INSERT INTO shelf_accepted(sensor, gap_milli) VALUES(?,?)"
            " ON CONFLICT(sensor) DO UPDATE SET gap_milli=excluded.gap_milli",
            (sensor, gap_milli),
        )
    else:
        connection.execute("DELETE FROM shelf_accepted WHERE sensor=?", (sensor,))
