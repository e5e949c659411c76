"""Which journal life a box goes on with: the one that is there, or a new one, and why."""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from edge.identity import Identity, hardware_fingerprint
from edge.ids import new_stream_id
from edge.journal.life_files import (
    Mark,
    life_numbers,
    life_path,
    read_mark,
    remove_unfinished,
)
from edge.journal.lives import (
    Birth,
    Heritage,
    Life,
    build_life,
    evidence_of,
    heritage_of,
    life_of,
    tail_of,
    write_tables,
)
from edge.journal.migrations import MIGRATIONS
from edge.journal.projections import BusinessDay
from edge.journal.scribe import EntryDraft, Scribe
from edge.journal.signer import Signer
from edge.sqlite import connect_reader, connect_writer, migrate
from shared.journal.event import Event, StreamOpened
from shared.journal.life import FileEvidence, LifeCause, cause_at_start, salvaged_range
from shared.kernel.clock import Clock
from shared.kernel.errors import CorruptError, RetailError
from shared.sale.receipt_no import FIRST_SERIES, series_of

_log = structlog.get_logger("journal")
_NOT_AN_ENTRY = (RetailError, ValueError, KeyError, TypeError)
"""What reading an entry that is none may end in."""


@dataclass(frozen=True, slots=True)
class Succession:
    """Finds and makes the lives of the journal at `first_path`."""

    first_path: Path
    identity: Identity
    clock: Clock
    signer: Signer

    def at_start(self) -> tuple[int, LifeCause | None]:
        """Number of the life to open, and why it is a new one (None when it is not).

        CorruptError `journal.other_stream` when the first file is of another box.
        """
        remove_unfinished(self.first_path)
        self.first_path.parent.mkdir(parents=True, exist_ok=True)
        mark = read_mark(self.first_path)
        numbers = life_numbers(self.first_path) or [1]
        number = numbers[-1]
        *older, path = (life_path(self.first_path, each) for each in numbers)
        position = None if mark is None else mark.position
        found = evidence_of(path, position, older)
        self._refuse_foreign(number, found)
        cause = cause_at_start(found, position, hardware_fingerprint())
        if cause is None and found is None:
            if path.exists():  # damaged before it was ever acknowledged
                cause = LifeCause.CORRUPT
            else:
                cause = LifeCause(self.identity.cause)
                self.begin(None, cause, self._handed_on(cause), self.clock.now_ms())
                return 1, cause
        if cause is None:
            return number, None
        _log.error("journal.new_life", cause=cause, file=path.name)
        old, heritage = self._left_by(number, path, found, mark)
        return self.begin(old, cause, heritage, self.clock.now_ms()).number, cause

    def begin(self, old: Life | None, cause: LifeCause, heritage: Heritage, now_ms: int) -> Life:
        """Build the file of the next life; durable on return."""
        life = self._next(old, now_ms)
        previous, day = heritage.previous, heritage.day
        opened = StreamOpened(
            device=self.identity.dev,
            store=self.identity.store_id,
            hw_fp=hardware_fingerprint(),
            cause=cause.value,
            journal_pub=self.signer.public_hex,
            previous=None
            if previous is None
            else {"stream": previous.stream, "seq": previous.seq, "hash": previous.hash.hex()},
            series=life.series,
        )
        scribe = Scribe(self.clock, life.stream, heritage.boot)

        def make_body(seq: int, entry_id: str, event: Event, totals: tuple[int, int]) -> bytes:
            biz = day.biz if day is not None and day.is_open and seq else ""
            return scribe.body(
                EntryDraft(entry_id, event, "", "", biz, now_ms, 0), seq, totals, day
            )

        birth = Birth(life, opened, str(uuid.UUID(life.stream)), make_body)
        build_life(life_path(self.first_path, life.number), birth, heritage)
        return life

    def _handed_on(self, cause: LifeCause) -> Heritage:
        """What a box in another's place begins with: the store's day, as head office knew it."""
        day = self.identity.day
        if cause is not LifeCause.SWAP or day is None:
            return Heritage()
        return Heritage(day=BusinessDay(day.biz, "", day.is_open))

    def _next(self, old: Life | None, now_ms: int) -> Life:
        identity = self.identity
        if old is None:
            series = FIRST_SERIES if identity.ordinal == 1 else series_of(identity.stream)
            return Life(1, identity.stream, identity.ordinal, series, now_ms)
        stream = new_stream_id()
        return Life(old.number + 1, stream, old.ordinal + 1, series_of(stream), now_ms)

    def _left_by(
        self, number: int, path: Path, found: FileEvidence | None, mark: Mark | None
    ) -> tuple[Life, Heritage]:
        """The life that ended, and what is left of it."""
        if found is not None and (mark is None or mark.stream == found.stream):
            life, heritage = self._left_in(number, path)
            return life, _caught_up(heritage, mark)
        rescued = _rescued(number, path, mark) if found is None and path.exists() else None
        if rescued is not None:
            return rescued
        if mark is not None:
            number = max(number, mark.life)
        ordinal = self.identity.ordinal + number - 1
        gone = Life(number, "" if mark is None else mark.stream, ordinal, "", 0)
        return gone, _heritage_of_mark(mark)

    def _left_in(self, number: int, path: Path) -> tuple[Life, Heritage]:
        writer = connect_writer(path, "FULL")
        try:
            migrate(writer, MIGRATIONS)
            life = life_of(writer, number)
            if life is not None:
                write_tables(writer, life)
            acked = writer.execute("SELECT seq FROM watermark WHERE name='acked'").fetchone()
        finally:
            writer.close()
        if life is None:
            raise CorruptError("journal.stream", path=str(path))
        salvage_from = salvaged_range(acked[0] if acked else -1, 0).start
        return life, heritage_of(path, life, salvage_from)

    def _refuse_foreign(self, number: int, found: FileEvidence | None) -> None:
        if number == 1 and found is not None and found.stream != self.identity.stream:
            raise CorruptError("journal.other_stream", stream=found.stream)


