"""Take a batch in: verify, store, post and move the head in one transaction.

Effects happen once because they are keyed by entry id, whatever the broker, a second worker or a
cloned card does.  What a sale says may be nonsense; that it happened is a fact, so such an entry
is stored, flagged and acknowledged: refusing it would block the store for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import Connection

from cloud.db import Database, DatabaseError, LostConnectionError
from cloud.ingest import store
from cloud.ingest.arrival import Arrival
from cloud.ingest.birth import Birth, find_birth, open_life
from cloud.ingest.decision import Decision, decide, may_upload, once_open, overlap_of
from cloud.ingest.desk import PostingDesk, Written, heads_of
from cloud.ingest.posting import SLIPS, Poster
from cloud.ingest.store import LockedStream
from cloud.signing import is_signed_by
from shared.kernel.errors import RefusedError
from shared.wire.message import AckCode

NO_HEAD = (-1, b"")
TOO_MANY_LIVES = "ingest.too_many_lives"
RETRY_LIFE_MS = 600_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a batch; `head_seq` and `head_hash` are the stored stream's afterwards.

    `safe_seq` and `safe_hash` name the last entry that the archive has for certain.
    """

    code: AckCode
    head_seq: int
    head_hash: bytes
    stored: int = 0
    flagged: int = 0
    because: str = ""
    safe_seq: int = -1
    safe_hash: bytes = b""
    retry_ms: int = 0


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
    except (DatabaseError, *SLIPS):
        # An id that has had its effects under another stream, a value that PostgreSQL cannot
        # hold, a poster that stumbles.  All are rare, so the usual way pays nothing for them.
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
        arrival, claim = self._arrival, self._arrival.claim
        stream = store.lock_stream(self._connection, arrival.stream_id, claim.dev)
        birth = None if stream is not None else find_birth(self._connection, arrival)
        if birth is not None:
            stream = birth.stream
        if stream is None:
            return Verdict(AckCode.REVOKED, *NO_HEAD)
        seqs = overlap_of(stream.state, claim)
        key = store.StreamKey(arrival.stream_id, stream.store_id)
        hashes = store.stored_hashes(self._connection, key, seqs)
        state = once_open(stream.state) if arrival.is_archived else stream.state
        decision = decide(state, claim, hashes)
        if decision.code is not AckCode.OK:
            return self._refuse(stream, decision)
        if not is_signed_by(stream.journal_pub, arrival.signature, arrival.statement):
            return _unchanged(stream, AckCode.BAD, "ingest.signature")
        if birth is not None and not self._open(birth):
            return Verdict(AckCode.BUSY, *NO_HEAD, because=TOO_MANY_LIVES, retry_ms=RETRY_LIFE_MS)
        try:
            return self._take(stream, decision.known)
        except RefusedError as error:
            raise _UndoneError(_unchanged(stream, AckCode.BAD, error.code)) from error

    def _open(self, birth: Birth) -> bool:
        return open_life(self._connection, self._arrival.stream_id, birth, self._now_ms)

    def _refuse(self, stream: LockedStream, decision: Decision) -> Verdict:
        if decision.code is AckCode.FORK:
            key = store.StreamKey(self._arrival.stream_id, stream.store_id)
            store.mark_fork(self._connection, key)
        if decision.code is AckCode.REVOKED:  # tell a stranger nothing about the stream
            return Verdict(AckCode.REVOKED, *NO_HEAD)
        return _unchanged(stream, decision.code)

    def _take(self, stream: LockedStream, known: int) -> Verdict:
        arrival, claim = self._arrival, self._arrival.claim
        new = store.NewEntries(
            arrival.stream_id,
            stream.store_id,
            claim.first_seq + known,
            arrival.bodies[known:],
            claim.hashes[known:],
        )
        key = store.StreamKey(arrival.stream_id, stream.store_id)
        desk = PostingDesk(self._posters)
        written = Written(stream.store_id, arrival.header.stream, new.first_seq, new.bodies)
        heads = desk.watch(heads_of(written))
        if self._is_careful:
            store.copy_entries(self._connection, new, heads)
            desk.post_carefully(self._connection, stream.store_id)
        else:
            prepare = partial(desk.prepare, stream.store_id)
            store.copy_entries(self._connection, new, heads, meanwhile=prepare)
            desk.post(self._connection)
        if desk.flags:
            store.flag_entries(self._connection, key, desk.flags)
        head = store.SignedHead(
            claim.last_seq, arrival.head_hash, arrival.signature, arrival.header.t
        )
        moved = store.MovedHead(head, arrival.header.edge_head, self._now_ms, desk.told(claim.dev))
        store.move_head(self._connection, key, moved)
        verdict = _unchanged(stream, AckCode.OK)
        return replace(
            verdict,
            head_seq=head.seq,
            head_hash=head.hash,
            stored=len(new.bodies),
            flagged=len(desk.flags),
        )


def verdict_on(stream: LockedStream | None, dev: str) -> Verdict:
    """What a device hears that asks where a stream stands; an unknown one is empty."""
    if stream is None:
        return Verdict(AckCode.OK, *NO_HEAD)
    if not may_upload(stream.state, dev):
        return Verdict(AckCode.REVOKED, *NO_HEAD)
    return _unchanged(stream, AckCode.OK)


def _unchanged(stream: LockedStream, code: AckCode, because: str = "") -> Verdict:
    safe_seq, safe_hash = stream.safe
    return Verdict(
        code,
        stream.state.head_seq,
        stream.state.head_hash,
        because=because,
        safe_seq=safe_seq,
        safe_hash=safe_hash,
    )
