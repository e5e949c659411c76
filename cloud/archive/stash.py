"""Where large files lie under names of their own, written and read as a stream: backups.

Unlike `objects`, which are named by their content and held in memory, a stash takes files of any
size. A file is there whole or not at all. `cloud.archive.s3_stash` keeps the same contract.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cloud.archive.objects import CHUNK_BYTES
from shared.kernel.errors import MissingError, UnavailableError

# What lies here is sealed. On a machine with a database of its own PostgreSQL writes its log here
# and the cloud's user all else: either must read what a restore needs, and delete what is too old.
_FOLDER_MODE, _FILE_MODE = 0o2770, 0o640
_NAME = re.compile(r"[a-z]{1,20}(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,120}){1,3}")


@dataclass(frozen=True, slots=True)
class Stashed:
    """A file: its name, bytes, and when it was put there (UTC ms, by the store's clock)."""

    name: str
    size: int
    at_ms: int


class StashWriter(Protocol):
    """A file on its way in: `finish` makes it be there, `abort` forgets it."""

    def write(self, data: bytes) -> None:
        """Add bytes. UnavailableError `objects.unavailable`."""
        ...

    def finish(self) -> None:
        """Make it durable under its name. UnavailableError `objects.unavailable`."""
        ...

    def abort(self) -> None:
        """Leave nothing behind; never raises."""
        ...


class Stash(Protocol):
    """Files by name, such as `base/20261122T140000Z.tbk`."""

    def writer(self, name: str) -> StashWriter:
        """Begin a file, which replaces one of the same name."""
        ...

    def chunks(self, name: str) -> Iterator[bytes]:
        """Its bytes, in pieces. MissingError `backup.missing`, UnavailableError."""
        ...

    def files(self, prefix: str) -> Iterator[Stashed]:
        """What is there with names that begin so, by name. UnavailableError."""
        ...

    def delete(self, name: str) -> None:
        """Forget a file; nothing where it is not there. UnavailableError."""
        ...

    def keeps_versions(self) -> bool:
        """Whether what is deleted or replaced can still be had. UnavailableError."""
        ...


@contextmanager
def writing(stash: Stash, name: str) -> Iterator[Callable[[bytes], None]]:
    """Write a file; where the block raises, nothing is there."""
    writer = stash.writer(name)
    try:
        yield writer.write
        writer.finish()
    except BaseException:
        writer.abort()
        raise


def missing_file(name: str) -> MissingError:
    """The error for a file that is not there."""
    return MissingError("backup.missing", name=name[:200])


def checked_name(name: str) -> str:
    """The name itself if it is one; MissingError otherwise, so that no path can be smuggled in."""
    if _NAME.fullmatch(name) is None or ".." in name:
        raise missing_file(name)
    return name


class FileStash:
    """A folder of this machine, or of a disk that is mounted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def writer(self, name: str) -> StashWriter:
        """See Stash."""
        return _FileWriter(self._folder / checked_name(name))

    def chunks(self, name: str) -> Iterator[bytes]:
        """See Stash."""
        try:
            with (self._folder / checked_name(name)).open("rb") as file:
                while chunk := file.read(CHUNK_BYTES):
                    yield chunk
        except FileNotFoundError:
            raise missing_file(name) from None

    def files(self, prefix: str) -> Iterator[Stashed]:
        """See Stash; a draft that a crash left is none."""
        for path in sorted(self._folder.rglob("*")):
            name = path.relative_to(self._folder).as_posix()
            if name.startswith(prefix) and not path.name.startswith(".") and path.is_file():
                found = path.stat()
                yield Stashed(name, found.st_size, found.st_mtime_ns // 1_000_000)

    def delete(self, name: str) -> None:
        """See Stash."""
        (self._folder / checked_name(name)).unlink(missing_ok=True)

    def keeps_versions(self) -> bool:
        """Whoever may write to the folder may delete from it."""
        return False


class _FileWriter:
    def __init__(self, target: Path) -> None:
        self._target = target
        try:
            if not target.parent.is_dir():
                target.parent.mkdir(parents=True, exist_ok=True, mode=0o770)
                target.parent.chmod(_FOLDER_MODE)
            handle, draft = tempfile.mkstemp(dir=target.parent, prefix=".draft-")
            os.fchmod(handle, _FILE_MODE)
        except OSError as error:
            raise UnavailableError("objects.unavailable", because=str(error)) from error
        self._draft = Path(draft)
        self._file = os.fdopen(handle, "wb")

    def write(self, data: bytes) -> None:
        """See StashWriter."""
        try:
            self._file.write(data)
        except OSError as error:
            raise UnavailableError("objects.unavailable", because=str(error)) from error

    def finish(self) -> None:
        """Flush, rename, flush the folder."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._draft.replace(self._target)
            folder = os.open(self._target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise UnavailableError("objects.unavailable", because=str(error)) from error

    def abort(self) -> None:
        """See StashWriter."""
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            self._draft.unlink(missing_ok=True)
