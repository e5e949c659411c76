"""A file that is only there to be given up: room for the sales after the disk has become full."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import structlog

BALLAST_FILE = "ballast"
PROBE_FILE = "probe"
DISK_FULL, READ_ONLY, WRITE_FAILED = (
    "journal.disk_full",
    "journal.read_only",
    "journal.write_failed",
)
BALLAST_BYTES = 64 * 1024 * 1024
ROOM_BYTES_MIN = 4 * 1024 * 1024
"""Without ballast a payment is refused below this: a sale and its index need a few pages."""
_Made = TypeVar("_Made")
_log = structlog.get_logger("journal")


class Ballast:
    """The ballast of one data folder; `size` 0 keeps none."""

    def __init__(self, folder: Path, size: int) -> None:
        self._path = folder / BALLAST_FILE
        self._size = size

    @property
    def is_kept(self) -> bool:
        """Whether this box is to have one."""
        return self._size > 0

    @property
    def is_held(self) -> bool:
        """Whether it is still there to be given up."""
        return self._path.exists()

    def take(self) -> bool:
        """Make it where there is room for it twice over; whether it is held now."""
        if not self._size or self.is_held:
            return self.is_held
        if free_bytes(self._path.parent) < 2 * self._size:
            return False
        draft = self._path.with_name(self._path.name + ".new")
        try:
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                os.posix_fallocate(handle, 0, self._size)
            finally:
                os.close(handle)
            draft.replace(self._path)
        except OSError:
            draft.unlink(missing_ok=True)
        return self.is_held

    def give_up(self) -> bool:
        """Free its room; False when there was none to free."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True

    def spent_on(self, make: Callable[[], _Made]) -> _Made:
        """Make a file; where the disk is full, once more after giving this up for it."""
        try:
            return make()
        except sqlite3.Error as error:
            is_full = why_not_written(self._path.parent, error) == DISK_FULL
            if not is_full or not self.give_up():
                raise
            _log.error("journal.ballast_given_up")
            return make()

    def has_room(self) -> bool:
        """Whether a sale can be kept: by what is free, or by giving this up."""
        return self.is_held or free_bytes(self._path.parent) >= ROOM_BYTES_MIN


def free_bytes(folder: Path) -> int:
    """What a program without privileges may still write there."""
    room = os.statvfs(folder)
    return room.f_bavail * room.f_frsize


def is_read_only(folder: Path) -> bool:
    """Whether the kernel refuses writes, as it does after disk errors.

    Asked by a write that nobody waits for: newer kernels do not tell it in the mount's flags.
    """
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        return True
    try:
        handle = os.open(folder / PROBE_FILE, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.pwrite(handle, b"\0", 0)
        finally:
            os.close(handle)
    except OSError as error:
        return error.errno == errno.EROFS
    return False


def why_not_written(folder: Path, error: sqlite3.Error) -> str:
    """The code of what an error at a commit means: full, read-only, or simply failed."""
    if is_read_only(folder):
        return READ_ONLY
    full = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE}
    return DISK_FULL if getattr(error, "sqlite_errorcode", None) in full else WRITE_FAILED
