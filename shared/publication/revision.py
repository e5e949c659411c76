"""A revision is a set of records; its digest is a sum, so a change costs what it changes.

Digest: the sum of the SHA-256 of each record's bytes, modulo 2^256. Adding or removing one
record is one addition. Collisions can be built by whoever may choose many records, but what a
box stages is bound by the SHA-256 of each object and HQ's signature over the manifest; the
digest only proves that box and cloud hold the same state after deltas.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shared.kernel.canonical import canonical_bytes, sha256
from shared.kernel.errors import RefusedError

DIGEST_MODULUS = 1 << 256
EMPTY_DIGEST = 0


class RecordKind(StrEnum):
    """What a record is about."""

    ITEM = "item"
    PRICE = "price"
    STAFF = "staff"
    OFFER = "offer"
    CONFIG = "config"


_KINDS = {kind.value: kind for kind in RecordKind}


@dataclass(frozen=True, slots=True)
class Record:
    """One published row; `body` None says that the row is gone.

    Bodies: item {gtin, name, department, category, brand, package_size, is_weighed, plu};
    price, keyed by GTIN and level, see `shared.price.levels`; staff, keyed by operator id,
    {name, role, pin_hash}; offer, keyed by its id, the offer's document in its shortest form;
    config, keyed by what it sets up, see `shared.config.dated`. `kind` is a `RecordKind`, or what
    newer software calls one: it is kept, counted and never refused.
    """

    kind: str
    key: str
    body: dict[str, Any] | None


def record_bytes(record: Record) -> bytes:
    """Canonical bytes, one JSON line of an object."""
    return canonical_bytes({"k": str(record.kind), "i": record.key, "b": record.body})


def record_hash(record: Record) -> bytes:
    """SHA-256 of the record's bytes."""
    return sha256(record_bytes(record))


def digest_add(digest: int, record_sha256: bytes) -> int:
    """The digest with one more record."""
    return (digest + int.from_bytes(record_sha256, "big")) % DIGEST_MODULUS


def digest_remove(digest: int, record_sha256: bytes) -> int:
    """The digest with one record less."""
    return (digest - int.from_bytes(record_sha256, "big")) % DIGEST_MODULUS


def digest_hex(digest: int) -> str:
    """64 lower-case hex digits."""
    return f"{digest:064x}"


def lines_of(records: Iterable[Record]) -> Iterator[bytes]:
    """Newline-terminated lines of an object, before compression."""
    for record in records:
        yield record_bytes(record) + b"\n"


def parse_record(line: bytes) -> Record:
    """Read one line; RefusedError `publication.record` when it is none."""
    try:
        raw = json.loads(line)
        kind, key, body = raw["k"], raw["i"], raw["b"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _no_record(line) from None
    is_named = isinstance(kind, str) and isinstance(key, str)
    if not is_named or not isinstance(body, dict | None):
        raise _no_record(line)
    return Record(_KINDS.get(kind, kind), key, body)


def _no_record(line: bytes) -> RefusedError:
    return RefusedError("publication.record", line=line[:80].decode(errors="replace"))
