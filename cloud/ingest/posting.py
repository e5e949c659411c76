"""The port between ingest and the rooms that draw consequences from entries.

Rooms do not know ingest; the composition root hands their posters over as one explicit tuple.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import Connection

from cloud.ingest.entry import EntryHead


class Tray(Protocol):
    """What one batch will write for one poster."""

    def add(self, entry: EntryHead) -> None:
        """Take an entry of one of the poster's types.

        Raises RefusedError when it makes no sense: it is then stored with the error's code as
        its flag and has no effects.  Nothing of it may stay in the tray.
        """
        ...

    def write(self, connection: Connection) -> None:
        """Write everything, in the transaction that stores the entries."""
        ...

    def news(self, limit: int) -> Sequence[dict[str, Any]]:
        """The newest `limit` things worth showing on a live screen, oldest first."""
        ...


class Poster(Protocol):
    """A room's consequences of entries, keyed by entry id."""

    @property
    def entry_types(self) -> frozenset[str]:
        """The types that it wants."""
        ...

    def open_tray(self, store_id: str) -> Tray:
        """Begin a batch of one store."""
        ...

    def posted(self, connection: Connection, ids: Sequence[str]) -> set[str]:
        """Which of these entry ids (canonical UUIDs) have had their effects already."""
        ...
