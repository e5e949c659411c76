"""The port through which a room of masters gives its rows to a publication."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection

from shared.price.price_book import PriceLevel
from shared.publication.revision import Record

CHAIN = ""
"""Scope of a record that every zone has."""


ZONE_PREFIX, STORE_PREFIX = "zone:", "store-"


def zone_of(store_id: str) -> str:
    """The name of a store's line of revisions, and the scope of what only that store has."""
    return f"{STORE_PREFIX}{store_id}"


def zone_scope(zone_id: str) -> str:
    """The scope of what every store of a price zone has."""
    return f"{ZONE_PREFIX}{zone_id}"


def level_of(scope: str) -> PriceLevel:
    """On which level a scope's records speak."""
    if scope == CHAIN:
        return PriceLevel.CHAIN
    return PriceLevel.ZONE if scope.startswith(ZONE_PREFIX) else PriceLevel.STORE


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
