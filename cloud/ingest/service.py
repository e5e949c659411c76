"""Take a batch in: verify, store, post and move the head in one transaction.

Effects happen once because they are keyed by entry id, whatever the broker, a second worker or a
cloned card does.  What a sale says may be nonsense; that it happened is a fact, so such an entry
is stored, flagged and acknowledged: refusing it would block the store for ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection

from cloud.db import NOTIFY_BYTES_MAX, Database, DatabaseError, LostConnectionError
from cloud.ingest import store
from cloud.ingest.arrival import Arrival
from cloud.ingest.decision import Decision, decide, overlap_of
from cloud.ingest.entry import EntryHead, flaw_of, read_head, storable
from cloud.ingest.posting import Poster, Tray
from cloud.signing import is_signed_by
from shared.kernel.errors import RefusedError
from shared.wire.message import AckCode

NEWS_MAX = 20
"""Sales of one batch that a live screen hears of; the rest is a number."""
UNPOSTABLE = "ingest.unpostable"
NO_HEAD = (-1, b"")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a batch; `head_seq` and `head_hash` are the stored stream's afterwards."""

    code: AckCode
    head_seq: int
    head_hash: bytes
    stored: int = 0
    flagged: int = 0
    because: str = ""


def ingest(
    *, database: Database, arrival: Arrival, posters: Sequence[Poster], now_ms: int
) -> Verdict:
    """Store what is new of a batch; returns only after the commit.

    Raises UnavailableError or a database error when PostgreSQL is away: nothing was stored then,
    or everything was and the same batch will be called a duplicate.
    """
    try:
        with database.begin() as connection:
            return _Intake(connection, arrival, posters, now_ms).run()
    except _UndoneError as undone:
        return undone.verdict
    except LostConnectionError:
        raise
    except DatabaseError:
        # An id that has had its effects under another stream, or a value that PostgreSQL cannot
        # hold.  Both are rare, so the usual way pays nothing for them.
        with database.begin() as connection:
            return _Intake(connection, arrival, posters, now_ms, is_careful=True).run()


