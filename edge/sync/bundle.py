"""Everything that leads to a revision in one answer: frames become verified files as they come."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from shared.kernel.errors import CorruptError
from shared.wire.frames import Frame, FrameKind, FrameReader

URL_BYTES_MAX = 4096


@dataclass
class _Open:
    """A frame whose body is under way."""

    frame: Frame
    path: Path
    file: BinaryIO
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)
    left: int = 0


class Bundle:
    """Takes an answer's chunks; objects lie in `folder` by their SHA-256 once they are whole.

    `urls` maps the SHA-256 (hex) of what was not sent along to where it is.
    """

    def __init__(self, folder: Path, bytes_max: int) -> None:
        self._folder = folder
        self._bytes_left = bytes_max
        self._open: _Open | None = None
        self.urls: dict[str, str] = {}

    def take(self, chunks: Iterable[bytes]) -> None:
        """Read the whole answer.

        Raises RefusedError `wire.frame` or `wire.frame_cut`, CorruptError `object.hash` or
        `object.too_large`; the objects before that are kept.
        """
        reader = FrameReader()
        try:
            for chunk in chunks:
                for event in reader.feed(chunk):
                    self._begin(event) if isinstance(event, Frame) else self._add(event)
            reader.finish()
        finally:
            self._drop()

    def _begin(self, frame: Frame) -> None:
        if frame.kind is FrameKind.END:
            return
        limit = URL_BYTES_MAX if frame.kind is FrameKind.URL else self._bytes_left
        if frame.length > limit:
            raise CorruptError("object.too_large", sha256=frame.sha256.hex(), limit=limit)
        self._bytes_left -= frame.length
        path = self._folder / f"{frame.sha256.hex()}.part"
        self._open = _Open(frame, path, path.open("wb"), left=frame.length)
        self._end_if_whole()

    def _add(self, part: bytes) -> None:
        opened = self._open
        assert opened is not None
        opened.file.write(part)
        opened.digest.update(part)
        opened.left -= len(part)
        self._end_if_whole()

    def _end_if_whole(self) -> None:
        opened = self._open
        if opened is None or opened.left:
            return
        opened.file.close()
        name = opened.frame.sha256.hex()
        if opened.frame.kind is FrameKind.URL:
            self.urls[name] = opened.path.read_text(encoding="utf-8", errors="replace")
        elif opened.digest.digest() != opened.frame.sha256:
            raise CorruptError("object.hash", sha256=name)
        else:
            opened.path.replace(self._folder / name)
        self._drop()

    def _drop(self) -> None:
        opened, self._open = self._open, None
        if opened is not None:
            opened.file.close()
            opened.path.unlink(missing_ok=True)
