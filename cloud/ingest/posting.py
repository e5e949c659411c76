"""The port between ingest and the rooms that draw consequences from entries.

Rooms do not know ingest; the composition root hands their posters over as one explicit tuple.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection

from cloud.ingest.entry import EntryHead

SLIPS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What a mistake in a poster raises on data that nobody foresaw: it must not stop a store."""


class Posted(Protocol):
    """What became of the entries that a poster was given."""

    @property
    def flags(self) -> Sequence[tuple[int, str]]:
        """(sequence number, dotted code) of each entry that made no sense and has no effects."""
        ...

    @property
    def news(self) -> Sequence[dict[str, Any]]:
        """What a live screen may show, oldest first."""
        ...


Prepared = Callable[[Connection], Posted]
"""Writes what was worked out, in the transaction that stores the entries.

An entry that makes no sense is flagged, never raised.  A database error says that an entry was
posted before, or holds what the database cannot.
"""


class Poster(Protocol):
    """A room's consequences of entries, keyed by entry id and store."""

    @property
    def entry_types(self) -> frozenset[str]:
        """The types that it wants."""
        ...

    @property
    def tables(self) -> tuple[str, ...]:
        """Tables that hold nothing but what it posted, each row with its `store_id`."""
        ...

    def prepare(self, store_id: str, entries: Sequence[EntryHead]) -> Prepared:
        """Work out what new entries of one store cause; reads and writes nothing yet.

        Ingest calls it while PostgreSQL still stores the entries.
        """
        ...

    def posted(self, connection: Connection, store_id: str, ids: Sequence[str]) -> set[str]:
        """Which of these entry ids (canonical UUIDs) have had their effects in the store."""
        ...

    def differing(
        self, connection: Connection, store_id: str, entries: Sequence[EntryHead]
    ) -> set[str]:
        """Ids of those among posted entries of a store whose id had the effects of another fact."""
        ...
