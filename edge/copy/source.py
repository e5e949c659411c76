"""Where the entries of a dead box may lie: its data folder, a journal file, a mirror on a stick.

The source is only read.  A journal is copied first when its write-ahead log holds entries that the
file does not: opening it in place would write to the card.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from edge.copy.mirror_file import carbons_of, part_of, parts_in
from edge.copy.tail import Tail
from edge.copy.verify import lives_of
from edge.journal.signer import KEY_FILE, Signer, load
from shared.journal.carbon import Carbon
from shared.journal.chain import genesis_hash, head_statement
from shared.kernel.clock import Clock
from shared.kernel.errors import CorruptError, MissingError, RefusedError

JOURNAL_FILE = "journal.db"


class FileTail:
    """A journal file of another box (Tail); signs with that box's key, where it lies beside."""

    def __init__(self, connection: sqlite3.Connection, signer: Signer | None, clock: Clock) -> None:
        self._connection = connection
        self._signer = signer
        self._clock = clock
        self._copies: CarbonTail | None = None
        stream = connection.execute("SELECT stream_id FROM stream").fetchone()[0]
        self._stream: bytes = stream
        self._last: int = connection.execute("SELECT coalesce(max(seq), -1) FROM entry").fetchone()[
            0
        ]

    @property
    def stream(self) -> str:
        """See `Tail`."""
        return self._stream.hex()

    @property
    def last(self) -> int:
        """See `Tail`."""
        return self._last

    def read(self, from_seq: int, limit: int) -> list[Carbon]:
        """See `Tail`; unsigned, and the first one's `prev` is empty where its entry is not here."""
        rows = self._connection.execute(
            "SELECT seq, body, hash FROM entry WHERE seq>=? ORDER BY seq LIMIT ?",
            (from_seq, limit),
        ).fetchall()
        prev = self.hash_at(rows[0][0] - 1) if rows else None
        found: list[Carbon] = []
        for seq, body, stated in rows:
            if found and found[-1].seq != seq - 1:
                prev = self.hash_at(seq - 1)
            found.append(Carbon(self.stream, seq, prev or bytes(32), stated, 0, bytes(64), body))
            prev = stated
        return found

    def hash_at(self, seq: int) -> bytes | None:
        """See `Tail`."""
        if seq < 0:
            return genesis_hash(self._stream)
        row = self._connection.execute("SELECT hash FROM entry WHERE seq=?", (seq,)).fetchone()
        if row is None:
            row = self._anchor(seq)
        return None if row is None else row[0]

    def signed(self, carbon: Carbon) -> Carbon:
        """See `Tail`; MissingError `salvage.no_key` without the dead box's key or a signed copy."""
        if self._signer is None:
            found = [] if self._copies is None else self._copies.read(carbon.seq, 1)
            if not found or (found[0].seq, found[0].hash) != (carbon.seq, carbon.hash):
                raise MissingError("salvage.no_key", file=KEY_FILE)
            return found[0]
        at_ms = self._clock.now_ms()
        statement = head_statement(self._stream, carbon.seq, carbon.hash, at_ms)
        return replace(carbon, at_ms=at_ms, sig=self._signer.sign(statement))

    def sign_with(self, copies: CarbonTail) -> bool:
        """Take signatures from copies of this journal where its key is not here; whether it does.

        A backup is like that: the key is not in it, and what head office may lack is signed.
        """
        if self._signer is not None or copies.stream != self.stream:
            return False
        self._copies = copies
        return True

    def watermark(self, name: str) -> int:
        """The entry at a watermark (`acked`, `safe`), -1 for none."""
        row = self._connection.execute("SELECT seq FROM watermark WHERE name=?", (name,)).fetchone()
        return -1 if row is None else row[0]

    def note(self, name: str) -> str:
        """A small fact that is kept beside the entries (`inc`), "" for none."""
        try:
            row = self._connection.execute(
                "SELECT value FROM note WHERE name=?", (name,)
            ).fetchone()
        except sqlite3.OperationalError:  # of software that noted nothing
            return ""
        return "" if row is None else str(row[0])

    def _anchor(self, seq: int) -> tuple[bytes] | None:
        try:
            found: tuple[bytes] | None = self._connection.execute(
                "SELECT hash FROM anchor WHERE seq=?", (seq,)
            ).fetchone()
        except sqlite3.OperationalError:  # of software that pruned nothing
            return None
        return found


