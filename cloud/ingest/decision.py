"""What becomes of a batch: the decision table of the journal protocol, pure.

The broker duplicates, delays and reorders, and a box may be a clone of another, so an arrival is
judged by hashes alone.  Nothing here trusts a sequence number by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from shared.wire.message import AckCode

REFUSED_STREAM = "revoked"
UPLOADING_DEVICES = frozenset({"active", "retiring"})
"""A retiring box may still bring its tail."""
CARRIED_DEVICES = frozenset({"retiring", "revoked"})
"""Whose tail another box of the store may bring: it is out of service, or lost."""
LIVES_PER_DAY_MAX = 20
"""Journal lives that one device may begin in 24 hours; more are a defect or an attack."""


@dataclass(frozen=True, slots=True)
class StreamState:
    """A stream as stored; while it is empty `head_seq` is -1 and `head_hash` is `genesis`."""

    dev: str
    device_status: str
    status: str
    genesis: bytes
    head_seq: int
    head_hash: bytes
    carrier_status: str | None = None
    """Status of the uploading device where it is another one of the same store."""


@dataclass(frozen=True, slots=True)
class DeviceState:
    """A device as enrolled."""

    dev: str
    store_id: str
    status: str


@dataclass(frozen=True, slots=True)
class Opening:
    """Whose journal begins, by the words of its entry 0."""

    dev: str
    store_id: str


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


def newborn(
    claim: Claim,
    genesis: bytes,
    opening: Opening | None,
    *,
    owner: DeviceState | None,
    uploader: DeviceState | None,
) -> StreamState | None:
    """The state in which `decide` meets a stream that is not stored; None for a stranger's.

    A box begins a new journal life without asking: a clone, a restored image, a broken file.
    `owner` is the device that the `opening` names.  Until entry 0 is here nobody knows whose
    stream it is, so a box of ours is merely told that the beginning is missing.
    """
    if uploader is None or uploader.status not in UPLOADING_DEVICES:
        return None
    if claim.first_seq > 0:
        return StreamState(uploader.dev, uploader.status, "open", genesis, -1, genesis)
    if opening is None or owner is None or owner.dev != opening.dev:
        return None
    if not owner.store_id == opening.store_id == uploader.store_id:
        return None
    carrier_status = None if uploader.dev == owner.dev else uploader.status
    return StreamState(owner.dev, owner.status, "open", genesis, -1, genesis, carrier_status)


def decide(stream: StreamState | None, claim: Claim, stored: Mapping[int, bytes]) -> Decision:
    """Judge a batch whose own chain holds; `stored` has the hashes of `overlap_of`.

    A stream stays open for its own valid continuation for ever: that a clone forked it, or that
    it was closed, does not stop the rightful box.
    """
    if stream is None or not may_upload(stream, claim.dev):
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


def may_upload(stream: StreamState, dev: str) -> bool:
    """Whether a device may bring entries of a stream."""
    if stream.status == REFUSED_STREAM:
        return False
    if stream.dev == dev:
        return stream.device_status in UPLOADING_DEVICES
    # Signed by its own box, so it is as good from another's hands.
    return stream.device_status in CARRIED_DEVICES and stream.carrier_status in UPLOADING_DEVICES


def once_open(stream: StreamState) -> StreamState:
    """The stream as when its box was still let in, for what was acknowledged then."""
    status = "open" if stream.status == REFUSED_STREAM else stream.status
    return replace(stream, device_status="retiring", status=status)


def _hash_at(stream: StreamState, stored: Mapping[int, bytes], seq: int) -> bytes | None:
    if seq == stream.head_seq:
        return stream.head_hash
    return stream.genesis if seq < 0 else stored.get(seq)
