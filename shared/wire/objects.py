"""Published objects: zstd-compressed record lines, written and read as a stream."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import IO

import zstandard

from shared.kernel.errors import RefusedError
from shared.publication.revision import Record, lines_of
from shared.wire.unpack import at_most, unzstd

ZSTD_LEVEL = 10
LINE_BYTES_MAX = 64 * 1024
OBJECT_BYTES_MAX = 256 * 1024 * 1024
"""Unpacked size above which an object is refused: 100,000 items are about 17 MB."""
_CHUNK = 1 << 16


def encode_object(records: Iterable[Record]) -> bytes:
    """Compressed bytes of an object of these records; raises as `pack_lines`."""
    return pack_lines(line.removesuffix(b"\n") for line in lines_of(records))


def pack_lines(lines: Iterable[bytes]) -> bytes:
    """Compressed bytes of an object; its SHA-256 is its name. Lines come without newline.

    RefusedError `wire.line` for a record that no box would read.
    """
    rest = iter(lines)
    head, is_all = _first(rest)
    packer = zstandard.ZstdCompressor(level=ZSTD_LEVEL)
    if is_all:  # told its size, the packer makes ready for that alone: a hundredth of the time
        return packer.compress(head)
    out = io.BytesIO()
    with packer.stream_writer(out, closefd=False) as writer:
        writer.write(head)
        for line in rest:
            writer.write(_checked(line))
    return out.getvalue()


def _first(lines: Iterator[bytes]) -> tuple[bytes, bool]:
    """The first lines, as much as is small, and whether these were all."""
    head = bytearray()
    for line in lines:
        head += _checked(line)
        if len(head) >= _CHUNK:
            return bytes(head), False
    return bytes(head), True


def _checked(line: bytes) -> bytes:
    if len(line) >= LINE_BYTES_MAX:
        raise RefusedError("wire.line", limit=LINE_BYTES_MAX)
    return line + b"\n"


def iter_lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Record lines of an object without their newline, in bounded memory.

    Raises RefusedError `wire.compressed` (also when the end is missing), `wire.bomb` or
    `wire.line`.
    """
    rest = b""
    for piece in at_most(unzstd(iter(lambda: stream.read(_CHUNK), b"")), OBJECT_BYTES_MAX):
        *lines, rest = (rest + piece).split(b"\n")
        if max(map(len, (rest, *lines))) > LINE_BYTES_MAX:
            raise RefusedError("wire.line", limit=LINE_BYTES_MAX)
        yield from lines
    if rest:
        yield rest
