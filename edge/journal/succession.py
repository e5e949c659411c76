"""Which journal life a box goes on with: the one that is there, or a new one, and why."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
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
)
from edge.journal.migrations import MIGRATIONS
from edge.journal.projections import BusinessDay
from edge.journal.scribe import EntryDraft, Scribe
from edge.journal.signer import Signer
from edge.sqlite import connect_writer, migrate
from shared.journal.event import Event, StreamOpened
from shared.journal.life import FileEvidence, LifeCause, cause_at_start, salvaged_range
from shared.kernel.clock import Clock
from shared.kernel.errors import CorruptError
from shared.sale.receipt_no import FIRST_SERIES, series_of

_log = structlog.get_logger("journal")


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
                self.begin(None, cause, Heritage(), self.clock.now_ms())
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
            return self._left_in(number, path)
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


def _heritage_of_mark(mark: Mark | None) -> Heritage:
    """What is known of a journal that is gone: what was noted at its last acknowledgement."""
    if mark is None:
        return Heritage()
    day = BusinessDay(mark.biz, "", mark.is_open) if mark.biz else None
    return Heritage(mark.position, mark.gt, mark.boot, day)
