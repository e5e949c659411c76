"""Reading the journal: a connection of its own that cannot write."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge.journal.members import read_history
from edge.journal.projections import parse_receipt_no, receipt_range, store_report
from edge.sqlite import connect_reader
from shared.journal.chain import entry_hash, genesis_hash
from shared.journal.entry import JournalEntry
from shared.kernel.errors import CorruptError, MissingError
from shared.sale.member_history import MemberHistory
from shared.till.z_report import ZReport

_COLUMNS = "SELECT seq, id, type, body, hash FROM entry"


class JournalReader:
    """Everything that may be asked of a journal; usable from any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def open(self) -> None:
        """Open the file, which must exist."""
        if not self._path.exists():
            raise MissingError("journal.missing", path=str(self._path))
        with self._lock:
            self._connection = connect_reader(self._path)

    def close(self) -> None:
        """Close; may be called twice."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def read(self, from_seq: int, limit: int, max_bytes: int) -> list[JournalEntry]:
        """Entries from `from_seq` on, at most `limit` and about `max_bytes` of bodies.

        The first entry is given even when it alone is larger.
        """
        found: list[JournalEntry] = []
        size = 0
        rows = self._rows(_COLUMNS + " WHERE seq>=? ORDER BY seq LIMIT ?", (from_seq, limit))
        for row in rows:
            entry = JournalEntry(*row)
            size += len(entry.body)
            if found and size > max_bytes:
                break
            found.append(entry)
        return found

    def entry_by_id(self, entry_id: str) -> JournalEntry | None:
        """The entry with that id, if there is one."""
        return self._entry(_COLUMNS + " WHERE id=?", (entry_id,))

    def sale_by_id(self, sale_id: str) -> JournalEntry | None:
        """The completed sale of the basket with that id, if there is one."""
        return self._entry(_COLUMNS + " WHERE id=? AND type='sale.completed'", (sale_id,))

    def sale_by_receipt(self, receipt_no: str) -> JournalEntry:
        """The sale with that receipt number; MissingError `receipt.unknown` otherwise."""
        parsed = parse_receipt_no(receipt_no)
        entry = None
        if parsed is not None:
            entry = self._entry(
                "SELECT e.seq, e.id, e.type, e.body, e.hash FROM sale s"
                " JOIN entry e ON e.seq=s.seq WHERE s.lane=? AND s.number=?",
                parsed,
            )
        if entry is None:
            raise MissingError("receipt.unknown", receipt_no=receipt_no[:40])
        return entry

    def copies_of(self, receipt_no: str) -> int:
        """How many marked copies of a receipt were asked for."""
        parsed = parse_receipt_no(receipt_no) or (0, 0)
        rows = self._rows("SELECT copies FROM sale WHERE lane=? AND number=?", parsed)
        return int(rows[0][0]) if rows else 0

    def recent_sales(self, lane: int, limit: int) -> list[tuple[JournalEntry, int]]:
        """A lane's newest sales, newest first, each with its number of copies."""
        rows = self._rows(
            "SELECT e.seq, e.id, e.type, e.body, e.hash, s.copies FROM sale s"
            " JOIN entry e ON e.seq=s.seq WHERE s.lane=? ORDER BY s.number DESC LIMIT ?",
            (lane, limit),
        )
        return [(JournalEntry(*row[:-1]), row[-1]) for row in rows]

    def hash_at(self, seq: int) -> bytes | None:
        """Hash of entry `seq`; None when the journal has no such entry."""
        rows = self._rows("SELECT hash FROM entry WHERE seq=?", (seq,))
        return rows[0][0] if rows else None

    def z(self, biz: str) -> ZReport:
        """The store's Z report of one business date, as of now."""
        with self._lock:
            return store_report(self._opened(), biz)

    def receipts_of(self, biz: str) -> dict[str, list[str]]:
        """First and last receipt number of a business date, per lane."""
        with self._lock:
            return receipt_range(self._opened(), biz)

    def member_history(self, member: str) -> MemberHistory:
        """What a member bought before: `orders`, and per offer `uses` and `units`.

        Counted are the completed sales of this box's own journal, so of this store alone.
        """
        with self._lock:
            return read_history(self._opened(), member)

    def watermark(self, name: str) -> tuple[int, bytes] | None:
        """Sequence and hash of a watermark (`acked`, `safe`)."""
        rows = self._rows("SELECT seq, hash FROM watermark WHERE name=?", (name,))
        return (rows[0][0], rows[0][1]) if rows else None

    def _entry(self, query: str, parameters: Sequence[Any]) -> JournalEntry | None:
        rows = self._rows(query, parameters)
        return JournalEntry(*rows[0]) if rows else None

    def _rows(self, query: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._opened().execute(query, parameters).fetchall()

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise RuntimeError("the journal is not open")
        return self._connection


def verify_file(path: Path) -> tuple[int, str]:
    """Walk the whole chain of a journal file: number of entries and head hash in hex.

    CorruptError `journal.chain` names the first entry that does not fit, `journal.gap` a missing
    one, `journal.stream` a file without its stream or one that is no journal at all.
    """
    try:
        return _verify(connect_reader(path), path)
    except sqlite3.DatabaseError as error:
        raise CorruptError("journal.stream", path=str(path)) from error


def _verify(connection: sqlite3.Connection, path: Path) -> tuple[int, str]:
    try:
        stream = connection.execute("SELECT stream_id, genesis FROM stream").fetchone()
        if stream is None or genesis_hash(stream[0]) != stream[1]:
            raise CorruptError("journal.stream", path=str(path))
        head: bytes = stream[1]
        count = 0
        for seq, body, stated in connection.execute(
            "SELECT seq, body, hash FROM entry ORDER BY seq"
        ):
            if seq != count:
                raise CorruptError("journal.gap", seq=count)
            head = entry_hash(stream[0], seq, head, body)
            if head != stated:
                raise CorruptError("journal.chain", seq=seq)
            count += 1
        return count, head.hex()
    finally:
        connection.close()
