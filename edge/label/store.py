"""Which labels are due, in `desk.db`; a box that lost that file prints none twice, but may miss."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from sqlite3 import Connection

from edge.label.due import LabelChange, Prices, says
from edge.sqlite import Writer
from shared.price.price_book import price_at

KEPT_MS = 30 * 86_400_000
"""How long a printed label is remembered."""
_DROP_LATER = "DELETE FROM shelf_label WHERE gtin=? AND from_at_ms>? AND printed_at_ms IS NULL"
_OPEN_NOW = (
    "SELECT old_minor, old_member_minor FROM shelf_label AS label"
    " WHERE gtin=?1 AND from_at_ms<=?2 AND printed_at_ms IS NULL"
    " AND NOT EXISTS (SELECT 1 FROM shelf_label AS later WHERE later.gtin=label.gtin"
    " AND later.from_at_ms>label.from_at_ms AND later.from_at_ms<=?2"
    " AND later.printed_at_ms IS NOT NULL)"
    " ORDER BY from_at_ms LIMIT 1"
)
_DROP_NOW = "DELETE FROM shelf_label WHERE gtin=? AND from_at_ms<=? AND printed_at_ms IS NULL"
_PUT = (
    "INSERT OR REPLACE INTO shelf_label(gtin, from_at_ms, name, size, old_minor, new_minor,"
    " member_minor, old_member_minor, revision) VALUES(?,?,?,?,?,?,?,?,?)"
)
_DUE = (
    "SELECT gtin, from_at_ms, name, size, old_minor, new_minor, member_minor, old_member_minor,"
    " revision FROM shelf_label AS label WHERE printed_at_ms IS NULL AND from_at_ms<=?1"
    " AND NOT EXISTS (SELECT 1 FROM shelf_label AS later WHERE later.gtin=label.gtin"
    " AND later.from_at_ms>label.from_at_ms AND later.from_at_ms<=?2)"
    " ORDER BY from_at_ms, name, gtin LIMIT ?3"
)
"""Of several that have become due the last one says what holds now: the others are of no use."""
_PRINTED = (
    "UPDATE shelf_label SET printed_at_ms=?1, printed_by=?2"
    " WHERE gtin=?3 AND (from_at_ms=?4 OR from_at_ms<?4 AND ?4<=?1) AND printed_at_ms IS NULL"
)
"""With a label that is due now those go that it takes the place of."""
_AHEAD = (
    "SELECT from_at_ms, new_minor, member_minor FROM shelf_label"
    " WHERE gtin=? AND from_at_ms>? AND printed_at_ms IS NOT NULL"
)
_FORGET = "DELETE FROM shelf_label WHERE printed_at_ms < ?"


@dataclass(frozen=True, slots=True)
class ItemChanges:
    """The label changes of one item; `size` is its package size as text, `after` its prices."""

    gtin: str
    name: str
    size: str
    changes: tuple[LabelChange, ...]
    after: Prices = ()


@dataclass(frozen=True, slots=True)
class DueLabel:
    """One label to print; `change.new_minor` None means: take the label away."""

    gtin: str
    name: str
    size: str
    change: LabelChange
    revision: int


Key = tuple[str, int]
"""GTIN and the instant of the change."""


class LabelStore:
    """Rows of `desk.db`; any thread."""

    def __init__(self, database: Writer) -> None:
        self._database = database

    def put(self, items: Iterable[ItemChanges], revision: int, now_ms: int) -> None:
        """Take over what a revision changes: what was planned for these items is replaced.

        A label that still waits keeps saying what is on the shelf; one that is to say that again
        no longer waits.
        """
        with self._database.transaction() as connection:
            for item in items:
                for change in (*_now(connection, item, now_ms), *_later(connection, item, now_ms)):
                    connection.execute(_PUT, _row(item, change, revision))
            connection.execute(_FORGET, (now_ms - KEPT_MS,))

    def due(self, until_ms: int, now_ms: int, limit: int) -> list[DueLabel]:
        """Labels that change at or before an instant and are not printed, the oldest first.

        One that another has replaced by `now_ms` is left out: printed, it would be wrong.
        """
        found = self._database.rows(_DUE, (until_ms, now_ms, limit))
        return [
            DueLabel(gtin, name, size, LabelChange(at_ms, *says), revision)
            for gtin, at_ms, name, size, *says, revision in found
        ]

    def printed(self, keys: Sequence[Key], at_ms: int, by: str) -> None:
        """Note that these labels were printed."""
        with self._database.transaction() as connection:
            connection.executemany(_PRINTED, [(at_ms, by, *key) for key in keys])


def _now(connection: Connection, item: ItemChanges, now_ms: int) -> Iterator[LabelChange]:
    """The label that has to change now, from what is on the shelf."""
    waiting = connection.execute(_OPEN_NOW, (item.gtin, now_ms)).fetchone()
    for change in item.changes:
        if change.from_at_ms > now_ms:
            return
        connection.execute(_DROP_NOW, (item.gtin, now_ms))
        old = waiting or (change.old_minor, change.old_member_minor)
        if not waiting or old != (change.new_minor, change.member_minor):
            yield replace(change, old_minor=old[0], old_member_minor=old[1])


def _later(connection: Connection, item: ItemChanges, now_ms: int) -> Iterator[LabelChange]:
    """The labels of later instants; those that were printed ahead stand, or are replaced."""
    connection.execute(_DROP_LATER, (item.gtin, now_ms))
    ahead = connection.execute(_AHEAD, (item.gtin, now_ms)).fetchall()
    printed = {at_ms: tuple(said) for at_ms, *said in ahead}
    for change in item.changes:
        said = (change.new_minor, change.member_minor)
        if change.from_at_ms > now_ms and printed.pop(change.from_at_ms, None) != said:
            yield change
    for at_ms, said in printed.items():
        holds = says(price_at(item.after, at_ms))
        if holds != said:
            yield LabelChange(at_ms, said[0], *holds, said[1])


def _row(item: ItemChanges, change: LabelChange, revision: int) -> tuple[object, ...]:
    return (
        item.gtin,
        change.from_at_ms,
        item.name,
        item.size,
        change.old_minor,
        change.new_minor,
        change.member_minor,
        change.old_member_minor,
        revision,
    )
