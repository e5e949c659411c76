"""The only acknowledgement that counts, made from a verdict and sent after the commit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cloud.ingest.service import Verdict
from shared.kernel.clock import Clock
from shared.kernel.ids import DeviceId
from shared.wire.message import Ack, AckCode, message_bytes
from shared.wire.topics import down_ack

ACK_EXPIRY_S = 60
"""An older acknowledgement says nothing that the next one does not."""
RETRY_BUSY_MS = 2_000
NO_HEAD = (-1, "")

Publish = Callable[[str, bytes, int], bool]
"""Topic, payload, seconds until it is worthless; False when the broker is away."""


@dataclass(frozen=True, slots=True)
class AckSender:
    """Sends acknowledgements.

    `safe` stays -1 until segments are archived: a box then keeps everything.
    """

    publish: Publish
    incarnation: Callable[[], str]
    clock: Clock

    def send(self, dev: DeviceId, stream: str, verdict: Verdict) -> bool:
        """Tell a box where its stream (hex) stands; a lost acknowledgement is asked for again."""
        head_hash = verdict.head_hash.hex() if verdict.head_seq >= 0 else ""
        return self._send(dev, self._ack(stream, verdict.code, (verdict.head_seq, head_hash)))

    def send_busy(self, dev: DeviceId, stream: str) -> bool:
        """Ask a box to come back later."""
        return self._send(dev, self._ack(stream, AckCode.BUSY, NO_HEAD, RETRY_BUSY_MS))

    def send_bad(self, dev: DeviceId, stream: str) -> bool:
        """Tell a box that what it sent is broken; its stream stops and someone must look."""
        return self._send(dev, self._ack(stream, AckCode.BAD, NO_HEAD))

    def _ack(self, stream: str, code: AckCode, head: tuple[int, str], retry_ms: int = 0) -> Ack:
        seq, head_hash = head
        return Ack(
            stream=stream,
            code=code,
            head=seq,
            hh=head_hash,
            safe=-1,
            sh="",
            inc=self.incarnation(),
            t=self.clock.now_ms(),
            retry_ms=retry_ms,
        )

    def _send(self, dev: DeviceId, ack: Ack) -> bool:
        return self.publish(down_ack(dev), message_bytes(ack), ACK_EXPIRY_S)
