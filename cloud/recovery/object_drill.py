"""Part of a rehearsal: what a restored database names among published objects has a copy."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from cloud.archive.objects import ObjectStore
from cloud.backup import store
from cloud.backup.objects import copies_of, open_copy
from cloud.backup.sealed_files import Vault
from shared.kernel.canonical import sha256
from shared.kernel.errors import CorruptError, MissingError

IN_FLIGHT_MS = 600_000
"""A publication notes when it began, and puts its objects after that."""
OPENED_MAX, OPENED_BYTES_MAX = 20, 64 << 20
DAY_MS = 86_400_000


def objects_without_copy(
    restored: Connection, vault: Vault, objects: ObjectStore, copied_ms: int | None
) -> tuple[set[str], set[str]]:
    """What the database names as of the last copying (UTC ms; None: never); what of it has none.

    A picture that is not in the object store either was named by an import and never uploaded.
    """
    made_ms = (0 if copied_ms is None else copied_ms) - IN_FLIGHT_MS
    named = store.named_objects(restored, made_ms)
    pictures = store.named_pictures(restored, made_ms)
    if pictures:
        named |= pictures & set(objects.names())
    return named, named - copies_of(vault)


def damaged_copies(
    vault: Vault, private: bytes, names: Iterable[str], now_ms: int
) -> list[tuple[str, str]]:
    """Open some copies, others each day; name and code of each that does not hold."""
    day = now_ms // DAY_MS
    order = sorted(names, key=lambda name: sha256(f"{day} {name}".encode()))
    found, total = [], 0
    for name in order[:OPENED_MAX]:
        try:
            total += len(open_copy(vault, private, name))
        except (CorruptError, MissingError) as error:
            found.append((name, error.code))
        if total > OPENED_BYTES_MAX:
            break
    return found
