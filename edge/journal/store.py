"""Append to the journal: hash-chained, durable when `append` returns, one writer per file.

Commit first; print, open the drawer and send afterwards. A failed commit means *unknown*: the
journal is reopened and asked for the entry's id.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edge.identity import Identity, hardware_fingerprint
from edge.journal.migrations import MIGRATIONS
from edge.journal.projections import BusinessDay, Place, Projections, receipt_no_of
from edge.journal.reader import JournalReader
from edge.journal.signer import Signer
from edge.sqlite import connect_writer, migrate
from edge.version import software_version
from shared.journal.chain import entry_hash, genesis_hash, verify_chain
from shared.journal.entry import EntryHeader, JournalEntry
from shared.journal.event import Event, StreamOpened
from shared.kernel.clock import Clock
from shared.kernel.errors import CorruptError, RefusedError, UnavailableError
from shared.wire.codec import entry_body

_PUT_ENTRY = "INSERT INTO entry(seq, id, type, body, hash) VALUES(?,?,?,?,?)"
_TAIL_CHECKED = 200
"""Entries whose chain is walked at each opening; `verify-journal` walks all."""


@dataclass(frozen=True, slots=True)
class EntryDraft:
    """A fact to be kept; `id` makes it unique.

    `biz` is the business date ("" outside a day), `till` the lane ("" for the store), `at_ms`
    UTC, `cat` the catalogue revision in force.
    """

    id: str
    event: Event
    actor: str
    till: str
    biz: str
    at_ms: int
    cat: int


class Journal(JournalReader):
    """The writing side. Appends take turns under one lock; reads do not wait for it."""

    def __init__(self, path: Path, identity: Identity, clock: Clock, signer: Signer) -> None:
        super().__init__(path)
        self._identity = identity
        self._clock = clock
        self._signer = signer
        self._stream = bytes.fromhex(identity.stream)
        self._software = software_version()
        self._append_lock = threading.RLock()
        self._callbacks: list[Callable[[JournalEntry], None]] = []
        self._writer: sqlite3.Connection | None = None
        self._lock_file: int | None = None
        self._boot = 0
        self._seq = -1
        self._head = genesis_hash(self._stream)
        self._state = Projections()

    def open(self) -> None:
        """Take the file for writing, check its tail, write entry 0 into a new one.

        Raises RefusedError `journal.in_use` when another process has it, CorruptError when the
        file is of another stream or its chain is broken.
        """
        with self._append_lock:
            self._take_lock()
            self._connect()
            self._boot = self._count_boot()
            super().open()
            if self._seq < 0:
                self._write_genesis()

    def close(self) -> None:
        """Checkpoint, close, let another process have the file; may be called twice."""
        with self._append_lock:
            super().close()
            if self._writer is not None:
                self._writer.close()
                self._writer = None
            if self._lock_file is not None:
                os.close(self._lock_file)
                self._lock_file = None

    def append(self, draft: EntryDraft) -> JournalEntry:
        """Keep a fact; on return it is on the disk. The same id again gives the first entry.

        Raises RefusedError `day.closed` or `day.already_open`, UnavailableError
        `journal.disk_full` or `journal.write_failed`: then the fact is not in the journal.
        """
        with self._append_lock:
            try:
                self._state.check(draft.event, draft.biz)
                entry = self._commit(draft)
            except RefusedError:
                known = self.entry_by_id(draft.id)
                if known is None:
                    raise
                return known
            except sqlite3.IntegrityError:
                known = self.entry_by_id(draft.id)
                if known is None:
                    raise CorruptError("journal.projection", id=draft.id) from None
                return known
            except sqlite3.Error as error:
                entry = self._find_after(error, draft.id)
        for callback in self._callbacks:
            callback(entry)
        return entry

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Nobody else appends during the block, so that a report and its entry agree."""
        with self._append_lock:
            yield

    def on_append(self, callback: Callable[[JournalEntry], None]) -> None:
        """Call `callback` after each commit, on the appending thread; it must be quick."""
        self._callbacks.append(callback)

    def head(self) -> tuple[int, bytes]:
        """Number and hash of the last entry."""
        with self._append_lock:
            return self._seq, self._head

    def day(self) -> BusinessDay | None:
        """The newest business day, open or closed; None before the first."""
        return self._state.day

    def next_receipt_no(self, lane: int) -> str:
        """The number that the lane's next sale gets."""
        return receipt_no_of(lane, self._state.numbers.get(lane, 0) + 1)

    def last_receipt_no(self, lane: int) -> str | None:
        """The number of the lane's last sale; None before the first."""
        number = self._state.numbers.get(lane, 0)
        return receipt_no_of(lane, number) if number else None

    def acked(self) -> int:
        """The highest entry that the cloud has committed, -1 for none."""
        mark = self.watermark("acked")
        return -1 if mark is None else mark[0]

    def mark_acked(self, seq: int, entry_sha256: bytes) -> None:
        """The cloud holds everything up to `seq`.

        CorruptError `journal.ack_hash` when its hash of that entry is not ours.
        """
        self._mark("acked", seq, entry_sha256)

    def mark_safe(self, seq: int, entry_sha256: bytes) -> None:
        """The cloud's backup holds everything up to `seq`; checked as `mark_acked`."""
        self._mark("safe", seq, entry_sha256)

    def sign(self, message: bytes) -> bytes:
        """Sign with the journal key."""
        return self._signer.sign(message)

    def boot(self) -> int:
        """How often this journal was opened for writing."""
        return self._boot

    def _commit(self, draft: EntryDraft) -> JournalEntry:
        seq = self._seq + 1
        change = self._state.change_of(draft.event, Place(seq, draft.biz, draft.till))
        body = entry_body(self._header(draft, seq, change.gt), draft.event)
        head = entry_hash(self._stream, seq, self._head, body)
        entry = JournalEntry(seq, draft.id, draft.event.type, body, head)
        writer = self._opened_writer()
        writer.execute("BEGIN IMMEDIATE")
        try:
            writer.execute(_PUT_ENTRY, (seq, entry.id, entry.type, body, head))
            change.write(writer)
        except sqlite3.IntegrityError:
            writer.execute("ROLLBACK")
            raise
        writer.execute("COMMIT")
        self._seq, self._head = seq, head
        self._state.keep(change)
        return entry

    def _header(self, draft: EntryDraft, seq: int, totals: tuple[int, int]) -> EntryHeader:
        day = self._state.day
        return EntryHeader(
            id=draft.id,
            type=draft.event.type,
            stream=self._identity.stream,
            seq=seq,
            at=draft.at_ms,
            boot=self._boot,
            mono=self._clock.mono_ms(),
            clk=self._clock.quality(),
            biz=draft.biz,
            till=draft.till,
            shift=day.shift if day is not None and day.biz == draft.biz else "",
            actor=draft.actor,
            sw=self._software,
            gt=totals,
            cat=draft.cat,
        )

    def _find_after(self, error: sqlite3.Error, entry_id: str) -> JournalEntry:
        """An error at commit says nothing: what the file holds after reopening counts."""
        full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        code = "journal.disk_full" if full else "journal.write_failed"
        try:
            if self._writer is not None:
                self._writer.close()
            self._connect()
            found = self.entry_by_id(entry_id)
        except sqlite3.Error as second:
            raise UnavailableError(code) from second
        if found is None:
            raise UnavailableError(code) from error
        return found

    def _connect(self) -> None:
        self._writer = writer = connect_writer(self._path, "FULL")
        migrate(writer, MIGRATIONS)
        self._seq, self._head = self._check_tail(writer)
        self._state = Projections.load(writer)

    def _check_tail(self, writer: sqlite3.Connection) -> tuple[int, bytes]:
        genesis = genesis_hash(self._stream)
        row = writer.execute("SELECT stream_id FROM stream").fetchone()
        if row is not None and row[0] != self._stream:
            raise CorruptError("journal.other_stream", stream=row[0].hex())
        tail = writer.execute(
            "SELECT seq, body, hash FROM entry ORDER BY seq DESC LIMIT ?", (_TAIL_CHECKED + 1,)
        ).fetchall()[::-1]
        if not tail:
            return -1, genesis
        # The oldest row read only gives the hash before it, unless it is the very first.
        first, before = (0, genesis) if tail[0][0] == 0 else (1, tail[0][2])
        head = verify_chain(
            self._stream,
            tail[0][0] + first,
            before,
            [(body, stated) for _, body, stated in tail[first:]],
        )
        return tail[-1][0], head

    def _write_genesis(self) -> None:
        identity = self._identity
        self._opened_writer().execute(
            "INSERT OR IGNORE INTO stream(stream_id, ordinal, genesis) VALUES(?,?,?)",
            (self._stream, identity.ordinal, genesis_hash(self._stream)),
        )
        opened = StreamOpened(
            device=identity.dev,
            store=identity.store_id,
            hw_fp=hardware_fingerprint(),
            cause="enrol",
            journal_pub=self._signer.public_hex,
        )
        draft = EntryDraft(
            id=str(uuid.UUID(identity.stream)),
            event=opened,
            actor="",
            till="",
            biz="",
            at_ms=self._clock.now_ms(),
            cat=0,
        )
        self.append(draft)

    def _count_boot(self) -> int:
        writer = self._opened_writer()
        writer.execute(
            "INSERT INTO boot(one, ordinal) VALUES(1,1)"
            " ON CONFLICT(one) DO UPDATE SET ordinal=ordinal+1"
        )
        return int(writer.execute("SELECT ordinal FROM boot").fetchone()[0])

    def _mark(self, name: str, seq: int, entry_sha256: bytes) -> None:
        if self.hash_at(seq) != entry_sha256:
            raise CorruptError("journal.ack_hash", seq=seq)
        with self._append_lock:
            self._opened_writer().execute(
                "INSERT INTO watermark(name, seq, hash) VALUES(?,?,?) ON CONFLICT(name)"
                " DO UPDATE SET seq=excluded.seq, hash=excluded.hash WHERE excluded.seq>seq",
                (name, seq, entry_sha256),
            )

    def _take_lock(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lock_path = self._path.with_name(self._path.name + ".lock")
        handle = os.open(lock_path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise RefusedError("journal.in_use", path=str(self._path)) from None
        self._lock_file = handle

    def _opened_writer(self) -> sqlite3.Connection:
        if self._writer is None:
            raise RuntimeError("the journal is not open for writing")
        return self._writer
