"""Where immutable objects lie, each named by its SHA-256 (64 lower-case hex digits).

`FileObjects` is the default; `cloud.archive.s3` keeps the same contract.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from shared.kernel.canonical import sha256
from shared.kernel.errors import MissingError, UnavailableError

CHUNK_BYTES = 1 << 18
URL_VALID_S = 900
_NAME = re.compile(r"[0-9a-f]{64}")


class ObjectStore(Protocol):
    """Objects never change and are never renamed; putting one twice is the same as once."""

    def put(self, data: bytes, keep_until_ms: int | None = None) -> str:
        """Store durably and return the name. Raises UnavailableError `objects.unavailable`.

        Where the store locks objects nobody can delete it before `keep_until_ms` (UTC).
        """
        ...

    def put_again(self, data: bytes, keep_until_ms: int | None = None) -> str:
        """The same, also when the object seems to be there: its bytes have gone bad."""
        ...

    def names(self) -> Iterator[str]:
        """Every object, in no order. Raises UnavailableError `objects.unavailable`."""
        ...

    def delete(self, name: str) -> None:
        """Let go of an object, which need not be there. UnavailableError `objects.unavailable`."""
        ...

    def lock_mode(self) -> str:
        """How objects are locked against deletion: COMPLIANCE, GOVERNANCE, or "" for not at all.

        Raises UnavailableError `objects.unavailable`.
        """
        ...

    def size(self, name: str) -> int:
        """Bytes of an object. Raises MissingError `object.missing`."""
        ...

    def chunks(self, name: str) -> Iterator[bytes]:
        """Its bytes, in pieces. Raises MissingError `object.missing`."""
        ...

    def path(self, name: str) -> Path | None:
        """The local file of an object that is there, if this store has local files."""
        ...

    def url(self, name: str) -> str | None:
        """An address that gives the object to whoever asks within `URL_VALID_S`; None if none."""
        ...


class FileObjects:
    """One file per object, below folders named by the first two digits."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, data: bytes, keep_until_ms: int | None = None) -> str:
        """Write beside, flush, rename: a crash leaves the whole object or none."""
        name = sha256(data).hex()
        return name if self._target(name).is_file() else self.put_again(data, keep_until_ms)

    def put_again(self, data: bytes, keep_until_ms: int | None = None) -> str:
        """See ObjectStore. A folder locks nothing: that is what the S3 store is for."""
        del keep_until_ms
        name = sha256(data).hex()
        target = self._target(name)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._write(target, data)
        except OSError as error:
            raise UnavailableError("objects.unavailable", because=str(error)) from error
        return name

    def size(self, name: str) -> int:
        """See ObjectStore."""
        try:
            return self._target(name).stat().st_size
        except FileNotFoundError:
            raise missing(name) from None

    def chunks(self, name: str) -> Iterator[bytes]:
        """See ObjectStore."""
        try:
            with self._target(name).open("rb") as stream:
                while chunk := stream.read(CHUNK_BYTES):
                    yield chunk
        except FileNotFoundError:
            raise missing(name) from None

    def path(self, name: str) -> Path | None:
        """See ObjectStore."""
        target = self._target(name)
        return target if target.is_file() else None

    def url(self, name: str) -> str | None:
        """A folder is reached through this process alone."""
        del name
        return None

    def names(self) -> Iterator[str]:
        """See ObjectStore; a draft that a crash left is none."""
        for path in self._folder.glob("[0-9a-f][0-9a-f]/*"):
            if is_name(path.name):
                yield path.name

    def delete(self, name: str) -> None:
        """See ObjectStore."""
        try:
            self._target(name).unlink(missing_ok=True)
        except OSError as error:
            raise UnavailableError("objects.unavailable", because=str(error)) from error

    def lock_mode(self) -> str:
        """Whoever may write to the folder may delete from it."""
        return ""

    def _target(self, name: str) -> Path:
        checked(name)
        return self._folder / name[:2] / name

    def _write(self, target: Path, data: bytes) -> None:
        handle, draft = tempfile.mkstemp(dir=target.parent, prefix=".draft-")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            Path(draft).replace(target)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                Path(draft).unlink()
            raise
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def is_name(name: str) -> bool:
    """Whether this is an object's name."""
    return _NAME.fullmatch(name) is not None


def checked(name: str) -> str:
    """The name itself if it is one; MissingError otherwise, so that no path can be smuggled in."""
    if not is_name(name):
        raise missing(name)
    return name


def missing(name: str) -> MissingError:
    """The error for an object that is not there."""
    return MissingError("object.missing", sha256=name[:64])
