"""Reading the journal: a connection of its own that cannot write."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

from edge.journal.life_files import life_numbers, life_path
from edge.journal.members import Bought, read_history
from edge.journal.projections import read_reports, receipt_range
from edge.sqlite import connect_reader
from shared.journal.chain import entry_hash, genesis_hash
from shared.journal.entry import JournalEntry
from shared.kernel.errors import CorruptError, MissingError
from shared.sale.member_history import MemberHistory
from shared.sale.receipt_no import FIRST_SERIES, ReceiptNo, parse_receipt_no
from shared.till.z_report import ZReport, merge_z

_COLUMNS = "SELECT seq, id, type, body, hash FROM entry"
_BY_ID = _COLUMNS + " WHERE id=?"
_HASH = "SELECT hash FROM entry WHERE seq=? UNION ALL SELECT hash FROM anchor WHERE seq=?"


class JournalReader:
    """Everything that may be asked of a journal; usable from any thread.

    Of the lives before the current one only sales and ids are asked, where it has none itself.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._older: tuple[JournalReader, ...] = ()
        self._series = FIRST_SERIES

    def open(self) -> None:
        """Open the file, which must exist; whoever reads meanwhile reads the one before."""
        if not self._path.exists():
            raise MissingError("journal.missing", path=str(self._path))
        connection = connect_reader(self._path)
        row = connection.execute("SELECT series FROM stream").fetchone()
        with self._lock:
            before, self._connection = self._connection, connection
            self._series = row[0] if row else FIRST_SERIES
            if before is not None:
                before.close()

    def open_older(self, first: Path, current: int) -> list[int]:
        """Open the lives before `current`, newest first; when each life began (UTC ms).

        A damaged one is left out: it is why there is a new one.
        """
        known = {reader.path: reader for reader in self._older}
        older: list[JournalReader] = []
        began = [row[0] for row in self.rows("SELECT began_at_ms FROM stream")]
        for number in reversed(life_numbers(first)):
            path = life_path(first, number)
            if number == current:
                continue
            reader = known.get(path) or JournalReader(path)
            try:
                if path not in known:
                    reader.open()
                began += [row[0] for row in reader.rows("SELECT began_at_ms FROM stream")]
                older.append(reader)
            except (sqlite3.DatabaseError, CorruptError):
                reader.close()
        self._older = tuple(older)
        return began

    def older_lives(self) -> list[tuple[str, Path]]:
        """Stream (hex) and file of the lives before the current one, newest first."""
        return [
            (row[0].hex(), reader.path)
            for reader in self._older
            for row in reader.rows("SELECT stream_id FROM stream")
        ]

    @property
    def path(self) -> Path:
        """The current life's file."""
        return self._path

    def close(self) -> None:
        """Close; may be called twice."""
        for reader in self._older:
            reader.close()
        self._older = ()
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
        rows = self.rows(_COLUMNS + " WHERE seq>=? ORDER BY seq LIMIT ?", (from_seq, limit))
        for row in rows:
            entry = JournalEntry(*row)
            size += len(entry.body)
            if found and size > max_bytes:
                break
            found.append(entry)
        return found

    def entry_by_id(self, entry_id: str) -> JournalEntry | None:
        """The entry with that id, of whichever life, if there is one.

        The entry itself before what was salvaged of it.
        """
        itself = _BY_ID + " AND type<>'entry.salvaged'"
        return self._anywhere(itself, (entry_id,)) or self._anywhere(_BY_ID, (entry_id,))

    def own_entry(self, entry_id: str) -> JournalEntry | None:
        """The entry with that id in the current life, if there is one."""
        return self._entry(_BY_ID, (entry_id,))

    def sale_by_id(self, sale_id: str) -> JournalEntry | None:
        """The completed sale of the basket with that id, if there is one."""
        return self._anywhere(_COLUMNS + " WHERE id=? AND type='sale.completed'", (sale_id,))

    def sale_by_receipt(self, receipt_no: str) -> JournalEntry:
        """The sale with that receipt number; MissingError `receipt.unknown` otherwise."""
        parsed = parse_receipt_no(receipt_no)
        entry = None if parsed is None else self._sold(parsed)
        if entry is None:
            raise MissingError("receipt.unknown", receipt_no=receipt_no[:40])
        return entry

    def copies_of(self, receipt_no: str) -> int:
        """How many marked copies of a receipt were asked for."""
        parsed = parse_receipt_no(receipt_no)
        if parsed is None:
            return 0
        if parsed.series == self._series:
            found = self.rows(
                "SELECT copies FROM sale WHERE lane=? AND number=?", (parsed.lane, parsed.number)
            )
        else:
            found = self.rows("SELECT copies FROM older_copy WHERE receipt_no=?", (receipt_no,))
        in_older = (reader.copies_of(receipt_no) for reader in self._older)
        return int(found[0][0]) if found else max(in_older, default=0)

    def recent_sales(self, lane: int, limit: int) -> list[tuple[JournalEntry, int]]:
        """A lane's newest sales, of every life, newest first, each with its number of copies."""
        return [(entry, copies) for _, entry, copies in self._recent(lane, limit)]

    def last_older_receipt_no(self, lane: int) -> str | None:
        """The number of the lane's last sale before this life; None where there was none."""
        found = (reader._recent(lane, 1) for reader in self._older)  # noqa: SLF001 - same class
        return next((sales[0][0] for sales in found if sales), None)

    def last_seq(self) -> int:
        """Number of the last entry, -1 for none."""
        return int(self.rows("SELECT coalesce(max(seq), -1) FROM entry")[0][0])

    def lives(self) -> tuple[JournalReader, ...]:
        """This life and those before it, newest first."""
        return self, *self._older

    def hash_at(self, seq: int) -> bytes | None:
        """Hash of entry `seq`; None when the journal has no such entry."""
        rows = self.rows(_HASH, (seq, seq))
        return rows[0][0] if rows else None

    def z(self, biz: str) -> ZReport:
        """The store's Z report of one business date, as of now.

        A new life takes over the newest day only; the days before are in the older ones.
        """
        for reader in (self, *self._older):
            with reader._lock:  # noqa: SLF001 - same class
                reports = read_reports(reader._opened(), biz)  # noqa: SLF001 - same class
            if reports:
                return reduce(merge_z, reports.values(), ZReport(biz))
        return ZReport(biz)

    def receipts_of(self, biz: str) -> dict[str, list[str]]:
        """First and last receipt number of a business date, per lane."""
        with self._lock:
            return receipt_range(self._opened(), biz, self._series)

    def member_history(self, member: str) -> MemberHistory:
        """What a member bought before: `orders`, and per offer `uses` and `units`.

        Counted are the completed sales of this box's own journal, so of this store alone.
        """
        return self._history(member, ())

    def watermark(self, name: str) -> tuple[int, bytes] | None:
        """Sequence and hash of a watermark (`acked`, `safe`)."""
        rows = self.rows("SELECT seq, hash FROM watermark WHERE name=?", (name,))
        return (rows[0][0], rows[0][1]) if rows else None

    def note(self, name: str) -> str:
        """A small fact that is kept beside the entries; "" for none."""
        rows = self.rows("SELECT value FROM note WHERE name=?", (name,))
        return str(rows[0][0]) if rows else ""

    def pruned_to(self) -> int:
        """The last pruned entry's number; -1 when none was. Entry 0 is never pruned."""
        rows = self.rows("SELECT seq FROM anchor")
        return int(rows[0][0]) if rows else -1

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self._lock:
            return self._opened().execute(query, parameters).fetchall()

    def _history(self, member: str, waiting: Iterable[Bought]) -> MemberHistory:
        with self._lock:
            return read_history(self._opened(), member, waiting)

    def _recent(self, lane: int, limit: int) -> list[tuple[str, JournalEntry, int]]:
        """As `recent_sales`, each after its receipt number."""
        rows = self.rows(
            "SELECT s.number, s.copies, e.seq, e.id, e.type, e.body, e.hash FROM sale s"
            " JOIN entry e ON e.seq=s.seq WHERE s.lane=? ORDER BY s.number DESC LIMIT ?",
            (lane, limit),
        )
        found = [
            (str(ReceiptNo(lane, self._series, row[0])), JournalEntry(*row[2:]), row[1])
            for row in rows
        ]
        for reader in self._older:
            older = reader._recent(lane, limit - len(found))  # noqa: SLF001 - same class
            # A copy of an older receipt is counted where it was made.
            found += [
                (number, entry, JournalReader.copies_of(self, number)) for number, entry, _ in older
            ]
        return found

    def _sold(self, number: ReceiptNo) -> JournalEntry | None:
        if number.series != self._series:
            found = (reader._sold(number) for reader in self._older)  # noqa: SLF001 - same class
            return next((entry for entry in found if entry is not None), None)
        return self._entry(
            "SELECT e.seq, e.id, e.type, e.body, e.hash FROM sale s"
            " JOIN entry e ON e.seq=s.seq WHERE s.lane=? AND s.number=?",
            (number.lane, number.number),
        )

    def _anywhere(self, query: str, parameters: Sequence[Any]) -> JournalEntry | None:
        for reader in (self, *self._older):
            entry = reader._entry(query, parameters)  # noqa: SLF001 - same class
            if entry is not None:
                return entry
        return None

    def _entry(self, query: str, parameters: Sequence[Any]) -> JournalEntry | None:
        found = self.rows(query, parameters)
        return JournalEntry(*found[0]) if found else None

    def _set_path(self, path: Path) -> None:
        self._path = path

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
        anchor = _anchor(connection)
        head: bytes = stream[1]
        count = wanted = 0
        for seq, body, stated in connection.execute(
            "SELECT seq, body, hash FROM entry ORDER BY seq"
        ):
            if seq != wanted and anchor is not None and wanted == 1:
                wanted, head = anchor[0] + 1, anchor[1]
            if seq != wanted:
                raise CorruptError("journal.gap", seq=wanted)
            head = entry_hash(stream[0], seq, head, body)
            if head != stated:
                raise CorruptError("journal.chain", seq=seq)
            count += 1
            wanted += 1
        return count, head.hex()
    finally:
        connection.close()


def _anchor(connection: sqlite3.Connection) -> tuple[int, bytes] | None:
    """The last pruned entry; older software knew no such table."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name='anchor'").fetchone():
        return None
    found: tuple[int, bytes] | None = connection.execute("SELECT seq, hash FROM anchor").fetchone()
    return found
