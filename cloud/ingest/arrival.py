"""A batch as it came in: unpacked, and its chain computed by ourselves."""

from __future__ import annotations

from dataclasses import dataclass

from cloud.ingest.decision import Claim
from shared.journal.chain import chain_hashes, head_statement
from shared.kernel.errors import RefusedError
from shared.wire.batch import BatchHeader, decode_batch


@dataclass(frozen=True, slots=True)
class Arrival:
    """A batch whose chain leads from its `prev` to its `head`."""

    header: BatchHeader
    stream_id: bytes
    bodies: list[bytes]
    claim: Claim
    is_archived: bool = False
    """Taken from the archive: acknowledged once, whatever has become of its box since."""

    @property
    def head_hash(self) -> bytes:
        """Hash of the last entry."""
        return self.claim.hashes[-1]

    @property
    def signature(self) -> bytes:
        """What the box says is its signature over `statement`."""
        return bytes.fromhex(self.header.sig)

    @property
    def statement(self) -> bytes:
        """What the box should have signed."""
        return head_statement(self.stream_id, self.claim.last_seq, self.head_hash, self.header.t)


def read_arrival(dev: str, payload: bytes) -> Arrival:
    """Unpack a payload that came on the topic of `dev`; needs no database.

    Raises RefusedError `wire.*` when it is no batch, `ingest.chain` (with the `stream`) when its
    entries do not lead from the hash before them to the hash that the box calls their head.
    """
    header, bodies = decode_batch(payload)
    stream_id, prev = bytes.fromhex(header.stream), bytes.fromhex(header.prev)
    hashes = tuple(chain_hashes(stream_id, header.from_seq, prev, bodies))
    if hashes[-1].hex() != header.head:
        raise RefusedError("ingest.chain", stream=header.stream, seq=header.from_seq)
    return Arrival(header, stream_id, bodies, Claim(dev, header.from_seq, prev, hashes))
