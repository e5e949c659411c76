"""What a box hears when something is wrong on our side or on its own."""

from __future__ import annotations

import pytest

from cloud.db import Database
from cloud.ingest.ack import RETRY_BUSY_MS, AckSender
from cloud.ingest.consumer import JournalConsumer
from cloud.mqtt import Message
from shared.kernel.clock import ClockQuality
from shared.wire.message import Ack, parse_message
from tests.fakes.box_stream import START_MS, BoxStream

DEV = "d-aaaaaaaaaaaaaaaa"


class StoppedClock:
    def now_ms(self) -> int:
        return START_MS

    def mono_ms(self) -> int:
        return START_MS

    def quality(self) -> ClockQuality:
        return ClockQuality.NTP


class Outbox:
    """Everything that was published and counted."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes, int]] = []
        self.counted: list[tuple[str, int]] = []
        acks = AckSender(self.publish, lambda: "77-1", StoppedClock())
        nowhere = Database("postgresql://nobody@127.0.0.1:1/nothing")
        self.consumer = JournalConsumer(nowhere, (), acks, StoppedClock(), self.count)

    def publish(self, topic: str, payload: bytes, expiry_s: int) -> bool:
        self.sent.append((topic, payload, expiry_s))
        return True

    def count(self, code: str, stored: int) -> None:
        self.counted.append((code, stored))

    def take(self, topic: str, payload: bytes) -> list[Ack]:
        self.consumer.on_message(Message(topic, payload, is_retained=False))
        return [parse_message(Ack, sent) for _, sent, _ in self.sent]


@pytest.fixture
def box() -> BoxStream:
    made = BoxStream(DEV, "343")
    made.append_sales(3)
    return made


def test_without_a_database_the_box_is_asked_to_come_back(box: BoxStream) -> None:
    outbox = Outbox()
    [ack] = outbox.take(f"tb/1/d/{DEV}/up/j", box.batch(0, 2))
    assert (ack.code, ack.head, ack.hh, ack.retry_ms) == ("busy", -1, "", RETRY_BUSY_MS)
    assert (ack.stream, ack.inc, ack.t) == (box.stream_id.hex(), "77-1", START_MS)
    assert outbox.sent[0][0] == f"tb/1/d/{DEV}/dn/ja"
    assert outbox.counted == [("busy", 0)]


def test_a_broken_chain_is_bad_whatever_the_database_does(box: BoxStream) -> None:
    outbox = Outbox()
    box.bodies[1] += b" "
    [ack] = outbox.take(f"tb/1/d/{DEV}/up/j", box.batch(0, 2))
    assert (ack.code, ack.head) == ("bad", -1)


@pytest.mark.parametrize(
    "topic", ["tb/1/d/d-short/up/j", "tb/1/d/d-AAAAAAAAAAAAAAAA/up/j", "elsewhere", ""]
)
def test_a_foreign_topic_is_answered_by_nobody(box: BoxStream, topic: str) -> None:
    outbox = Outbox()
    assert outbox.take(topic, box.batch(0, 2)) == []
    assert outbox.counted == [("unreadable", 0)]
