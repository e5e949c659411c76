"""The port through which a room takes over a table in two steps: compare, then write.

Both happen inside the caller's transaction. What a table would change stands in a temporary
table `import_diff` between them, so that a person can look at it before anything is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO, Protocol

from sqlalchemy import Connection, text

_CREATE = text("""
    CREATE TEMP TABLE import_diff (
        line integer NOT NULL, is_new boolean NOT NULL, key text NOT NULL, title text NOT NULL,
        cells jsonb NOT NULL) ON COMMIT DROP""")
# Independent of the order in which the rows were found.
_COUNT = text("""
    SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new),
           coalesce(md5(string_agg(
               md5(line || '/' || is_new || '/' || key || '/' || cells::text), '' ORDER BY line)),
               '')
    FROM import_diff""")


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes something, when and why."""

    name: str
    at_ms: int
    reason: str


@dataclass(frozen=True, slots=True)
class Difference:
    """How many rows are new and changed; `digest` tells one set of differences from another."""

    created: int
    updated: int
    digest: str


class TableImporter(Protocol):
    """How one kind of table is taken over."""

    def stage(self, connection: Connection, stream: IO[bytes], at_ms: int) -> int:
        """Check the table and fill `import_diff`; returns how many rows the table has.

        ImportRefusedError names every bad cell. `at_ms` is now (UTC).
        """
        ...

    def write(self, connection: Connection, author: Author) -> None:
        """Write what `stage` found to differ, in the same transaction."""
        ...


Importers = Mapping[str, Callable[[], TableImporter]]
"""By kind of table (items, prices): each makes an importer for one table."""


def begin_difference(connection: Connection) -> None:
    """Make the temporary table `import_diff`, empty."""
    connection.execute(_CREATE)


def difference(connection: Connection) -> Difference:
    """What stands in `import_diff`."""
    return Difference(*connection.execute(_COUNT).one())
