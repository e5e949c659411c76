"""Several objects in one answer: each is a frame of its kind, its name, its length and its bytes.

    kind (1 byte) | SHA-256 of the object (32 bytes) | length (4 bytes, big endian) | bytes

The last frame says that nothing is missing: an answer without it was cut.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from shared.kernel.errors import RefusedError

FRAME_BYTES_MAX = 128 * 1024 * 1024
NO_NAME = bytes(32)
_HEADER = struct.Struct(">c32sI")


class FrameKind(StrEnum):
    """What a frame holds."""

    MANIFEST = "M"
    PIECE = "P"
    URL = "U"
    """Where the named object is to be fetched, as text."""
    END = "E"


@dataclass(frozen=True, slots=True)
class Frame:
    """The head of a frame: `length` bytes of its body follow."""

    kind: FrameKind
    sha256: bytes
    length: int


def frame_header(kind: FrameKind, sha256: bytes = NO_NAME, length: int = 0) -> bytes:
    """The bytes before a body; `sha256` (32 raw bytes) names the object that the frame is about."""
    return _HEADER.pack(kind.value.encode(), sha256, length)


class FrameReader:
    """Reads frames out of chunks as they come; bodies are handed on, never gathered."""

    def __init__(self) -> None:
        self._rest = b""
        self._left = 0
        self._is_ended = False

    def feed(self, chunk: bytes) -> Iterator[Frame | bytes]:
        """The heads of frames and the parts of their bodies, in order.

        Raises RefusedError `wire.frame` for what is no frame, or comes after the last one.
        """
        data = self._rest + chunk
        self._rest = b""
        while data:
            if self._left:
                part, data = data[: self._left], data[self._left :]
                self._left -= len(part)
                yield part
            elif len(data) < _HEADER.size:
                self._rest, data = data, b""
            else:
                frame = self._head(data)
                data = data[_HEADER.size :]
                yield frame
        if self._is_ended and self._rest:
            raise RefusedError("wire.frame")

    def finish(self) -> None:
        """Say that no more comes; RefusedError `wire.frame_cut` unless the last frame was read."""
        if not self._is_ended or self._left:
            raise RefusedError("wire.frame_cut")

    def _head(self, data: bytes) -> Frame:
        kind, sha256, length = _HEADER.unpack_from(data)
        known = kind in {each.value.encode() for each in FrameKind}
        if self._is_ended or not known or length > FRAME_BYTES_MAX:
            raise RefusedError("wire.frame")
        frame = Frame(FrameKind(kind.decode()), sha256, length)
        if frame.kind is FrameKind.END and length:
            raise RefusedError("wire.frame")
        self._left, self._is_ended = length, frame.kind is FrameKind.END
        return frame
