"""Digests of tables: two databases hold the same rows when these are equal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from cloud.db import driver
from cloud.ingest.posting import Poster

BITS = 64


class Digest(NamedTuple):
    """How many rows, and the sum of their 64-bit hashes: the order of the rows does not matter.

    It finds accidents, not forgers: forged entries break the chain of their stream.
    """

    rows: int
    total: int

    def __add__(self, other: tuple[Any, ...]) -> Digest:
        """The digest of both together."""
        return Digest(self.rows + other[0], (self.total + other[1]) % (1 << BITS))

    def __str__(self) -> str:
        return f"{self.rows:,} rows {self.total:016x}"


NOTHING = Digest(0, 0)


def tables_of(posters: Sequence[Poster]) -> tuple[str, ...]:
    """Every table that can be made anew from the entries."""
    return tuple(table for poster in posters for table in poster.tables)


def digest_of(connection: Connection, table: str, store_id: str) -> Digest:
    """The digest of one store's rows; `table` may name its schema."""
    statement = (
        "SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0)::text"  # noqa: S608 - tables of a constant
        f" FROM {table} t WHERE store_id = %s"
    )
    found = driver(connection).execute(statement, (store_id,)).fetchone()
    assert found is not None, "a count is always there"
    return Digest(found[0], int(found[1]) % (1 << BITS))


def digests_of(connection: Connection, tables: Sequence[str]) -> dict[tuple[str, str], Digest]:
    """Digests by table and store, of all stores that have rows."""
    found: dict[tuple[str, str], Digest] = {}
    for table in tables:
        statement = (
            "SELECT store_id, count(*),"  # noqa: S608 - tables that posters name
            f" sum(hashtextextended(t::text, 0))::text FROM {table} t GROUP BY 1"
        )
        for store_id, rows, total in driver(connection).execute(statement):
            found[table, store_id] = Digest(rows, int(total) % (1 << BITS))
    return found
