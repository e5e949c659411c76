"""Listen to the boxes: their hello, birth and death."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import orjson
import structlog
from sqlalchemy import Connection

from cloud.db import Database, notify
from cloud.fleet import contact_store
from cloud.fleet.contact_store import StreamHead
from cloud.mqtt import Message
from shared.kernel.clock import Clock
from shared.kernel.errors import RefusedError
from shared.kernel.ids import DeviceId
from shared.wire.message import Birth, Hello, parse_message
from shared.wire.topics import device_of

LIVE_CHANNEL = "tillbox_live"
READS_MAX = 2**31 - 1

_log = structlog.get_logger("cloud.fleet")

AnswerHello = Callable[[DeviceId, str, StreamHead | None], None]
"""Device, stream (hex), the stream's head; None when the box may not write to it."""


@dataclass(frozen=True, slots=True)
class FleetConsumer:
    """Keeps `box_state`; safe to call from several threads, and by several workers at once."""

    database: Database
    clock: Clock
    answer_hello: AnswerHello
    check_desired: Callable[[DeviceId, int], None]
    """Device and the revision it has stored: announces again what it seems not to know."""

    def on_hello(self, message: Message) -> None:
        """Note both heads and answer with ours: repairs every message that was lost before."""
        dev, hello = device_of(message.topic), parse_message(Hello, message.payload)
        stream_id = _stream_id(hello.stream)
        if hello.dev != dev:
            raise RefusedError("fleet.foreign_hello", dev=dev)
        values = {
            "dev": dev,
            "stream": stream_id,
            "now": self.clock.now_ms(),
            "seq": hello.seq,
            "conn": hello.conn,
            "boot": hello.boot,
            "unsynced": hello.unsynced,
            "sw": hello.sw,
            "stored": hello.stored_rev,
            "active": hello.active_rev,
            "model": hello.model,
            "reads": min(hello.reads, READS_MAX),
        }
        with self.database.begin() as connection:
            head = contact_store.stream_head(connection, dev, stream_id)
            if head is not None:
                contact_store.save_hello(connection, values)
                _tell_live(connection, dev)
        _log.info("fleet.hello", dev=dev, seq=hello.seq, head=None if head is None else head.seq)
        self.answer_hello(dev, hello.stream, head)
        if head is not None:
            self.check_desired(dev, hello.stored_rev)

    def on_state(self, message: Message) -> None:
        """Note a birth or a death; old news changes nothing, so its order does not matter."""
        if not message.payload:  # a retained message that somebody cleared
            return
        dev, state = device_of(message.topic), parse_message(Birth, message.payload)
        now_ms = None if message.is_retained else self.clock.now_ms()
        values = {
            "dev": dev,
            "conn": state.conn,
            "boot": state.boot,
            "sw": state.sw,
            "now": now_ms,
        }
        save = contact_store.save_birth if state.online else contact_store.save_death
        with self.database.begin() as connection:
            if save(connection, values):
                _log.info("fleet.online" if state.online else "fleet.offline", dev=dev)
                _tell_live(connection, dev)


def _tell_live(connection: Connection, dev: str) -> None:
    notify(connection, LIVE_CHANNEL, orjson.dumps({"kind": "box", "dev": dev}).decode())


def _stream_id(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise RefusedError("wire.message", kind="Hello", field="stream") from None
