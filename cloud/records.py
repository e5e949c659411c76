"""The port through which a room of masters gives its rows to a publication."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection

from shared.publication.revision import Record

CHAIN = ""
"""Scope of a record that every zone has."""


def zone_of(store_id: str) -> str:
    """The price zone of a store: for now each store is one."""
    return f"store-{store_id}"


@dataclass(frozen=True, slots=True)
class ScopedRecord:
    """A record and who gets it: `CHAIN` or one zone."""

    scope: str
    record: Record


class RecordSource(Protocol):
    """One room's rows as records. All inside the transaction of the publication."""

    def drafts(self, connection: Connection) -> Iterator[ScopedRecord]:
        """Records of the rows that changed since they were last published."""
        ...

    def chain_records(self, connection: Connection) -> Iterator[Record]:
        """All records of scope `CHAIN`, for a snapshot."""
        ...

    def zone_records(self, connection: Connection, zone: str) -> Iterator[Record]:
        """All records of one zone's scope, for a snapshot."""
        ...

    def mark_published(self, connection: Connection, rev: int) -> None:
        """Note that every draft went out with a revision."""
        ...