class CarbonTail:
    """Copies of one journal from mirror files (Tail)."""

    def __init__(self, stream: str, carbons: Iterator[Carbon]) -> None:
        self._stream = stream
        self._carbons = {each.seq: each for each in carbons if each.stream == stream}
        self._numbers = sorted(self._carbons)

    @property
    def stream(self) -> str:
        """See `Tail`."""
        return self._stream

    @property
    def last(self) -> int:
        """See `Tail`."""
        return self._numbers[-1] if self._numbers else -1

    def read(self, from_seq: int, limit: int) -> list[Carbon]:
        """See `Tail`."""
        at = bisect_left(self._numbers, from_seq)
        return [self._carbons[seq] for seq in self._numbers[at : at + limit]]

    def hash_at(self, seq: int) -> bytes | None:
        """See `Tail`."""
        carbon = self._carbons.get(seq)
        return None if carbon is None else carbon.hash

    def signed(self, carbon: Carbon) -> Carbon:
        """See `Tail`: a copy was signed when it was made."""
        return carbon


@contextmanager
def tails_in(path: Path, clock: Clock) -> Iterator[list[Tail]]:
    """Every journal that lies in `path`, the oldest first.

    MissingError `salvage.nothing` when there is none, CorruptError `journal.stream` for a file
    that is none.
    """
    with tempfile.TemporaryDirectory(prefix="tillbox-salvage-") as folder:
        opened: list[sqlite3.Connection] = []
        try:
            tails = _tails(path, clock, Path(folder), opened)
            if not tails:
                raise MissingError("salvage.nothing", path=str(path))
            yield tails
        finally:
            for connection in opened:
                connection.close()


def _tails(path: Path, clock: Clock, folder: Path, opened: list[sqlite3.Connection]) -> list[Tail]:
    if not path.exists():
        return []
    if path.is_file() and part_of(path) is None:
        return [_file_tail(path, clock, folder, opened)]
    files: list[FileTail] = []
    if path.is_dir() and (path / JOURNAL_FILE).exists():
        files += [_file_tail(each, clock, folder, opened) for each in lives_of(path / JOURNAL_FILE)]
    tails: list[Tail] = [*files]
    named = part_of(path)
    parts = parts_in(path if path.is_dir() else path.parent)
    if named is not None:
        parts = [part for part in parts if part.stream == named.stream]
    for stream, same in groupby(parts, key=lambda part: part.stream):
        carbons = (carbon for part in same for carbon in carbons_of(part.path))
        copies = CarbonTail(stream, carbons)
        if not any(each.sign_with(copies) for each in files):
            tails.append(copies)
    return tails


def _file_tail(
    path: Path, clock: Clock, folder: Path, opened: list[sqlite3.Connection]
) -> FileTail:
    key = path.parent / KEY_FILE
    signer = load(key) if key.exists() else None
    try:
        connection = open_read_only(path, folder)
        opened.append(connection)
        return FileTail(connection, signer, clock)
    except (sqlite3.DatabaseError, TypeError) as error:
        raise CorruptError("journal.stream", path=str(path)) from error


def open_read_only(path: Path, folder: Path) -> sqlite3.Connection:
    """Open a database without a trace beside it; a copy in `folder` where a log must be read."""
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size:
        needed = path.stat().st_size + log.stat().st_size
        if shutil.disk_usage(folder).free < needed:
            raise RefusedError("salvage.no_room", path=str(folder), needed_mb=needed >> 20)
        copied = folder / path.name
        for each in (path, log):
            shutil.copyfile(each, copied.with_name(each.name))
        return sqlite3.connect(copied)
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
