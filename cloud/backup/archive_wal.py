"""PostgreSQL's log, piece by piece, into the archive: once, and never over another's."""

from __future__ import annotations

import hashlib
from pathlib import Path

from cloud.backup.names import WAL, is_wal_file, wal_name
from cloud.backup.sealed_files import Vault
from shared.kernel.errors import CorruptError, RefusedError, RetailError
from shared.wire.sealed import about

_READ_BYTES = 1 << 18
_HEADER_BYTES = 32 * 1024


def archive_wal(vault: Vault, path: Path, file: str) -> bool:
    """Seal one WAL file for ever; False when it was there already.

    PostgreSQL recycles the file once this returned. RefusedError `backup.wal_name` for what is no
    WAL file, CorruptError `backup.wal_differs` where another one is there under its name: that is
    another server's archive.
    """
    if not is_wal_file(file):
        raise RefusedError("backup.wal_name", file=file[:80])
    digest = _digest_of(path)
    name = wal_name(file)
    if (known := _known_digest(vault, name)) is not None:
        if known != digest:
            raise CorruptError("backup.wal_differs", file=file)
        return False
    with vault.sealing(name, WAL, digest) as (writer, _), path.open("rb") as source:
        while chunk := source.read(_READ_BYTES):
            writer.write(chunk)
    return True


def _digest_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as source:
        while chunk := source.read(_READ_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _known_digest(vault: Vault, name: str) -> str | None:
    """What a file that is there says of its content; None when none is there."""
    head = b""
    try:
        for chunk in vault.stash.chunks(name):
            head += chunk
            if len(head) >= _HEADER_BYTES:
                break
    except RetailError as error:
        if error.code == "backup.missing":
            return None
        raise
    return about([head]).name.rpartition(" ")[2]
