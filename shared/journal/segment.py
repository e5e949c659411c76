"""A segment of the archive: consecutive entries of one stream, good without any database.

A header line, then the raw bodies, one per line.  The chain leads from `prev` to `head`, and the
box has signed the head; only a segment that was cut for its size has no signature: the next
segment of its stream that bears one vouches for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shared.journal.chain import chain_hashes, genesis_hash, head_statement
from shared.kernel.canonical import canonical_bytes
from shared.kernel.errors import CorruptError
from shared.kernel.hexadecimal import is_hex

SEGMENT_KIND = "segment"
SEGMENT_VERSION = 1
SEGMENT_BYTES_MAX = 8 * 1024 * 1024
"""A segment is cut before its bodies grow larger; one larger entry stands alone."""
Verify = Callable[[bytes, bytes, bytes], bool]
"""Public key, signature, message: whether the key's holder signed the message."""


@dataclass(frozen=True, slots=True)
class Signature:
    """The box's signature over the head statement of entry `seq`, made at `at_ms` (UTC)."""

    seq: int
    at_ms: int
    sig: bytes


@dataclass(frozen=True, slots=True)
class Segment:
    """Entries of a stream (hex) from `from_seq`; `prev` and `head` are the hashes around them.

    `dev` and `store` wrote them, `journal_pub` is the key that they are signed with.
    """

    stream: str
    dev: str
    store: str
    journal_pub: bytes
    from_seq: int
    prev: bytes
    head: bytes
    bodies: tuple[bytes, ...]
    signature: Signature | None = None

    @property
    def to_seq(self) -> int:
        """Sequence number of the last entry."""
        return self.from_seq + len(self.bodies) - 1


def segment_lines(segment: Segment) -> bytes:
    """The bytes of a segment; the same segment always has the same."""
    assert segment.bodies
    assert not any(b"\n" in body for body in segment.bodies)  # canonical JSON has no raw line feed
    sigs = [
        {"seq": signed.seq, "at": signed.at_ms, "sig": signed.sig.hex()}
        for signed in (segment.signature,)
        if signed is not None
    ]
    header = {
        "kind": SEGMENT_KIND,
        "v": SEGMENT_VERSION,
        "stream": segment.stream,
        "dev": segment.dev,
        "store": segment.store,
        "journal_pub": segment.journal_pub.hex(),
        "from": segment.from_seq,
        "count": len(segment.bodies),
        "prev": segment.prev.hex(),
        "head": segment.head.hex(),
        "sigs": sigs,
    }
    return b"\n".join((canonical_bytes(header), *segment.bodies))


def read_segment(data: bytes) -> Segment:
    """Read what `segment_lines` wrote; CorruptError `segment.form`. Proves nothing yet."""
    line, *bodies = data.split(b"\n")
    try:
        raw = json.loads(line)
        segment = _segment_of(raw, tuple(bodies))
        is_sound = raw["kind"] == SEGMENT_KIND and raw["v"] == SEGMENT_VERSION
        is_sound = is_sound and raw["count"] == len(bodies) > 0
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise CorruptError("segment.form") from None
    if not is_sound:
        raise CorruptError("segment.form")
    return segment


def read_range(line: bytes) -> tuple[str, range]:
    """Stream (hex) and sequence numbers of a segment by its first line; CorruptError as above."""
    try:
        raw = json.loads(line)
        stream, first, count = raw["stream"], raw["from"], raw["count"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise CorruptError("segment.form") from None
    if not is_hex(stream, 16) or not _is_count(first) or not _is_count(count) or not count:
        raise CorruptError("segment.form")
    return stream, range(first, first + count)


def check_segment(segment: Segment, verify: Verify) -> list[bytes]:
    """The hashes of its entries, once the chain and the signature hold.

    CorruptError `segment.genesis`, `segment.chain` or `segment.signature`.
    """
    stream = bytes.fromhex(segment.stream)
    if segment.from_seq == 0 and segment.prev != genesis_hash(stream):
        raise CorruptError("segment.genesis", stream=segment.stream)
    hashes = chain_hashes(stream, segment.from_seq, segment.prev, segment.bodies)
    if hashes[-1] != segment.head:
        raise CorruptError("segment.chain", stream=segment.stream, seq=segment.to_seq)
    signed = segment.signature
    if signed is not None:
        statement = head_statement(stream, signed.seq, segment.head, signed.at_ms)
        if signed.seq != segment.to_seq or not verify(segment.journal_pub, signed.sig, statement):
            raise CorruptError("segment.signature", stream=segment.stream, seq=segment.to_seq)
    return hashes


def _segment_of(raw: dict[str, Any], bodies: tuple[bytes, ...]) -> Segment:
    sizes = (("stream", 16), ("journal_pub", 32), ("prev", 32), ("head", 32))
    texts = (raw["dev"], raw["store"])
    if not all(is_hex(raw[name], size) for name, size in sizes):
        raise ValueError
    if not _is_count(raw["from"]) or not all(type(text) is str for text in texts):
        raise ValueError
    sigs = [_signature(signed) for signed in raw["sigs"]]
    return Segment(
        stream=raw["stream"],
        dev=raw["dev"],
        store=raw["store"],
        journal_pub=bytes.fromhex(raw["journal_pub"]),
        from_seq=raw["from"],
        prev=bytes.fromhex(raw["prev"]),
        head=bytes.fromhex(raw["head"]),
        bodies=bodies,
        signature=sigs[-1] if sigs else None,
    )


def _signature(raw: dict[str, Any]) -> Signature:
    if not is_hex(raw["sig"], 64) or not _is_count(raw["seq"]) or not _is_count(raw["at"]):
        raise ValueError
    return Signature(raw["seq"], raw["at"], bytes.fromhex(raw["sig"]))


def _is_count(number: object) -> bool:
    return type(number) is int and 0 <= number < 1 << 63
