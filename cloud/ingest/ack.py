"""The only acknowledgement that counts, made from a verdict and sent after the commit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cloud.ingest.service import NO_HEAD, Verdict
from shared.kernel.clock import Clock
from shared.kernel.ids import DeviceId
from shared.wire.message import Ack, AckCode, message_bytes
from shared.wire.topics import down_ack

ACK_EXPIRY_S = 60
"""An older acknowledgement says nothing that the next one does not."""
RETRY_BUSY_MS = 2_000

Publish = Callable[[str, bytes, int], bool]
"""Topic, payload, seconds until it is worthless; False when the broker is away."""


def ack_of(stream: str, verdict: Verdict, incarnation: str, now_ms: int) -> Ack:
    """The acknowledgement of a verdict on a stream (hex), said at `now_ms`."""
    retry_ms = verdict.retry_ms or (RETRY_BUSY_MS if verdict.code is AckCode.BUSY else 0)
    return Ack(
        stream=stream,
        code=verdict.code,
        head=verdict.head_seq,
        hh=verdict.head_hash.hex() if verdict.head_seq >= 0 else "",
        safe=verdict.safe_seq,
        sh=verdict.safe_hash.hex(),
        inc=incarnation,
        t=now_ms,
        retry_ms=retry_ms,
    )


@dataclass(frozen=True, slots=True)
class AckSender:
    """Sends acknowledgements."""

    publish: Publish
    incarnation: Callable[[], str]
    clock: Clock

    def send(self, dev: DeviceId, stream: str, verdict: Verdict) -> bool:
        """Tell a box where its stream (hex) stands; a lost acknowledgement is asked for again."""
        ack = ack_of(stream, verdict, self.incarnation(), self.clock.now_ms())
        return self.publish(down_ack(dev), message_bytes(ack), ACK_EXPIRY_S)

    def send_busy(self, dev: DeviceId, stream: str) -> bool:
        """Ask a box to come back later."""
        return self.send(dev, stream, Verdict(AckCode.BUSY, *NO_HEAD))

    def send_bad(self, dev: DeviceId, stream: str) -> bool:
        """Tell a box that what it sent is broken; its stream stops and someone must look."""
        return self.send(dev, stream, Verdict(AckCode.BAD, *NO_HEAD))
