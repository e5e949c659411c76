"""Append to the journal: hash-chained, durable when `append` returns, one writer per file.

Commit first; print, open the drawer and send afterwards. A failed commit means *unknown*: the
journal is reopened and asked for the entry's id.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import structlog

from edge.identity import Identity
from edge.journal.ballast import DISK_FULL, READ_ONLY, Ballast, is_read_only, why_not_written
from edge.journal.carbons import signed_copies
from edge.journal.life_files import Mark, life_path, remove_side_files, take_lock, write_mark
from edge.journal.lives import Life, check_tail, heritage_of, life_of, put_entry, unprojected
from edge.journal.migrations import MIGRATIONS
from edge.journal.projections import WRITTEN_EVERY, BusinessDay, Place, Projections
from edge.journal.prune import prune
from edge.journal.reader import JournalReader
from edge.journal.scribe import EntryDraft, Scribe
from edge.journal.signer import Signer
from edge.journal.succession import Succession
from edge.sqlite import connect_writer, migrate
from shared.journal.carbon import Carbon
from shared.journal.chain import entry_hash, genesis_hash
from shared.journal.entry import JournalEntry
from shared.journal.event import DayClosed, DayOpened, EntrySalvaged
from shared.journal.life import LifeCause, may_begin, salvaged_range
from shared.kernel.clock import Clock
from shared.kernel.errors import CorruptError, RefusedError, UnavailableError
from shared.sale.member_history import MemberHistory
from shared.sale.receipt_no import FIRST_SERIES, ReceiptNo, parse_receipt_no
from shared.till.z_report import ZReport

__all__ = ("EntryDraft", "Journal")

MARK_EVERY_MS = 60_000
"""How often at most an acknowledgement is noted outside the file: each note is a sync."""
_log = structlog.get_logger("journal")


class Journal(JournalReader):
    """The writing side. Appends take turns under one lock; reads do not wait for it."""

    def __init__(
        self,
        path: Path,
        identity: Identity,
        clock: Clock,
        signer: Signer,
        *,
        ballast_bytes: int = 0,
    ) -> None:
        super().__init__(path)
        self._first_path = path
        self._identity = identity
        self._clock = clock
        self._signer = signer
        self._ballast = Ballast(path.parent, ballast_bytes)
        self._succession = Succession(path, identity, clock, signer)
        self._append_lock = threading.RLock()
        self._mark_lock = threading.Lock()
        self._callbacks: list[Callable[[JournalEntry], None]] = []
        self._ack_callbacks: list[Callable[[int], None]] = []
        self._writer: sqlite3.Connection | None = None
        self._lock_file: int | None = None
        self._life = Life(1, identity.stream, identity.ordinal, FIRST_SERIES, 0)
        self._began_at_ms: list[int] = []
        self._boot = 0
        self._scribe = Scribe(clock, identity.stream, 0)
        # In one piece, so that who asks need not wait for a commit on a slow disk.
        self._last = (-1, genesis_hash(self._life.stream_id))
        self._state = Projections()
        self._marked_at_ms: int | None = None
        self._cause: LifeCause | None = None

    def open(self) -> None:
        """Take the file for writing, check its tail, begin a new life where it must.

        Raises RefusedError `journal.in_use` when another process has it, CorruptError when the
        first file is of another stream.
        """
        with self._append_lock:
            self._lock_file = take_lock(self._first_path)
            try:
                number, self._cause = self._ballast.spent_on(self._succession.at_start)
                self._open_life(number)
            except BaseException:
                self._let_go()
                raise
            self._ballast.take()
            if self._marked_at_ms is None:
                self._mark_outside()

    def close(self) -> None:
        """Write what waits, checkpoint, let another process have the file; may be called twice."""
        with self._append_lock:
            if self._writer is not None:
                self._mark_outside()
                super().close()  # first: the writer is the last one, and checkpoints
                self._close_writer(self._writer)
            self._let_go()

    def append(self, draft: EntryDraft) -> JournalEntry:
        """Keep a fact; on return it is on the disk. The same id again gives the first entry.

        Raises RefusedError `day.closed` or `day.already_open`, UnavailableError
        `journal.disk_full` or `journal.write_failed`: then the fact is not in the journal.
        """
        with self._append_lock:
            if self._older and not isinstance(draft.event, EntrySalvaged):
                known = self.entry_by_id(draft.id)
                if known is not None:
                    return known
            try:
                self._state.check(draft.event, draft.biz)
                entry = self._commit(draft)
            except (RefusedError, CorruptError):
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
                entry = self._recover(error, draft)
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

    def on_acked(self, callback: Callable[[int], None]) -> None:
        """Call `callback` with each number up to which the cloud has said that it holds all."""
        self._ack_callbacks.append(callback)

    @property
    def stream(self) -> str:
        """The stream (hex) of the current life."""
        return self._life.stream

    @property
    def cause(self) -> LifeCause | None:
        """Why this process began a new life, None when it did not."""
        return self._cause

    @property
    def life(self) -> Life:
        """The current life."""
        return self._life

    def head(self) -> tuple[int, bytes]:
        """Number and hash of the last entry."""
        return self._last

    def day(self) -> BusinessDay | None:
        """The newest business day, open or closed; None before the first."""
        return self._state.day

    def next_receipt_no(self, lane: int) -> str:
        """The number that the lane's next sale gets."""
        return str(self._state.next_number(lane))

    def last_receipt_no(self, lane: int) -> str | None:
        """The number of the lane's last sale; None before the first."""
        if number := self._state.numbers.get(lane, 0):
            return str(ReceiptNo(lane, self._state.series, number))
        return self.last_older_receipt_no(lane)

    def refuse_if_full(self) -> None:
        """Ask before money is taken: RefusedError `journal.disk_full` or `journal.read_only`."""
        if is_read_only(self._path.parent):
            raise RefusedError(READ_ONLY)
        if not self._ballast.has_room():
            raise RefusedError(DISK_FULL)

    @property
    def is_short_of_room(self) -> bool:
        """Whether the ballast was given up: somebody must clear the disk."""
        return self._ballast.is_kept and not self._ballast.is_held

    def acked(self) -> int:
        """The highest entry that the cloud has committed, -1 for none."""
        mark = self.watermark("acked")
        return -1 if mark is None else mark[0]

    def mark_acked(self, seq: int, entry_sha256: bytes, inc: str = "") -> None:
        """The cloud of incarnation `inc` holds everything up to `seq`, -1 for nothing.

        It goes back only when another incarnation says so: that one was restored to the past.
        CorruptError `journal.ack_hash` when its hash of that entry is not ours.
        """
        with self._append_lock:
            if inc and self.note("inc") != inc:
                self._begin_incarnation(inc)
            if seq >= 0:
                self._mark("acked", seq, entry_sha256)
        for callback in self._ack_callbacks:
            callback(seq)
        now_ms = self._clock.mono_ms()
        if self._marked_at_ms is None or now_ms - self._marked_at_ms >= MARK_EVERY_MS:
            self._mark_outside()

    def mark_safe(self, seq: int, entry_sha256: bytes) -> None:
        """The cloud's backup holds everything up to `seq`; checked as `mark_acked`."""
        self._mark("safe", seq, entry_sha256)

    def first_kept(self) -> int:
        """The lowest number that can still be sent: after the pruned ones, 0 if none was."""
        return self.pruned_to() + 1

    def prune(self, now_ms: int, *, is_pressed: bool = False) -> int:
        """Forget what is old and safe; how many entries went. See `edge.journal.prune`."""
        with self._append_lock:
            self._flush()
            return prune(self._opened_writer(), self.stream, now_ms, is_pressed=is_pressed)

    def begin_life(self, cause: LifeCause, now_ms: int, inc: str = "") -> bool:
        """Go on under a stream of its own, with what the cloud of `inc` has not vouched for.

        False, and nothing changed, when too many lives began within a day.
        """
        with self._append_lock:
            if not may_begin(self._began_at_ms, now_ms):
                return False
            self._flush()
            _log.error("journal.new_life", cause=cause, stream=self.stream, head=self._last[0])
            vouched = self._vouched_for(inc)
            heritage = heritage_of(
                self._path, self._life, salvaged_range(vouched, self._last[0]).start
            )
            life = self._ballast.spent_on(
                lambda: self._succession.begin(self._life, cause, heritage, now_ms)
            )
            self._go_over_to(life.number)
            self._cause = cause
            self._mark_outside()
            return True

    def carbons(self, from_seq: int, limit: int) -> list[Carbon]:
        """Signed copies of entries from `from_seq` on, at most `limit`, each good by itself."""
        life = self._life
        entries = self.read(from_seq, limit, 1 << 20)
        before = self.hash_before(from_seq)
        if before is None or not entries or entries[0].seq != from_seq:
            return []
        return signed_copies(life, before, entries, self._signer, self._clock.now_ms())

    def hash_before(self, seq: int) -> bytes | None:
        """Hash of the entry before `seq`; for 0 what stands before the stream."""
        return genesis_hash(self._life.stream_id) if seq <= 0 else self.hash_at(seq - 1)

    def sign(self, message: bytes) -> bytes:
        """Sign with the journal key."""
        return self._signer.sign(message)

    def boot(self) -> int:
        """How often this journal was opened for writing."""
        return self._boot

    def z(self, biz: str) -> ZReport:
        """See JournalReader; includes what was appended last."""
        self.flush()
        return super().z(biz)

    def receipts_of(self, biz: str) -> dict[str, list[str]]:
        """See JournalReader; includes what was appended last."""
        self.flush()
        return super().receipts_of(biz)

    def copies_of(self, receipt_no: str) -> int:
        """See JournalReader; includes what was appended last."""
        self.flush()
        return super().copies_of(receipt_no)

    def recent_sales(self, lane: int, limit: int) -> list[tuple[JournalEntry, int]]:
        """See JournalReader; includes what was appended last."""
        self.flush()
        return super().recent_sales(lane, limit)

    def sale_by_receipt(self, receipt_no: str) -> JournalEntry:
        """See JournalReader; a sale of a moment ago is found without writing anything."""
        parsed = parse_receipt_no(receipt_no)
        with self._append_lock:
            seq = None if parsed is None else self._state.sold.get(parsed)
            return super().sale_by_receipt(receipt_no) if seq is None else self.read(seq, 1, 1)[0]

    def member_history(self, member: str) -> MemberHistory:
        """See JournalReader; includes what was appended last."""
        with self._append_lock:
            return self._history(
                member, [each.bought for each in self._state.waiting if each.bought is not None]
            )

    def flush(self) -> None:
        """Write what waits for the tables beside the entries; UnavailableError as `append`."""
        with self._append_lock:
            try:
                self._ballast.spent_on(self._flush)
            except sqlite3.Error as error:
                raise UnavailableError(why_not_written(self._path.parent, error)) from error

    def _flush(self) -> None:
        if not self._state.waiting:
            return
        writer = self._opened_writer()
        writer.execute("BEGIN IMMEDIATE")
        try:
            self._state.write(writer)
            writer.execute("COMMIT")
        except sqlite3.Error:
            with suppress(sqlite3.Error):  # a full disk has ended it already
                writer.execute("ROLLBACK")
            raise
        self._state.written()

    def _commit(self, draft: EntryDraft) -> JournalEntry:
        seq, state = self._last[0] + 1, self._state
        change = state.change_of(draft.event, Place(seq, draft.biz, draft.till))
        body = self._scribe.body(draft, seq, change.gt, state.day)
        head = entry_hash(self._life.stream_id, seq, self._last[1], body)
        entry = JournalEntry(seq, draft.id, draft.event.type, body, head)
        is_due = len(state.waiting) + 1 >= WRITTEN_EVERY or isinstance(
            draft.event, (DayOpened, DayClosed)
        )
        tables = partial(state.write_with, change=change) if is_due else None
        put_entry(self._opened_writer(), (seq, entry.id, entry.type, body, head), tables)
        self._last = (seq, head)
        state.keep(change)
        if is_due:
            state.written()
        if change.day is not None:
            self._mark_outside()
        return entry

    def _recover(self, error: sqlite3.Error, draft: EntryDraft) -> JournalEntry:
        """An error at commit says nothing: what the file holds after reopening counts."""
        code = why_not_written(self._path.parent, error)
        found = self._find_after(draft.id)
        if found is not None:
            return found
        if code == DISK_FULL and self._ballast.give_up():
            _log.error("journal.ballast_given_up")
            try:
                return self._commit(draft)
            except sqlite3.Error:
                found = self._find_after(draft.id)
                if found is not None:
                    return found
        raise UnavailableError(code) from error

    def _find_after(self, entry_id: str) -> JournalEntry | None:
        try:
            if self._writer is not None:
                self._writer.close()
            self._connect(self._life.number)
            return self.own_entry(entry_id)
        except sqlite3.Error as second:
            raise UnavailableError("journal.write_failed") from second

    def _go_over_to(self, number: int) -> None:
        """Leave the current life for the next one, or stay in it when that cannot be opened."""
        before, writer = self._life.number, self._opened_writer()
        with suppress(sqlite3.Error):  # nothing is written to it any more
            writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        try:
            self._open_life(number)
        except (sqlite3.Error, OSError):
            if self._writer is not None and self._writer is not writer:
                self._writer.close()
            remove_side_files(life_path(self._first_path, number))
            self._open_life(before)
            raise
        finally:
            writer.close()

    def _open_life(self, number: int) -> None:
        """Go over to a life's file, for writing and reading."""
        self._set_path(life_path(self._first_path, number))
        self._connect(number)
        self._boot = self._count_boot()
        self._scribe = Scribe(self._clock, self._life.stream, self._boot)
        super().open()
        self._began_at_ms = self.open_older(self._first_path, number)

    def _connect(self, number: int) -> None:
        self._writer = writer = connect_writer(self._path, "FULL")
        migrate(writer, MIGRATIONS)
        life = life_of(writer, number)
        if life is None:
            raise CorruptError("journal.stream", path=str(self._path))
        self._life = life
        self._last = check_tail(writer, self._life.stream_id)
        self._state = Projections.load(writer, self._life.series)
        self._state.replay(unprojected(writer))

    def _vouched_for(self, inc: str) -> int:
        """The last entry that the cloud of this incarnation is known to hold, or its archive."""
        if inc and self.note("inc") not in {inc, ""}:
            safe = self.watermark("safe")
            return -1 if safe is None else safe[0]
        return self.acked()

    def _count_boot(self) -> int:
        writer = self._opened_writer()
        writer.execute(
            "INSERT INTO boot(one, ordinal) VALUES(1,1)"
            " ON CONFLICT(one) DO UPDATE SET ordinal=ordinal+1"
        )
        return int(writer.execute("SELECT ordinal FROM boot").fetchone()[0])

    def _begin_incarnation(self, inc: str) -> None:
        """What an earlier incarnation acknowledged says nothing about this one."""
        writer = self._opened_writer()
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM watermark WHERE name='acked'")
        writer.execute("INSERT OR REPLACE INTO note(name, value) VALUES('inc',?)", (inc,))
        writer.execute("COMMIT")

    def _mark(self, name: str, seq: int, entry_sha256: bytes) -> None:
        if self.hash_at(seq) != entry_sha256:
            raise CorruptError("journal.ack_hash", seq=seq)
        with self._append_lock:
            self._opened_writer().execute(
                "INSERT INTO watermark(name, seq, hash) VALUES(?,?,?) ON CONFLICT(name)"
                " DO UPDATE SET seq=excluded.seq, hash=excluded.hash WHERE excluded.seq>seq",
                (name, seq, entry_sha256),
            )

    def _mark_outside(self) -> None:
        """Note how far the journal is, for the day on which the file is gone or older."""
        with self._mark_lock:
            self._write_mark()

    def _write_mark(self) -> None:
        self._marked_at_ms = self._clock.mono_ms()
        acked, day = self.watermark("acked"), self._state.day
        seq, found = acked if acked is not None else (0, self.hash_at(0) or b"")
        mark = Mark(
            life=self._life.number,
            stream=self._life.stream,
            seq=seq,
            hash=found.hex(),
            gt=self._state.gt,
            boot=self._boot,
            biz=day.biz if day is not None else "",
            is_open=day is not None and day.is_open,
        )
        try:
            write_mark(self._first_path, mark)
        except OSError as error:  # the journal itself is well; the next acknowledgement tries again
            _log.warning("journal.mark_failed", because=str(error))

    def _close_writer(self, writer: sqlite3.Connection) -> None:
        try:
            self._flush()
        except sqlite3.Error as error:  # folded again at the next opening
            _log.warning("journal.flush_failed", because=str(error))
        writer.close()

    def _let_go(self) -> None:
        """Close what is open, unwritten; let another process have the file."""
        super().close()
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None

    def _opened_writer(self) -> sqlite3.Connection:
        if self._writer is None:
            raise RuntimeError("the journal is not open for writing")
        return self._writer
