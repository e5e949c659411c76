"""Entries on their way to the posters; an entry id has its effects once, wherever it stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import orjson
import structlog
from sqlalchemy import Connection

from cloud.db import NOTIFY_BYTES_MAX, DatabaseError, LostConnectionError
from cloud.ingest.entry import SALVAGED, EntryHead, flaw_of, original_of, read_head
from cloud.ingest.posting import SLIPS, Posted, Poster, Prepared

NEWS_MAX = 20
"""Sales of one batch that a live screen hears of; the rest is a number."""
REPEATED = "entry.repeated"
UNPOSTABLE = "ingest.unpostable"
UNSALVAGED = "entry.salvage"
"""A salvaged entry that carries no entry, or another one than it says."""

_log = structlog.get_logger("cloud.ingest")


class Written(NamedTuple):
    """Entries as they are stored: the bodies from `first_seq` on of a store's stream (hex)."""

    store_id: str
    stream: str
    first_seq: int
    bodies: Sequence[bytes]


def post_again(
    connection: Connection, posters: Sequence[Poster], written: Written
) -> list[tuple[int, str]]:
    """Have stored entries posted as when they came; the flags (number, code) that they earn.

    For books that are made anew: an id that has had its effects is left out, as in ingest.
    Raises as `read_head`.
    """
    desk = PostingDesk(posters)
    for _ in desk.watch(heads_of(written)):
        pass
    flags = list(desk.flags)
    try:
        desk.prepare(written.store_id)
        with connection.begin_nested():
            desk.post(connection)
    except LostConnectionError:
        raise
    except (DatabaseError, *SLIPS):
        desk.flags = flags
        desk.post_carefully(connection, written.store_id)
    return desk.flags


def heads_of(written: Written) -> Iterator[EntryHead]:
    """What ingest must know of each entry; raises as `read_head`."""
    for seq, body in enumerate(written.bodies, start=written.first_seq):
        yield read_head(body, written.stream, seq)


class PostingDesk:
    """Sorts entries by poster while they pass, then has them posted.

    A salvaged entry passes as the one that it carries: its effects are those of the original.
    """

    def __init__(self, posters: Sequence[Poster]) -> None:
        self.flags: list[tuple[int, str]] = []
        self._baskets: list[tuple[Poster, dict[str, EntryHead]]] = [
            (poster, {}) for poster in posters
        ]
        self._by_type = {
            kind: basket for poster, basket in self._baskets for kind in poster.entry_types
        }
        self._prepared: list[Prepared] = []
        self._news: list[dict[str, Any]] = []

    def watch(self, heads: Iterable[EntryHead]) -> Iterator[EntryHead]:
        """Pass entries on and keep those that a poster wants."""
        basket_of = self._by_type.get
        for head in heads:
            flaw = flaw_of(head)
            basket = basket_of(head.type)
            if flaw is not None:
                self.flags.append((head.seq, flaw))
            elif basket is not None:
                kept = basket.setdefault(head.id, head)
                if kept is not head and (kept.stream == head.stream or _is_other(kept, head)):
                    self.flags.append((head.seq, REPEATED))
            elif head.type == SALVAGED:
                self._salvage(head)
            yield head

    def prepare(self, store_id: str) -> None:
        """Work out what everything causes; takes time, but no database."""
        self._prepared = [
            poster.prepare(store_id, list(basket.values()))
            for poster, basket in self._baskets
            if basket
        ]

    def post(self, connection: Connection) -> None:
        """Write what was prepared; a database error when something cannot be."""
        for prepared in self._prepared:
            self._keep(prepared(connection))

    def post_carefully(self, connection: Connection, store_id: str) -> None:
        """Leave out what was posted before; flag what the database does not take."""
        for poster, basket in self._baskets:
            known = poster.posted(connection, store_id, list(basket)) if basket else set()
            again = [entry for entry in basket.values() if entry.id in known]
            others = poster.differing(connection, store_id, again) if again else set()
            self.flags += [(entry.seq, REPEATED) for entry in again if entry.id in others]
            for entry in basket.values():
                if entry.id not in known:
                    self._post_alone(connection, store_id, poster, entry)

    def told(self, dev: str) -> str:
        """What the live screens hear of this batch: JSON that fits into a NOTIFY."""
        shown = self._news[-NEWS_MAX:]
        while True:
            told = orjson.dumps({"kind": "batch", "dev": dev, "sales": shown})
            if len(told) <= NOTIFY_BYTES_MAX:
                return told.decode()
            shown = shown[1:]

    def _salvage(self, head: EntryHead) -> None:
        """An original that is here already, or was before, has no second effect and no flag.

        Another fact under the same id is flagged: money was taken that is in no book.
        """
        original = original_of(head)
        flaw = UNSALVAGED if original is None else flaw_of(original)
        if original is None or flaw is not None:
            self.flags.append((head.seq, flaw or UNSALVAGED))
            return
        basket = self._by_type.get(original.type)
        if basket is not None and _is_other(basket.setdefault(original.id, original), original):
            self.flags.append((head.seq, REPEATED))

    def _post_alone(
        self, connection: Connection, store_id: str, poster: Poster, entry: EntryHead
    ) -> None:
        try:
            with connection.begin_nested():
                posted = poster.prepare(store_id, [entry])(connection)
        except LostConnectionError:
            raise
        except DatabaseError:
            # Another worker may have posted it, under another stream, since we looked.
            if not poster.posted(connection, store_id, [entry.id]):
                self.flags.append((entry.seq, UNPOSTABLE))
            elif poster.differing(connection, store_id, [entry]):
                self.flags.append((entry.seq, REPEATED))
        except SLIPS:
            _log.exception("ingest.poster_failed", store=store_id, entry=entry.id, seq=entry.seq)
            self.flags.append((entry.seq, UNPOSTABLE))
        else:
            self._keep(posted)

    def _keep(self, posted: Posted) -> None:
        self.flags += posted.flags
        self._news += posted.news


def _is_other(one: EntryHead, another: EntryHead) -> bool:
    """Whether two entries with one id tell different things."""
    return (one.type, one.data) != (another.type, another.data)
