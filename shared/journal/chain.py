"""The hash chain over a journal stream: no entry can be changed, dropped or moved unseen."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from shared.kernel.errors import CorruptError

ENTRY_TAG = b"tbj1"
HEAD_TAG = b"tbh1"
HASH_BYTES = 32
STREAM_BYTES = 16


def genesis_hash(stream_id: bytes) -> bytes:
    """What stands before entry 0: bound to the stream, so that streams cannot be spliced."""
    assert len(stream_id) == STREAM_BYTES
    return hashlib.sha256(ENTRY_TAG + stream_id).digest()


def entry_hash(stream_id: bytes, seq: int, prev_hash: bytes, body: bytes) -> bytes:
    """SHA-256 over tag, stream, sequence number, previous hash and the body's own hash."""
    return linked_hash(stream_id, seq, prev_hash, hashlib.sha256(body).digest())


def linked_hash(stream_id: bytes, seq: int, prev_hash: bytes, body_sha256: bytes) -> bytes:
    """An entry's hash from its body's SHA-256, for whoever may not see the body itself."""
    assert len(stream_id) == STREAM_BYTES
    assert len(prev_hash) == len(body_sha256) == HASH_BYTES
    head = ENTRY_TAG + stream_id + seq.to_bytes(8, "big") + prev_hash
    return hashlib.sha256(head + body_sha256).digest()


def head_statement(stream_id: bytes, seq: int, head_hash: bytes, at_ms: int) -> bytes:
    """What the box signs (Ed25519) to vouch for everything up to and with entry `seq`."""
    assert len(stream_id) == STREAM_BYTES
    assert len(head_hash) == HASH_BYTES
    return HEAD_TAG + stream_id + seq.to_bytes(8, "big") + head_hash + at_ms.to_bytes(8, "big")


def chain_hashes(
    stream_id: bytes, from_seq: int, prev_hash: bytes, bodies: Iterable[bytes]
) -> list[bytes]:
    """Hash of each body in turn, starting after `prev_hash`."""
    assert len(stream_id) == STREAM_BYTES
    assert len(prev_hash) == HASH_BYTES
    # `entry_hash` without its calls and checks: ingest and fsck hash every entry there is.
    found, prev, sha256, start = [], prev_hash, hashlib.sha256, ENTRY_TAG + stream_id
    for seq, body in enumerate(bodies, start=from_seq):
        head = start + seq.to_bytes(8, "big") + prev
        prev = sha256(head + sha256(body).digest()).digest()
        found.append(prev)
    return found


def verify_chain(
    stream_id: bytes, from_seq: int, prev_hash: bytes, entries: Iterable[tuple[bytes, bytes]]
) -> bytes:
    """Check (body, hash) pairs and give the last hash.

    CorruptError `journal.chain` names the first entry that does not fit.
    """
    prev = prev_hash
    for seq, (body, stated) in enumerate(entries, start=from_seq):
        prev = entry_hash(stream_id, seq, prev, body)
        if prev != stated:
            raise CorruptError("journal.chain", seq=seq)
    return prev
