"""`salvage.db`: copies of other journals' entries until the cloud has them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.copy.facts import is_sale
from edge.sqlite import Writer
from shared.journal.carbon import Carbon
from shared.kernel.errors import CorruptError

SALVAGE_FILE = "salvage.db"
MIGRATIONS = (
    """
    CREATE TABLE stream(
        stream TEXT PRIMARY KEY, head INTEGER NOT NULL, hash BLOB NOT NULL,
        handed_sales INTEGER NOT NULL DEFAULT 0,
        at_ms INTEGER NOT NULL DEFAULT 0, gap_since_ms INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE arrived(
        stream TEXT NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL,
        PRIMARY KEY (stream, seq, hash)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE carbon(
        stream TEXT NOT NULL REFERENCES stream, seq INTEGER NOT NULL, prev BLOB NOT NULL,
        hash BLOB NOT NULL, at_ms INTEGER NOT NULL, sig BLOB NOT NULL, body BLOB NOT NULL,
        is_sale INTEGER NOT NULL, PRIMARY KEY (stream, seq)
    ) STRICT;
    CREATE TRIGGER carbon_is_final BEFORE UPDATE ON carbon
    BEGIN SELECT RAISE(ABORT, 'a carbon copy is never changed'); END;
    CREATE TRIGGER carbon_stays BEFORE DELETE ON carbon
    WHEN NOT EXISTS (
        SELECT 1 FROM arrived a WHERE a.stream = OLD.stream AND a.seq = OLD.seq
            AND a.hash = OLD.hash
    )
    BEGIN SELECT RAISE(ABORT, 'the cloud does not have this entry yet'); END
    """,
)
_HELD = """
    SELECT s.stream, s.head, s.handed_sales, s.at_ms, min(c.seq), max(c.seq),
        count(c.seq), coalesce(sum(c.is_sale), 0)
    FROM stream s LEFT JOIN carbon c ON c.stream = s.stream GROUP BY s.stream ORDER BY s.stream
"""
_ARRIVED = "INSERT OR IGNORE INTO arrived VALUES(?,?,?)"
_CARBON = "SELECT stream, seq, prev, hash, at_ms, sig, body FROM carbon"


@dataclass(frozen=True, slots=True)
class Held:
    """A journal of which copies came in.

    `head` is the last entry that the cloud is known to hold (-1 for none), `first` and `last` of
    the `entries` that are here (-1 for none), `sales` how many of them are sales, `handed_sales`
    how many sales the cloud has taken from here, the last of them at `at_ms` (UTC).
    """

    stream: str
    head: int
    handed_sales: int
    at_ms: int
    first: int
    last: int
    entries: int
    sales: int


class SalvageStore:
    """Append-only until an entry has arrived; usable from any thread.

    What has arrived is known by number *and* hash: a restored image may have given a number twice.
    """

    def __init__(self, path: Path) -> None:
        self._file = Writer(path, "FULL")

    def open(self) -> None:
        """Open the file; made at the first call."""
        self._file.open(MIGRATIONS)

    def close(self) -> None:
        """Close; may be called twice."""
        self._file.close()

    def know(self, stream: str, head: int, head_hash: bytes) -> None:
        """Note how far the cloud had a journal, unless more is known already."""
        with self._file.transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO stream(stream, head, hash) VALUES(?,?,?)",
                (stream, head, head_hash),
            )
            if head >= 0:
                connection.execute(_ARRIVED, (stream, head, head_hash))

    def add(self, carbons: Sequence[Carbon]) -> int:
        """Keep copies; how many were new. What has arrived is left out.

        CorruptError `salvage.fork` when another entry with that number is here.
        """
        with self._file.transaction() as connection:
            return sum(_put(connection, carbon) for carbon in carbons)

    def held(self) -> list[Held]:
        """Every journal that is known here."""
        return [
            Held(*row[:4], *(-1 if seq is None else seq for seq in row[4:6]), *row[6:])
            for row in self._file.rows(_HELD)
        ]

    def has_arrived(self, stream: str, seq: int, entry_hash: bytes) -> bool:
        """Whether that very entry is in the cloud, or in this box's own journal."""
        query = "SELECT 1 FROM arrived WHERE stream=? AND seq=? AND hash=?"
        return bool(self._file.rows(query, (stream, seq, entry_hash)))

    def hash_at(self, stream: str, seq: int) -> bytes | None:
        """Hash of an entry that is here."""
        rows = self._file.rows("SELECT hash FROM carbon WHERE stream=? AND seq=?", (stream, seq))
        return rows[0][0] if rows else None

    def numbers(self, stream: str, first: int, last: int) -> list[int]:
        """Sequence numbers of what is here, in order."""
        query = "SELECT seq FROM carbon WHERE stream=? AND seq BETWEEN ? AND ? ORDER BY seq"
        return [row[0] for row in self._file.rows(query, (stream, first, last))]

    def read(self, stream: str, from_seq: int, limit: int) -> list[Carbon]:
        """Up to `limit` entries from `from_seq` on, in order, gaps and all."""
        query = _CARBON + " WHERE stream=? AND seq>=? ORDER BY seq LIMIT ?"
        return [Carbon(*row) for row in self._file.rows(query, (stream, from_seq, limit))]

    def stands(self, stream: str, head: int, head_hash: bytes) -> None:
        """Note where the cloud stands with a journal."""
        with self._file.transaction() as connection:
            connection.execute(
                "UPDATE stream SET head=?, hash=? WHERE stream=?", (head, head_hash, stream)
            )

    def gap_since(self, stream: str, now_ms: int) -> int:
        """UTC ms since when what is here waits behind a gap; now, unless it did before."""
        with self._file.transaction() as connection:
            connection.execute(
                "UPDATE stream SET gap_since_ms=? WHERE stream=? AND gap_since_ms=0",
                (now_ms, stream),
            )
        rows = self._file.rows("SELECT gap_since_ms FROM stream WHERE stream=?", (stream,))
        return int(rows[0][0]) if rows else now_ms

    def settle(self, carbons: Sequence[Carbon], at_ms: int) -> None:
        """These have arrived: remember that, and drop them."""
        with self._file.transaction() as connection:
            for carbon in carbons:
                key = (carbon.stream, carbon.seq, carbon.hash)
                connection.execute(_ARRIVED, key)
                connection.execute("DELETE FROM carbon WHERE stream=? AND seq=? AND hash=?", key)
                connection.execute(
                    "UPDATE stream SET handed_sales=handed_sales+?, at_ms=?,"
                    " gap_since_ms=0 WHERE stream=?",
                    (int(is_sale(carbon.body)), at_ms, carbon.stream),
                )


def _put(connection: sqlite3.Connection, carbon: Carbon) -> bool:
    """Keep a copy; whether it is new."""
    key = (carbon.stream, carbon.seq, carbon.hash)
    if connection.execute(
        "SELECT 1 FROM arrived WHERE stream=? AND seq=? AND hash=?", key
    ).fetchone():
        return False
    row = connection.execute("SELECT hash FROM carbon WHERE stream=? AND seq=?", key[:2]).fetchone()
    if row is not None and row[0] != carbon.hash:
        raise CorruptError("salvage.fork", stream=carbon.stream, seq=carbon.seq)
    connection.execute(
        "INSERT OR IGNORE INTO stream(stream, head, hash) VALUES(?,-1,x'')", (carbon.stream,)
    )
    connection.execute("INSERT OR IGNORE INTO carbon VALUES(?,?,?,?,?,?,?,?)", _row_of(carbon))
    return row is None


def _row_of(carbon: Carbon) -> tuple[str, int, bytes, bytes, int, bytes, bytes, int]:
    return (
        *(carbon.stream, carbon.seq, carbon.prev, carbon.hash, carbon.at_ms, carbon.sig),
        *(carbon.body, int(is_sale(carbon.body))),
    )
