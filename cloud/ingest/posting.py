"""The port between ingest and the rooms that draw consequences from entries.

Rooms do not know ingest; the composition root hands their posters over as one explicit tuple.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import Connection

from cloud.ingest.entry import EntryHead

SLIPS = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
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


class Poster(Protocol):
    """A room's consequences of entries, keyed by entry id."""

    @property
    def entry_types(self) -> frozenset[str]:
        """The types that it wants."""
        ...

    @property
    def tables(self) -> tuple[str, ...]:
        """Tables that hold nothing but what it posted, each row with its `store_id`."""
        ...

    def post(self, connection: Connection, store_id: str, entries: Sequence[EntryHead]) -> Posted:
        """Write what new entries of one store cause, in the transaction that stores them.

        An entry that makes no sense is flagged, never raised.  A database error says that an
        entry was posted before, or holds what the database cannot.
        """
        ...

    def posted(self, connection: Connection, ids: Sequence[str]) -> set[str]:
        """Which of these entry ids (canonical UUIDs) have had their effects already."""
        ...
