"""The box's own files on a stick: where to go on, appending, making room."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

from edge.copy.mirror_file import last_carbon, part_path, parts_in
from shared.journal.carbon import Carbon

PART_BYTES_MAX = 8 * 1024 * 1024
FOLDER_BYTES_MAX = 64 * 1024 * 1024


class MirrorFolder:
    """One journal's files in a folder; every method raises OSError as the stick does.

    `has_arrived` says whether the cloud holds a copy's entry: files whose last entry it holds may
    go when room is short.
    """

    def __init__(self, folder: Path, stream: str, has_arrived: Callable[[Carbon], bool]) -> None:
        self._folder = folder
        self._stream = stream
        self._has_arrived = has_arrived
        self._file: int | None = None
        self._size = 0
        self._total = 0

    @property
    def stream(self) -> str:
        """The journal whose files these are."""
        return self._stream

    def open(self) -> Carbon | None:
        """Open the newest file; the last entry that is here."""
        parts = [part for part in parts_in(self._folder) if part.stream == self._stream]
        last = next((found for part in reversed(parts) if (found := last_carbon(part))), None)
        path = parts[-1].path if parts else self._path(0, is_later=False)
        self._total = sum(part.path.stat().st_size for part in parts_in(self._folder))
        self._open(path)
        return last

    def append(self, seq: int, lines: bytes) -> None:
        """Add lines that begin with entry `seq`, not yet synced; OSError ENOSPC when full."""
        if self._total + len(lines) > FOLDER_BYTES_MAX and not self._make_room(len(lines)):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if self._size and self._size + len(lines) > PART_BYTES_MAX:
            self.sync()
            self.close()
            self._open(self._path(seq, is_later=True))
        assert self._file is not None
        written = os.write(self._file, lines)
        self._size += written
        self._total += written
        if written < len(lines):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def sync(self) -> None:
        """Wait until what was added is on the stick."""
        if self._file is not None:
            os.fdatasync(self._file)

    def close(self) -> None:
        """Let the stick go; may be called twice."""
        if self._file is not None:
            file, self._file = self._file, None
            os.close(file)

    def _open(self, path: Path) -> None:
        is_new = not path.exists()
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        self._size = os.fstat(self._file).st_size
        if self._size and os.pread(self._file, 1, self._size - 1) != b"\n":
            self._size += os.write(self._file, b"\n")  # what a power cut tore stays one line
        if is_new:
            _sync_folder(self._folder)

    def _path(self, first: int, *, is_later: bool) -> Path:
        return part_path(self._folder, self._stream, first, is_later=is_later)

    def _make_room(self, needed: int) -> bool:
        """Delete whole files, the oldest first, of which the cloud holds every entry."""
        parts = parts_in(self._folder)
        for part, following in zip(parts, [*parts[1:], None], strict=True):
            is_last = following is None or following.stream != part.stream
            if is_last and part.stream == self._stream:
                continue
            last = last_carbon(part)
            if last is not None and self._has_arrived(last):
                self._total -= part.path.stat().st_size
                part.path.unlink()
            if self._total + needed <= FOLDER_BYTES_MAX:
                return True
        return self._total + needed <= FOLDER_BYTES_MAX


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