def _rescued(number: int, path: Path, mark: Mark | None) -> tuple[Life, Heritage] | None:
    """What a damaged file still tells; None when it is not even a journal."""
    number = number if mark is None else max(number, mark.life)
    try:
        with closing(connect_reader(path)) as connection:
            life = life_of(connection, number)
            row = connection.execute("SELECT seq FROM watermark WHERE name='acked'").fetchone()
        if life is None:
            return None
        salvage_from = salvaged_range(row[0] if row else -1, 0).start
        try:
            heritage = heritage_of(path, life, salvage_from)
        except (sqlite3.DatabaseError, *_NOT_AN_ENTRY):
            tail = tail_of(path, life, salvage_from)
            heritage = replace(_heritage_of_mark(mark), tail=tail)
    except (sqlite3.DatabaseError, *_NOT_AN_ENTRY) as error:
        _log.error("journal.nothing_rescued", file=path.name, because=str(error))
        return None
    is_of_it = mark is not None and mark.stream == life.stream
    return life, _caught_up(heritage, mark if is_of_it else None)


def _caught_up(heritage: Heritage, mark: Mark | None) -> Heritage:
    """What an older file hands on, with what is known to have happened after it.

    A day that was closed since must not be closed again, and the perpetual totals never go back.
    """
    if mark is None:
        return heritage
    day, noted = heritage.day, _heritage_of_mark(mark).day
    is_newer = noted is not None and (
        day is None or noted.biz > day.biz or (noted.biz == day.biz and not noted.is_open)
    )
    sales, refunds = heritage.gt
    return replace(
        heritage,
        gt=(max(sales, mark.gt[0]), max(refunds, mark.gt[1])),
        boot=max(heritage.boot, mark.boot),
        day=noted if is_newer else day,
    )


def _heritage_of_mark(mark: Mark | None) -> Heritage:
    """What is known of a journal that is gone: what was noted at its last acknowledgement."""
    if mark is None:
        return Heritage()
    day = BusinessDay(mark.biz, "", mark.is_open) if mark.biz else None
    return Heritage(mark.position, mark.gt, mark.boot, day)
