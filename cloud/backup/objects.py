"""Copies of what is published (catalogues, pictures, software): sealed, one file for each object.

An object's name is the hash of its bytes, so a copy is made once and never again, and one that
comes back under its name is the one that was lost.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from cloud.archive.objects import ObjectStore
from cloud.backup.names import OBJECT, object_name, object_of
from cloud.backup.sealed_files import Vault
from shared.kernel.canonical import sha256
from shared.kernel.errors import CorruptError, MissingError

OBJECT_BYTES_MAX = 1 << 30
"""Nothing that is published is near so large: a wheel has some megabytes."""
DAY_MS = 86_400_000
Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Copied:
    """How many objects were copied, their bytes, how many copies went, and which are damaged."""

    objects: int = 0
    bytes: int = 0
    deleted: int = 0
    damaged: list[str] = field(default_factory=list)


def copy_objects(
    vault: Vault, objects: ObjectStore, keep_ms: int, progress: Progress = lambda *_: None
) -> Copied:
    """Copy what has no copy; drop copies older than `keep_ms` of what is published no more.

    An object that is let go was named by nothing for some weeks: a database that is put back to a
    time within them does not ask for it. UnavailableError as either place raises.
    """
    told, living = Copied(), set(objects.names())
    copies = {object_of(each.name): each for each in vault.stash.files(f"{OBJECT}/")}
    missing = sorted(living - copies.keys())
    for number, name in enumerate(missing):
        progress(number, len(missing))
        with suppress(MissingError):  # let go meanwhile
            _copy(vault, objects, name, told)
    before_ms = vault.clock.now_ms() - keep_ms
    for name, copy in copies.items():
        if name not in living and copy.at_ms < before_ms:
            vault.stash.delete(copy.name)
            told.deleted += 1
    return told


def copies_of(vault: Vault) -> set[str]:
    """Every object that has a copy."""
    return {object_of(each.name) for each in vault.stash.files(f"{OBJECT}/")}


def open_copy(vault: Vault, private: bytes, name: str) -> bytes:
    """An object from its copy.

    Raises as `Vault.reading`; CorruptError `backup.swapped` where its bytes are another's.
    """
    data = bytearray()
    for piece in vault.reading(object_name(name), private):
        data += piece
        if len(data) > OBJECT_BYTES_MAX:
            raise CorruptError("backup.bomb", name=object_name(name))
    if sha256(bytes(data)).hex() != name:
        raise CorruptError("backup.swapped", name=object_name(name), told="")
    return bytes(data)


def bring_back(
    vault: Vault, private: bytes, objects: ObjectStore, progress: Progress = lambda *_: None
) -> int:
    """Put back every object that has a copy and is not there; how many. Raises as `open_copy`."""
    missing = sorted(copies_of(vault) - set(objects.names()))
    for number, name in enumerate(missing):
        progress(number, len(missing))
        objects.put(open_copy(vault, private, name))
    return len(missing)


def _copy(vault: Vault, objects: ObjectStore, name: str, told: Copied) -> None:
    try:
        with vault.sealing(object_name(name), OBJECT) as (writer, _):
            for chunk in _checked(objects, name):
                writer.write(chunk)
                told.bytes += len(chunk)
    except CorruptError:
        told.damaged.append(name)
    else:
        told.objects += 1


def _checked(objects: ObjectStore, name: str) -> Iterator[bytes]:
    """An object's bytes, then CorruptError `backup.object_damaged` if they are not its own."""
    digest = hashlib.sha256()
    for chunk in objects.chunks(name):
        digest.update(chunk)
        yield chunk
    if digest.hexdigest() != name:
        raise CorruptError("backup.object_damaged", sha256=name)
