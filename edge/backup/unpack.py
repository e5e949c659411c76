"""Reading a backup back: every member checked against the signed manifest before it counts."""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.backup.manifest import (
    MANIFEST,
    SIGNATURE,
    BoxManifest,
    Member,
    is_member_name,
    read_manifest,
)
from edge.seal_cipher import CIPHER
from shared.kernel.errors import CorruptError, RefusedError
from shared.wire.sealed import Unlock, opened
from shared.wire.unpack import ChunkReader

FILE_CHUNK = 1 << 18
MANIFEST_BYTES_MAX = 1 << 20
RATIO_MAX = 200
"""So many times its sealed size a backup may have: journals come to five or fifteen."""
MEMBERS_MAX = 2_000
SPARE_BYTES, LOOK_BYTES = 64 << 20, 16 << 20
"""What stays free on the disk, and after how many bytes it is looked at again."""
_HEAD_BYTES_MAX = 64 * 1024
_LONG_HEADS = frozenset(
    (
        tarfile.XHDTYPE,
        tarfile.XGLTYPE,
        tarfile.SOLARIS_XHDTYPE,
        tarfile.GNUTYPE_LONGNAME,
        tarfile.GNUTYPE_LONGLINK,
    )
)
_READ_BYTES = 1 << 18
_MODE = 0o600


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A backup that was checked, and the folder that it lies in."""

    manifest: BoxManifest
    folder: Path


def file_chunks(path: Path) -> Iterator[bytes]:
    """A file's bytes, in pieces."""
    with path.open("rb") as file:
        while chunk := file.read(FILE_CHUNK):
            yield chunk


def unpack(file: Path, unlock: Unlock, folder: Path) -> Unpacked:
    """Unpack into `folder`, which is made and must not be there; whole, or nothing stays.

    Raises as `shared.wire.sealed.opened`; RefusedError `backup.into` for a folder that is there;
    CorruptError `backup.member`, `backup.manifest`, `backup.signature`, or `backup.bomb` for what
    unpacks to more than a backup can hold; RefusedError `backup.no_room`.
    """
    if folder.exists() and any(folder.iterdir()):
        raise RefusedError("backup.into", path=str(folder))
    draft = folder.with_name(folder.name + ".unpacking")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700, parents=True)
    try:
        manifest = _unpack(file, unlock, draft)
        if folder.exists():
            folder.rmdir()
        draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return Unpacked(manifest, folder)


def _unpack(file: Path, unlock: Unlock, folder: Path) -> BoxManifest:
    plain = _bounded(opened(file_chunks(file), CIPHER, unlock), file, folder)
    found: dict[str, Member] = {}
    papers: dict[str, bytes] = {}
    with _tar(plain) as tar:
        for info in tar:
            # A sparse file says itself how large it is, whatever the backup holds of it.
            is_plain = info.isreg() and not info.issparse()
            source = tar.extractfile(info) if is_plain else None
            if source is None:
                raise CorruptError("backup.member", name=info.name[:80])
            if info.name in {MANIFEST, SIGNATURE} and info.size <= MANIFEST_BYTES_MAX:
                papers[info.name] = source.read()
            elif len(found) >= MEMBERS_MAX:
                raise CorruptError("backup.bomb", name=file.name)
            elif is_member_name(info.name) and info.name not in found:
                found[info.name] = _write(folder, info.name, source)
            else:
                raise CorruptError("backup.member", name=info.name[:80])
    for _ in plain:  # the end of the file is checked too
        pass
    manifest = read_manifest(papers.get(MANIFEST, b""), papers.get(SIGNATURE, b""), is_signed)
    _compare(manifest, found)
    return manifest


@contextmanager
def _tar(plain: Iterator[bytes]) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(
            mode="r|",
            fileobj=cast("IO[bytes]", ChunkReader(plain)),
            bufsize=_READ_BYTES,
            tarinfo=_SmallHeads,
        ) as tar:
            yield tar
    except tarfile.TarError:
        raise CorruptError("backup.damaged") from None


class _SmallHeads(tarfile.TarInfo):
    """Headers of their own size: tarfile reads long names and what goes with them into memory."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """See TarInfo; tarfile.ReadError for a header that claims to be longer than any is."""
        found = super().frombuf(buf, encoding, errors)
        if found.type in _LONG_HEADS and found.size > _HEAD_BYTES_MAX:
            raise tarfile.ReadError
        return found


def _bounded(plain: Iterator[bytes], file: Path, folder: Path) -> Iterator[bytes]:
    """The same bytes, while they are as many as such a file can hold and the disk has room.

    CorruptError `backup.bomb`, RefusedError `backup.no_room`.
    """
    limit = SPARE_BYTES + RATIO_MAX * file.stat().st_size
    total = looked = 0
    for piece in plain:
        total += len(piece)
        if total > limit:
            raise CorruptError("backup.bomb", name=file.name)
        if total - looked >= LOOK_BYTES:
            looked = total
            if shutil.disk_usage(folder).free < SPARE_BYTES:
                raise RefusedError("backup.no_room", path=str(folder), needed_mb=total >> 20)
        yield piece


def _write(folder: Path, name: str, source: IO[bytes]) -> Member:
    target = folder / name
    target.parent.mkdir(mode=0o700, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
    with os.fdopen(handle, "wb") as file:
        while chunk := source.read(_READ_BYTES):
            file.write(chunk)
            digest.update(chunk)
            size += len(chunk)
        file.flush()
        os.fsync(file.fileno())
    return Member(name, size, digest.hexdigest())


def _compare(manifest: BoxManifest, found: dict[str, Member]) -> None:
    """Every member that was promised is there as promised, and nothing else."""
    wanted = {each.name: each for each in manifest.members}
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            raise CorruptError("backup.member", name=name)


def is_signed(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the holder of an Ed25519 key signed a message."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
