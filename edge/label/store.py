"""Which labels are due, in `desk.db`; a box that lost that file prints none twice, but may miss."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from edge.label.due import LabelChange
from edge.sqlite import Writer

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
_FORGET = "DELETE FROM shelf_label WHERE printed_at_ms < ?"


@dataclass(frozen=True, slots=True)
class ItemChanges:
    """The label changes of one item; `size` is its package size as text."""

    gtin: str
    name: str
    size: str
    changes: tuple[LabelChange, ...]


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
                waiting = connection.execute(_OPEN_NOW, (item.gtin, now_ms)).fetchone()
                connection.execute(_DROP_LATER, (item.gtin, now_ms))
                for change in item.changes:
                    is_now = change.from_at_ms <= now_ms
                    old = waiting if is_now and waiting else _old(change)
                    if is_now:
                        connection.execute(_DROP_NOW, (item.gtin, now_ms))
                    if is_now and waiting and old == (change.new_minor, change.member_minor):
                        continue
                    connection.execute(_PUT, _row(item, change, old, revision))
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


def _old(change: LabelChange) -> tuple[int | None, int | None]:
    return change.old_minor, change.old_member_minor


def _row(
    item: ItemChanges,
    change: LabelChange,
    old: tuple[int | None, int | None],
    revision: int,
) -> tuple[object, ...]:
    return (
        item.gtin,
        change.from_at_ms,
        item.name,
        item.size,
        old[0],
        change.new_minor,
        change.member_minor,
        old[1],
        revision,
    )
