"""Decompress what a stranger sent: in small steps, whole or not at all."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

import zstandard

from shared.kernel.errors import RefusedError

WINDOW_BYTES_MAX = 8 * 1024 * 1024
_STEP = 512
"""Compressed bytes taken at once: four may stand for 128 KiB, so a step makes 16 MiB at most."""


def unzstd(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Unpacked pieces of one zstd frame; RefusedError `wire.compressed` when it is none or cut.

    The caller counts the bytes and stops when they are too many.
    """
    unpacker = zstandard.ZstdDecompressor(max_window_size=WINDOW_BYTES_MAX).decompressobj()
    for part in parts:
        for start in range(0, len(part), _STEP):
            # Bytes behind the end of the frame are nothing that we wrote.
            if unpacker.eof:
                raise RefusedError("wire.compressed")
            try:
                piece = unpacker.decompress(part[start : start + _STEP])
            except zstandard.ZstdError:
                raise RefusedError("wire.compressed") from None
            if piece:
                yield piece
    if not unpacker.eof or unpacker.unused_data:
        raise RefusedError("wire.compressed")


def unzlib(packed: bytes, limit: int) -> bytes:
    """Unpacked bytes, at most `limit` and one more; RefusedError `wire.compressed` as above."""
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(packed, limit + 1)
    except zlib.error:
        raise RefusedError("wire.compressed") from None
    if len(data) <= limit and (not unpacker.eof or unpacker.unused_data):
        raise RefusedError("wire.compressed")
    return data


def at_most(pieces: Iterable[bytes], limit: int) -> Iterator[bytes]:
    """The same pieces; RefusedError `wire.bomb` as soon as they are more than `limit` bytes."""
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > limit:
            raise RefusedError("wire.bomb", limit=limit)
        yield piece


class ChunkReader:
    """Chunks as what reads from their beginning on, as much of a file as tarfile's streams need."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._waiting = memoryview(b"")

    def read(self, size: int) -> bytes:
        """The next `size` bytes; fewer only at the end."""
        parts, left = [], size
        while left:
            if not self._waiting:
                self._waiting = memoryview(next(self._chunks, b""))
                if not self._waiting:
                    break
            # A view: copying the rest of a large chunk for each read would take quadratic time.
            part, self._waiting = self._waiting[:left], self._waiting[left:]
            parts.append(part)
            left -= len(part)
        return b"".join(parts)
