"""From an MQTT message to a committed, acknowledged batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import DBAPIError

from cloud.db import Database, DatabaseError
from cloud.ingest.ack import AckSender
from cloud.ingest.arrival import read_arrival
from cloud.ingest.posting import Poster
from cloud.ingest.service import Verdict, ingest
from cloud.mqtt import Message
from shared.kernel.clock import Clock
from shared.kernel.errors import RefusedError, UnavailableError
from shared.kernel.ids import DeviceId
from shared.wire.message import AckCode
from shared.wire.topics import device_of

UNREADABLE = "unreadable"

_log = structlog.get_logger("cloud.ingest")


@dataclass(frozen=True, slots=True)
class JournalConsumer:
    """Takes journal batches; safe to call from several threads."""

    database: Database
    posters: Sequence[Poster]
    acks: AckSender
    clock: Clock
    count: Callable[[str, int], None]
    """Told the outcome of each batch (an ack code or `unreadable`) and how many it stored."""

    def on_message(self, message: Message) -> None:
        """Take one batch in and answer; whatever arrives, this returns."""
        try:
            dev = device_of(message.topic)
        except RefusedError as error:
            self._drop(message, error)
            return
        try:
            arrival = read_arrival(dev, message.payload)
        except RefusedError as error:
            self._refuse(dev, message, error)
            return
        stream = arrival.header.stream
        try:
            verdict = ingest(
                database=self.database,
                arrival=arrival,
                posters=self.posters,
                now_ms=self.clock.now_ms(),
            )
        except (UnavailableError, DatabaseError, DBAPIError) as error:
            # Nothing is lost: the box keeps the batch until an `ok` with the right hash.
            _log.warning("ingest.busy", dev=dev, stream=stream, because=str(error))
            self.count(AckCode.BUSY, 0)
            self.acks.send_busy(dev, stream)
            return
        self.count(verdict.code, verdict.stored)
        self._tell(dev, stream, verdict)
        self.acks.send(dev, stream, verdict)

    def _refuse(self, dev: DeviceId, message: Message, error: RefusedError) -> None:
        stream = error.params.get("stream")
        if not isinstance(stream, str):  # without a header there is nobody's stream to stop
            self._drop(message, error)
            return
        self.count(AckCode.BAD, 0)
        _log.error("ingest.bad", dev=dev, stream=stream, because=error.code)
        self.acks.send_bad(dev, stream)

    def _drop(self, message: Message, error: RefusedError) -> None:
        self.count(UNREADABLE, 0)
        _log.warning(
            "ingest.unreadable",
            topic=message.topic[:80],
            size=len(message.payload),
            because=error.code,
        )

    def _tell(self, dev: DeviceId, stream: str, verdict: Verdict) -> None:
        told = _log.info if verdict.code in {AckCode.OK, AckCode.DUP} else _log.error
        if verdict.flagged:  # stored, but somebody should look at why it could not be booked
            told = _log.warning
        told(
            f"ingest.{verdict.code}",
            dev=dev,
            stream=stream,
            head=verdict.head_seq,
            stored=verdict.stored,
            flagged=verdict.flagged,
            because=verdict.because,
        )
