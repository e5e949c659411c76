"""What becomes of a batch: the decision table of the journal protocol, pure.

The broker duplicates, delays and reorders, and a box may be a clone of another, so an arrival is
judged by hashes alone.  Nothing here trusts a sequence number by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.wire.message import AckCode

REFUSED_STREAM = "revoked"
UPLOADING_DEVICES = frozenset({"active", "retiring"})
"""A retiring box may still bring its tail."""


@dataclass(frozen=True, slots=True)
class StreamState:
    """A stream as stored; while it is empty `head_seq` is -1 and `head_hash` is `genesis`."""

    dev: str
    device_status: str
    status: str
    genesis: bytes
    head_seq: int
    head_hash: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """What a batch says: from the device of the topic, entries with `hashes` from `first_seq`.

    `prev_hash` stands before the first one.  The chain from `prev_hash` through the bodies to the
    last hash was computed by us, never taken from the box.
    """

    dev: str
    first_seq: int
    prev_hash: bytes
    hashes: tuple[bytes, ...]

    @property
    def last_seq(self) -> int:
        """Sequence number of the last entry; `first_seq` - 1 for none."""
        return self.first_seq + len(self.hashes) - 1


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, and how many entries at the front are stored already."""

    code: AckCode
    known: int = 0


def overlap_of(stream: StreamState, claim: Claim) -> range:
    """Sequence numbers whose stored hashes `decide` needs besides the head's."""
    return range(max(0, claim.first_seq - 1), min(claim.last_seq, stream.head_seq - 1) + 1)


def decide(stream: StreamState | None, claim: Claim, stored: Mapping[int, bytes]) -> Decision:
    """Judge a batch whose own chain holds; `stored` has the hashes of `overlap_of`.

    A stream stays open for its own valid continuation for ever: that a clone forked it, or that
    it was closed, does not stop the rightful box.
    """
    if stream is None or not _may_upload(stream, claim.dev):
        return Decision(AckCode.REVOKED)
    if not claim.hashes:
        return Decision(AckCode.BAD)
    if claim.first_seq > stream.head_seq + 1:
        return Decision(AckCode.GAP)
    known = min(claim.last_seq, stream.head_seq) - claim.first_seq + 1
    for n, theirs in enumerate((claim.prev_hash, *claim.hashes[:known])):
        if _hash_at(stream, stored, claim.first_seq - 1 + n) != theirs:
            return Decision(AckCode.FORK)
    return Decision(AckCode.DUP if known == len(claim.hashes) else AckCode.OK, known)


def _may_upload(stream: StreamState, dev: str) -> bool:
    return (
        stream.dev == dev
        and stream.device_status in UPLOADING_DEVICES
        and stream.status != REFUSED_STREAM
    )


def _hash_at(stream: StreamState, stored: Mapping[int, bytes], seq: int) -> bytes | None:
    if seq == stream.head_seq:
        return stream.head_hash
    return stream.genesis if seq < 0 else stored.get(seq)
