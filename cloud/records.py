"""The port through which a room of masters gives its rows to a publication."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

from sqlalchemy import Connection, text

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


def is_shared_scope(scope: str) -> bool:
    """Whether more than one store may have its records."""
    return not scope.startswith(STORE_PREFIX)


@dataclass(frozen=True, slots=True)
class ScopedRecord:
    """A record and who gets it: `CHAIN` or one zone."""

    scope: str
    record: Record


class RecordSource(Protocol):
    """One room's rows as records. All inside the transaction of the publication."""

    @property
    def name(self) -> str:
        """Short and stable: drafts that went into a release are kept under it."""
        ...

    def drafts(self, connection: Connection) -> Iterator[ScopedRecord]:
        """Records of the rows that changed since they were last taken."""
        ...

    def take(self, connection: Connection, release_id: int) -> None:
        """Let every draft belong to a release: it waits no more."""
        ...

    def give_back(self, connection: Connection, release_id: int) -> None:
        """Let the drafts that a release took wait again."""
        ...

    def mark_published(self, connection: Connection, release_id: int, rev: int) -> None:
        """Note that what a release took has reached every store; `rev` brought it."""
        ...


@runtime_checkable
class Beginnings(Protocol):
    """A source that keeps records for each store, such as offers: `name` is their kind, too."""

    name: str

    def begin(self, connection: Connection, store_id: str) -> Iterator[ScopedRecord]:
        """What a new store has of everything that is published; it counts as told from now on."""
        ...


@dataclass(frozen=True, slots=True)
class Waiting:
    """Who changed what of a source, for the list of publications."""

    by: str
    note: str


@runtime_checkable
class Prompt(RecordSource, Protocol):
    """A source whose changes wait for no release: they go to the stores by themselves, at once."""

    def waiting(self, connection: Connection) -> Waiting | None:
        """Whose changes wait, None where none do; asked once a second."""
        ...


class TableDrafts:
    """A source whose drafts stand in a table with one key column that says which row changed."""

    name: str
    draft_table: ClassVar[str]
    draft_column: ClassVar[str]

    def take(self, connection: Connection, release_id: int) -> None:
        """See RecordSource."""
        statement = text(f"""
            WITH gone AS (DELETE FROM {self.draft_table} RETURNING {self.draft_column} AS key)
            INSERT INTO release_draft (release_id, source, key)
            SELECT :release_id, :source, key FROM gone""")  # noqa: S608 - names are constants
        connection.execute(statement, {"release_id": release_id, "source": self.name})

    def give_back(self, connection: Connection, release_id: int) -> None:
        """See RecordSource."""
        statement = text(f"""
            INSERT INTO {self.draft_table} ({self.draft_column})
            SELECT key FROM release_draft WHERE release_id = :release_id AND source = :source
            ON CONFLICT DO NOTHING""")  # noqa: S608 - names are constants
        connection.execute(statement, {"release_id": release_id, "source": self.name})

    def mark_published(self, connection: Connection, release_id: int, rev: int) -> None:
        """See RecordSource; most rooms need to know no more than the release does."""
