"""Published objects: zstd-compressed record lines, written and read as a stream."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import IO

import zstandard

from shared.kernel.errors import RefusedError
from shared.publication.revision import Record, lines_of

ZSTD_LEVEL = 10
LINE_BYTES_MAX = 64 * 1024
OBJECT_BYTES_MAX = 256 * 1024 * 1024
"""Unpacked size above which an object is refused: 100,000 items are about 17 MB."""
_CHUNK = 1 << 16


def encode_object(records: Iterable[Record]) -> bytes:
    """Compressed bytes of an object; its SHA-256 is its name."""
    out = io.BytesIO()
    with zstandard.ZstdCompressor(level=ZSTD_LEVEL).stream_writer(out, closefd=False) as writer:
        for line in lines_of(records):
            writer.write(line)
    return out.getvalue()


def iter_lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Record lines of an object without their newline, in bounded memory.

    Raises RefusedError `wire.compressed` or `wire.bomb`.
    """
    rest = b""
    total = 0
    reader = zstandard.ZstdDecompressor().stream_reader(stream, closefd=False)
    while chunk := _read(reader):
        total += len(chunk)
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        if total > OBJECT_BYTES_MAX or len(rest) > LINE_BYTES_MAX:
            raise RefusedError("wire.bomb", limit=OBJECT_BYTES_MAX)
        yield from lines
    if rest:
        yield rest


def _read(reader: zstandard.ZstdDecompressionReader) -> bytes:
    try:
        return reader.read(_CHUNK)
    except zstandard.ZstdError:
        raise RefusedError("wire.compressed") from None
