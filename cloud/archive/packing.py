"""What lies in the archive: zstd frames of lines, each with its kind in the first line."""

from __future__ import annotations

import json

import zstandard

from cloud.archive.objects import ObjectStore
from shared.kernel.canonical import sha256
from shared.kernel.errors import CorruptError, RefusedError
from shared.wire.unpack import at_most, unzstd

LEVEL = 9
LINES_BYTES_MAX = 64 * 1024 * 1024
"""Far above the largest segment; a tree has about 150 bytes for each journal stream."""


def pack(lines: bytes) -> bytes:
    """The bytes of an object; the same lines always have the same name."""
    return zstandard.ZstdCompressor(level=LEVEL).compress(lines)


def fetch(objects: ObjectStore, name: str) -> bytes:
    """The lines of an object; raises as `fetch_sized`."""
    return fetch_sized(objects, name)[0]


def fetch_sized(objects: ObjectStore, name: str) -> tuple[bytes, int]:
    """The lines of an object, which are those that were put, and how many bytes it has packed.

    Raises UnavailableError, MissingError `object.missing`, CorruptError `archive.bytes`.
    """
    packed = b"".join(objects.chunks(name))
    if sha256(packed).hex() != name:
        raise CorruptError("archive.bytes", sha256=name)
    try:
        return b"".join(at_most(unzstd((packed,)), LINES_BYTES_MAX)), len(packed)
    except RefusedError:
        raise CorruptError("archive.bytes", sha256=name) from None


def peek(objects: ObjectStore, name: str) -> bytes:
    """The first line of an object, read from its beginning; the bytes are not checked.

    Raises as `fetch`.
    """
    line = b""
    try:
        for piece in at_most(unzstd(objects.chunks(name)), LINES_BYTES_MAX):
            line += piece
            if b"\n" in piece:
                return line.partition(b"\n")[0]
    except RefusedError:
        raise CorruptError("archive.bytes", sha256=name) from None
    return line


def kind_of(lines: bytes) -> str:
    """What an object is: `segment`, `tree` or `register`; "" for nothing of ours."""
    try:
        kind = json.loads(lines.partition(b"\n")[0])["kind"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return kind if isinstance(kind, str) else ""
