"""The box's journal as the shelf room uses it: folds it into the book, writes its facts into it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import structlog

from edge.journal.ballast import DISK_FULL, ROOM_BYTES_MIN, free_bytes
from edge.journal.reader import JournalReader
from edge.journal.store import EntryDraft, Journal
from edge.shelf.store import Place, ShelfStore, Told
from shared.journal.device_event import StockCounted
from shared.journal.entry import JournalEntry
from shared.kernel.errors import RefusedError, UnavailableError
from shared.stock.book import BOOK_EVENTS, book_after
from shared.wire.codec import parse_body, parse_event

SLICE_ENTRIES = 500
_SLICE_BYTES = 1 << 20
_log = structlog.get_logger(__name__)


class ShelfLedger:
    """Reads on from where it stopped, so a look costs what has happened since the last one."""

    def __init__(self, journal: Journal, store: ShelfStore, revision: Callable[[], int]) -> None:
        self._journal = journal
        self._store = store
        self._revision = revision
        self._book: dict[str, int] = {}
        self._place: Place | None = None

    def open(self) -> None:
        """Take up what was kept."""
        self._book = self._store.book()
        self._place = self._store.place()

    def book_milli(self, gtin: str) -> int | None:
        """What there should be of an item, None where it was never counted."""
        return self._book.get(gtin)

    def catch_up(self, slices: int = 20) -> None:
        """Fold what was appended since, at most so many slices at a time."""
        for _ in range(slices):
            if not self._fold_slice():
                return

    def tell(self) -> None:
        """Write the facts that wait, in order; what the disk has no room for waits on."""
        for fact in self._store.waiting_facts():
            try:
                self._append(fact)
            except (RefusedError, UnavailableError, sqlite3.Error) as error:
                _log.warning("shelf.fact_waits", because=str(error))
                return
            self._store.forget_fact(fact.id)

    def _append(self, fact: Told) -> None:
        journal = self._journal
        if free_bytes(journal.path.parent) < ROOM_BYTES_MIN:  # the last room is kept for sales
            raise UnavailableError(DISK_FULL)
        with journal.exclusive():  # the day must not close between asking for it and the entry
            day = journal.day()
            journal.append(
                EntryDraft(
                    id=fact.id,
                    event=fact.event,
                    actor=fact.actor,
                    till="",
                    biz=day.biz if day is not None and day.is_open else "",
                    at_ms=fact.at_ms,
                    cat=self._revision(),
                )
            )

    def _fold_slice(self) -> bool:
        """Fold some entries; whether there may be more."""
        place = self._place or Place(self._journal.stream, -1)
        reader = self._reader_of(place.stream)
        if reader is None:  # that journal is gone or damaged: go on with the current one
            self._place = Place(self._journal.stream, -1)
            return True
        entries = reader.read(place.seq + 1, SLICE_ENTRIES, _SLICE_BYTES)
        if not entries:
            if place.stream != self._journal.stream:
                self._place = Place(self._journal.stream, -1)
                return True
            return False
        before = self._book
        book = before
        for entry in entries:
            book = self._after(book, entry)
        changed = {gtin: qty for gtin, qty in book.items() if before.get(gtin) != qty}
        read_to = Place(place.stream, entries[-1].seq)
        # First on the disk: what could not be kept there is folded again, not forgotten.
        self._store.keep_book(read_to, changed)
        self._place, self._book = read_to, book
        return True

    def _reader_of(self, stream: str) -> JournalReader | None:
        if stream == self._journal.stream:
            return self._journal
        paths = dict(self._journal.older_lives())
        older = (each for each in self._journal.lives()[1:] if each.path == paths.get(stream))
        return next(older, None)

    def _after(self, book: dict[str, int], entry: JournalEntry) -> dict[str, int]:
        # A salvaged entry stands in the journal before this one, which was folded already.
        if entry.type not in BOOK_EVENTS or (not book and entry.type != StockCounted.type):
            return book
        try:
            body = parse_body(entry.body)
            return book_after(book, parse_event(body["type"], body["data"]))
        except RefusedError as error:  # one entry must not stop the book for ever
            _log.error("shelf.entry_skipped", seq=entry.seq, because=str(error))
            return book
