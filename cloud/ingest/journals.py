"""Journal batches that come over HTTP: what salvage tools bring, from whichever copy they have.

The same bytes, the same checks and the same answer as over the broker; only the road differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from cloud.db import Database, incarnation
from cloud.ingest import store
from cloud.ingest.ack import ack_of
from cloud.ingest.arrival import read_arrival
from cloud.ingest.posting import Poster
from cloud.ingest.repost import repost
from cloud.ingest.service import NO_HEAD, Verdict, ingest, verdict_on
from shared.kernel.clock import Clock
from shared.kernel.errors import RefusedError
from shared.kernel.hexadecimal import is_hex
from shared.kernel.ids import DeviceId
from shared.wire.message import Ack, AckCode

_log = structlog.get_logger("cloud.ingest")


@dataclass(frozen=True, slots=True)
class Journals:
    """See `cloud.context.Journals`."""

    database: Database
    posters: Sequence[Poster]
    clock: Clock

    def take(self, dev: DeviceId, payload: bytes) -> Ack:
        """Store what is new of a batch and answer as over the broker.

        Raises RefusedError `wire.*` for what is no batch, UnavailableError or a database error
        when PostgreSQL is away.
        """
        now_ms = self.clock.now_ms()
        try:
            arrival = read_arrival(dev, payload)
        except RefusedError as error:
            stream = error.params.get("stream")
            if not isinstance(stream, str):
                raise
            return self._answer(dev, stream, Verdict(AckCode.BAD, *NO_HEAD, because=error.code))
        verdict = ingest(
            database=self.database, arrival=arrival, posters=self.posters, now_ms=now_ms
        )
        return self._answer(dev, arrival.header.stream, verdict)

    def stand(self, dev: DeviceId, stream: str) -> Ack:
        """Where a stream (hex) stands: `ok` with its head, -1 when it is not known yet.

        `revoked` when this box may not write to it. RefusedError `ingest.stream` for no id.
        """
        if not is_hex(stream, 16):
            raise RefusedError("ingest.stream")
        with self.database.begin() as connection:
            found = store.lock_stream(connection, bytes.fromhex(stream), dev)
        return self._answer(dev, stream, verdict_on(found, dev))

    def repost(self, connection: Connection, stream_id: bytes, seq: int) -> str | None:
        """See `cloud.ingest.repost`."""
        return repost(connection, self.posters, stream_id, seq)

    def _answer(self, dev: DeviceId, stream: str, verdict: Verdict) -> Ack:
        _log.info(
            "ingest.http",
            dev=dev,
            stream=stream,
            code=verdict.code,
            head=verdict.head_seq,
            stored=verdict.stored,
            because=verdict.because,
        )
        with self.database.begin() as connection:
            inc = incarnation(connection)
        return ack_of(stream, verdict, inc, self.clock.now_ms())
