"""A journal batch: one codec byte, then compressed lines: a header and the entries' raw bodies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import zstandard

from shared.kernel.canonical import canonical_bytes
from shared.kernel.errors import RefusedError
from shared.kernel.hexadecimal import is_hex
from shared.wire.unpack import at_most, unzlib, unzstd

CODEC_ZSTD = 1
CODEC_ZLIB = 2
BATCH_ENTRIES_MAX = 200
BATCH_BYTES_MAX = 256 * 1024
"""Flush at this many uncompressed bytes; one larger entry travels alone."""
PAYLOAD_BYTES_MAX = 1024 * 1024
UNPACKED_BYTES_MAX = 8 * 1024 * 1024
ZSTD_LEVEL = 3
SW_CHARS_MAX = 80


@dataclass(frozen=True, slots=True)
class BatchHeader:
    """Line 0 of a batch.

    Hashes are hex: `prev` before entry `from_seq`, `head` of the last entry, `sig` the box's
    Ed25519 signature over the head statement made at `t` (UTC ms).

    `edge_head` is the last sequence number on the box; `boot` and `mono` order it in time.
    """

    stream: str
    from_seq: int
    count: int
    prev: str
    head: str
    sig: str
    edge_head: int
    boot: int
    mono: int
    t: int
    sw: str


def encode_batch(header: BatchHeader, bodies: Sequence[bytes]) -> bytes:
    """Payload of one `up/j` message; RefusedError `wire.too_large` above 1 MiB."""
    assert header.count == len(bodies)
    assert not any(b"\n" in body for body in bodies)  # canonical JSON has no raw line feed
    line = canonical_bytes(
        {
            "v": 1,
            "stream": header.stream,
            "from": header.from_seq,
            "count": header.count,
            "prev": header.prev,
            "head": header.head,
            "sig": header.sig,
            "edge_head": header.edge_head,
            "boot": header.boot,
            "mono": header.mono,
            "t": header.t,
            "sw": header.sw,
        }
    )
    packed = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(b"\n".join((line, *bodies)))
    if len(packed) >= PAYLOAD_BYTES_MAX:
        raise RefusedError("wire.too_large", size=len(packed))
    return bytes((CODEC_ZSTD,)) + packed


def decode_batch(payload: bytes) -> tuple[BatchHeader, list[bytes]]:
    """Header and raw bodies, exactly as they were hashed.

    Raises RefusedError `wire.too_large`, `wire.codec`, `wire.compressed`, `wire.bomb`,
    `wire.header` or `wire.count`; never unpacks more than 8 MiB.
    """
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise RefusedError("wire.too_large", size=len(payload))
    # Never more pieces than a batch may have, whatever the payload says.
    lines = unpack(payload).split(b"\n", BATCH_ENTRIES_MAX + 1)
    header = _header_of(lines[0])
    bodies = lines[1:]
    if len(bodies) != header.count or not 0 < header.count <= BATCH_ENTRIES_MAX:
        raise RefusedError("wire.count", stated=header.count, found=len(bodies))
    return header, bodies


def unpack(payload: bytes) -> bytes:
    """Decompress with a cap on the output, so that a small message cannot fill the memory."""
    if not payload:
        raise RefusedError("wire.codec", codec=None)
    codec, packed = payload[0], payload[1:]
    if codec == CODEC_ZSTD:
        return b"".join(at_most(unzstd((packed,)), UNPACKED_BYTES_MAX))
    if codec == CODEC_ZLIB:
        return b"".join(at_most((unzlib(packed, UNPACKED_BYTES_MAX),), UNPACKED_BYTES_MAX))
    raise RefusedError("wire.codec", codec=codec)


def _header_of(line: bytes) -> BatchHeader:
    try:
        raw = json.loads(line)
        header = BatchHeader(
            stream=raw["stream"],
            from_seq=raw["from"],
            count=raw["count"],
            prev=raw["prev"],
            head=raw["head"],
            sig=raw["sig"],
            edge_head=raw["edge_head"],
            boot=raw["boot"],
            mono=raw["mono"],
            t=raw["t"],
            sw=raw["sw"],
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        raise RefusedError("wire.header") from None
    _check_types(header)
    return header


def _check_types(header: BatchHeader) -> None:
    numbers = (header.from_seq, header.count, header.edge_head, header.boot, header.mono, header.t)
    if any(type(number) is not int or not 0 <= number < 1 << 63 for number in numbers):
        raise RefusedError("wire.header")
    hexes = ((header.stream, 16), (header.prev, 32), (header.head, 32), (header.sig, 64))
    if not all(is_hex(text, size) for text, size in hexes):
        raise RefusedError("wire.header")
    if type(header.sw) is not str or len(header.sw) > SW_CHARS_MAX or not header.sw.isprintable():
        raise RefusedError("wire.header")