class _UndoneError(Exception):
    """Leaves the transaction, so that it is rolled back, with the answer for the box."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.because)
        self.verdict = verdict


class _Intake:
    """One attempt, inside its transaction."""

    def __init__(
        self,
        connection: Connection,
        arrival: Arrival,
        posters: Sequence[Poster],
        now_ms: int,
        *,
        is_careful: bool = False,
    ) -> None:
        self._connection = connection
        self._arrival = arrival
        self._posters = posters
        self._now_ms = now_ms
        self._is_careful = is_careful

    def run(self) -> Verdict:
        stream = store.lock_stream(self._connection, self._arrival.stream_id)
        if stream is None:
            return Verdict(AckCode.REVOKED, *NO_HEAD)
        claim = self._arrival.claim
        seqs = overlap_of(stream.state, claim)
        hashes = store.stored_hashes(self._connection, self._arrival.stream_id, seqs)
        decision = decide(stream.state, claim, hashes)
        if decision.code is not AckCode.OK:
            return self._refuse(stream, decision)
        arrival = self._arrival
        if not is_signed_by(stream.journal_pub, arrival.signature, arrival.statement):
            return _unchanged(stream, AckCode.BAD, "ingest.signature")
        try:
            return self._take(stream, decision.known)
        except RefusedError as error:
            raise _UndoneError(_unchanged(stream, AckCode.BAD, error.code)) from error

    def _refuse(self, stream: store.LockedStream, decision: Decision) -> Verdict:
        if decision.code is AckCode.FORK:
            store.mark_fork(self._connection, self._arrival.stream_id)
        if decision.code is AckCode.REVOKED:  # tell a stranger nothing about the stream
            return Verdict(AckCode.REVOKED, *NO_HEAD)
        return _unchanged(stream, decision.code)

    def _take(self, stream: store.LockedStream, known: int) -> Verdict:
        arrival, last_seq = self._arrival, self._arrival.claim.last_seq
        desk = _PostingDesk(self._posters, stream.store_id)
        flagged = self._copy_entries(desk, known, stream.store_id)
        if self._is_careful:
            flags = desk.write_one_by_one(self._connection)
            store.flag_entries(self._connection, arrival.stream_id, flags)
            flagged += len(flags)
        else:
            desk.write(self._connection)
        head = (last_seq, arrival.head_hash)
        store.move_head(
            self._connection, arrival.stream_id, head, arrival.header.edge_head, self._now_ms
        )
        news = desk.news()
        if news is not None:
            store.tell_live(self._connection, news)
        return Verdict(AckCode.OK, *head, len(arrival.bodies) - known, flagged)

    def _copy_entries(self, desk: _PostingDesk, known: int, store_id: str) -> int:
        arrival, claim = self._arrival, self._arrival.claim
        stream, stream_id, hashes = arrival.header.stream, arrival.stream_id, claim.hashes
        flagged = 0
        with store.entry_writer(self._connection) as copy:
            for n in range(known, len(hashes)):
                seq, body = claim.first_seq + n, arrival.bodies[n]
                head = read_head(body, stream, seq)
                flag = flaw_of(head)
                if flag is None:
                    flag = desk.take(head)
                    row = (head.id, head.type, head.at)
                else:
                    row = (storable(head.id), storable(head.type), head.at)
                flagged += flag is not None
                copy.write_row((stream_id, seq, *row, store_id, body, hashes[n], flag))
        return flagged


class _PostingDesk:
    """Hands each entry to the poster of its type; an entry id counts once."""

    def __init__(self, posters: Sequence[Poster], store_id: str) -> None:
        self._trays = {poster: poster.open_tray(store_id) for poster in posters}
        self._store_id = store_id
        self._by_type: Mapping[str, Poster] = {
            kind: poster for poster in posters for kind in poster.entry_types
        }
        self._taken: dict[str, EntryHead] = {}

    def take(self, entry: EntryHead) -> str | None:
        """Put an entry into its tray; answers a flag when it cannot be posted."""
        poster = self._by_type.get(entry.type)
        if poster is None:
            return None
        if entry.id in self._taken:
            return "entry.repeated"
        try:
            self._trays[poster].add(entry)
        except RefusedError as error:
            return error.code
        self._taken[entry.id] = entry
        return None

    def write(self, connection: Connection) -> None:
        for tray in self._trays.values():
            tray.write(connection)

    def write_one_by_one(self, connection: Connection) -> list[tuple[int, str]]:
        """Post what was not posted before, each entry by itself; answers (seq, flag) of failures."""
        flags = []
        for poster in self._trays:
            wanted = poster.entry_types
            ids = [key for key, entry in self._taken.items() if entry.type in wanted]
            for id_ in sorted(set(ids) - poster.posted(connection, ids)):
                tray = poster.open_tray(self._store_id)
                tray.add(self._taken[id_])
                if not _try_write(connection, tray):
                    flags.append((self._taken[id_].seq, UNPOSTABLE))
        return flags

    def news(self) -> str | None:
        """What the live screens are told: JSON that fits into a NOTIFY."""
        shown: list[dict[str, Any]] = []
        for tray in self._trays.values():
            shown += tray.news(NEWS_MAX)
        while shown:
            told = orjson.dumps({"kind": "sales", "sales": shown})
            if len(told) <= NOTIFY_BYTES_MAX:
                return told.decode()
            shown = shown[1:]
        return None


def _try_write(connection: Connection, tray: Tray) -> bool:
    savepoint = connection.begin_nested()
    try:
        tray.write(connection)
    except LostConnectionError:
        raise
    except DatabaseError:
        savepoint.rollback()
        return False
    savepoint.commit()
    return True


def _unchanged(stream: store.LockedStream, code: AckCode, because: str = "") -> Verdict:
    return Verdict(code, stream.state.head_seq, stream.state.head_hash, because=because)
