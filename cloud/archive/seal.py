"""Seal acknowledged entries into segments and read them back; only then may a box forget them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import structlog

from cloud.archive import segment_store as store
from cloud.archive.objects import ObjectStore
from cloud.archive.packing import fetch, pack
from cloud.db import Database
from cloud.signing import is_signed_by
from shared.journal.segment import Segment, check_segment, read_segment, segment_lines
from shared.kernel.errors import CorruptError, MissingError

CHECK_ROWS = 200
DAY_MS = 24 * 3_600_000

_log = structlog.get_logger("cloud.archive")


@dataclass(frozen=True, slots=True)
class Terms:
    """When a stream is archived (so many entries, or so long ago) and how long it is kept."""

    entries: int = 1_000
    age_ms: int = 3_600_000
    retention_days: int = 3_650

    def keep_until_ms(self, now_ms: int) -> int:
        """Until when an object of now cannot be deleted, where the store locks."""
        return now_ms + self.retention_days * DAY_MS


AT_ONCE = Terms(entries=1, age_ms=0)


@dataclass(frozen=True, slots=True)
class Sealer:
    """Moves entries into the archive; one at a time, whoever runs it holds the archivist's lock."""

    database: Database
    objects: ObjectStore
    terms: Terms

    def seal_due(self, now_ms: int, *, at_once: bool = False) -> tuple[int, int]:
        """Archive what is due: how many segments came, and how many streams did not hold.

        Raises UnavailableError when the archive or the database is away; what was sealed stays.
        """
        terms = AT_ONCE if at_once else self.terms
        with self.database.begin() as connection:
            due = store.due_streams(connection, terms.entries, now_ms - terms.age_ms)
        sealed = broken = 0
        for stream in due:
            try:
                sealed += sum(1 for _ in self.seal(stream, now_ms))
            except CorruptError as error:
                broken += 1
                _log.error("archive.tampered", stream=stream.stream_id.hex(), because=str(error))
        return sealed, broken

    def seal(self, due: store.Due, now_ms: int) -> Iterator[Segment]:
        """Archive one stream up to the head that its box signed.

        Raises CorruptError `segment.*` when the stored entries are not what the box signed: they
        were changed in the database, and the archive takes no such thing.
        """
        sealed_seq = due.sealed_seq
        while sealed_seq < due.head_seq:
            with self.database.begin() as connection:
                segment = store.next_piece(connection, due, sealed_seq)
            check_segment(segment, is_signed_by)
            packed = pack(segment_lines(segment))
            name = self.objects.put(packed, self.terms.keep_until_ms(now_ms))
            with self.database.begin() as connection:
                if not store.add_segment(connection, segment, name, len(packed), now_ms):
                    return
            yield segment
            sealed_seq = segment.to_seq

    def check_new(self, now_ms: int) -> tuple[int, int]:
        """Read back what nobody has read back: how many were good, how many bad."""
        good = bad = 0
        while rows := self._unverified():
            for row in rows:
                flaw = self.flaw_of(row)
                good, bad = (good + 1, bad) if flaw is None else (good, bad + 1)
                with self.database.begin() as connection:
                    if flaw is None:
                        store.mark_verified(connection, row, now_ms)
                    else:
                        store.mark_flawed(connection, row, flaw)
                        _log.error("archive.flawed", stream=row.stream_id.hex(), because=flaw)
        return good, bad

    def flaw_of(self, row: store.StoredSegment) -> str | None:
        """What is wrong with a segment as the archive gives it back; None when nothing is.

        Raises UnavailableError when the archive does not answer: that says nothing.
        """
        try:
            segment = read_segment(fetch(self.objects, row.object))
            check_segment(segment, is_signed_by)
        except (CorruptError, MissingError) as error:
            return error.code
        with self.database.begin() as connection:
            prev = store.hash_at(connection, row.stream_id, row.store_id, row.from_seq - 1)
            head = store.hash_at(connection, row.stream_id, row.store_id, row.to_seq)
        stated = (row.stream_id.hex(), row.from_seq, row.to_seq, row.journal_pub, row.signature)
        found = (segment.stream, segment.from_seq, segment.to_seq, segment.journal_pub)
        if (*found, segment.signature) != stated or (segment.prev, segment.head) != (prev, head):
            return "segment.other"
        return None

    def raise_safe(self) -> int:
        """Let boxes forget what is archived for certain; how many streams moved.

        Nothing moves after a restore drill that failed, until one succeeds.
        """
        with self.database.begin() as connection:
            if not store.may_raise_safe(connection):
                return 0
            waiting = store.waiting_streams(connection)
        moved = 0
        for stream_id in waiting:  # one by one: nobody's batch waits for all of them
            with self.database.begin() as connection:
                moved += store.raise_safe(connection, stream_id)
        return moved

    def repair(self, now_ms: int) -> int:
        """Put flawed segments again from the entries in the database; answers how many."""
        with self.database.begin() as connection:
            rows = store.flawed(connection)
        for row in rows:
            with self.database.begin() as connection:
                segment = store.segment_again(connection, row)
            check_segment(segment, is_signed_by)
            packed = pack(segment_lines(segment))
            name = self.objects.put_again(packed, self.terms.keep_until_ms(now_ms))
            with self.database.begin() as connection:
                store.mark_put_again(connection, row, name, len(packed))
        return len(rows)

    def _unverified(self) -> list[store.StoredSegment]:
        with self.database.begin() as connection:
            return store.unverified(connection, CHECK_ROWS)
