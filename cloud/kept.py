"""Journal entries as they are stored, for whoever has to prove something by them.

An entry that a box brought out of an older journal stands in its carrier (`entry.salvaged`): the
carrier is what the chain and the trees hold, the original is what happened and what was printed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, text

from shared.journal.chain import entry_hash, genesis_hash
from shared.journal.event import EntrySalvaged
from shared.kernel.hexadecimal import is_hex

DEPTH_MAX = 8
"""A carrier may carry a carrier: a box may be cloned more than once."""

_COLUMNS = "SELECT stream_id, seq, id, type, body, hash FROM entry"
_SALE = text(f"""
    {_COLUMNS} WHERE store_id = :store AND at_ms = :at_ms AND type = 'sale.completed'
        AND id = :id
    UNION ALL
    {_COLUMNS} WHERE store_id = :store AND type = 'entry.salvaged' AND id = :id""")
_RANGE = text(f"""
    {_COLUMNS} WHERE stream_id = :stream AND store_id = :store AND seq BETWEEN :first AND :last
    ORDER BY seq""")
_SALVAGED = text(f"{_COLUMNS} WHERE store_id = :store AND type = 'entry.salvaged'")
_HASH = text("""
    SELECT hash FROM entry WHERE stream_id = :stream AND store_id = :store AND seq = :seq""")
_LINKS = text("""
    SELECT sha256(body) FROM entry
    WHERE stream_id = :stream AND store_id = :store AND seq BETWEEN :first AND :last
    ORDER BY seq""")


@dataclass(frozen=True, slots=True)
class KeptEntry:
    """Entry `seq` of a stream (hex) with the bytes and the hash that are stored for it."""

    stream: str
    seq: int
    id: str
    type: str
    body: bytes
    hash: bytes


def sale_entries(
    connection: Connection, store_id: str, entry_id: str, at_ms: int
) -> list[KeptEntry]:
    """Where the sale with that entry id stands, carriers included; `at_ms` (UTC) is its time."""
    wanted = {"store": store_id, "at_ms": at_ms, "id": entry_id}
    return [_kept(row) for row in connection.execute(_SALE, wanted)]


def entries_of(
    connection: Connection, store_id: str, stream: str, span: tuple[int, int]
) -> list[KeptEntry]:
    """Entries first to last (`span`) of a stream (hex), those in carriers among them, in order."""
    bounds = _bounds(store_id, stream, span)
    found = {row[1]: _kept(row) for row in connection.execute(_RANGE, bounds)}
    if len(found) <= span[1] - span[0]:
        for original in _salvaged(connection, store_id):
            if original.stream == stream and span[0] <= original.seq <= span[1]:
                found.setdefault(original.seq, original)
    return [found[seq] for seq in sorted(found)]


def hash_before(connection: Connection, store_id: str, entry: KeptEntry) -> bytes | None:
    """The stored hash of the entry before; None when it is not here."""
    stream = bytes.fromhex(entry.stream)
    if entry.seq == 0:
        return genesis_hash(stream)
    wanted = {"stream": stream, "store": store_id, "seq": entry.seq - 1}
    row = connection.execute(_HASH, wanted).fetchone()
    if row is not None:
        return bytes(row[0])
    before = (entry.stream, entry.seq - 1)
    hashes = (
        each.hash for each in _salvaged(connection, store_id) if (each.stream, each.seq) == before
    )
    return next(hashes, None)


def body_digests(
    connection: Connection, store_id: str, stream: str, span: tuple[int, int]
) -> list[bytes]:
    """SHA-256 of the bodies first to last (`span`) of a stream (hex), as they are stored now."""
    bounds = _bounds(store_id, stream, span)
    return [bytes(row[0]) for row in connection.execute(_LINKS, bounds)]


def _bounds(store_id: str, stream: str, span: tuple[int, int]) -> dict[str, Any]:
    return {
        "stream": bytes.fromhex(stream),
        "store": store_id,
        "first": span[0],
        "last": span[1],
    }


def follows(entry: KeptEntry, prev_hash: bytes) -> bool:
    """Whether an entry's hash follows from its body and the hash before it."""
    stream = bytes.fromhex(entry.stream)
    return entry_hash(stream, entry.seq, prev_hash, entry.body) == entry.hash


def original_of(entry: KeptEntry) -> KeptEntry | None:
    """What a carrier carries, or the entry itself; None when what is carried is no entry."""
    for _ in range(DEPTH_MAX):
        if entry.type != EntrySalvaged.type:
            return entry
        carried = _carried(entry)
        if carried is None:
            return None
        entry = carried
    return None


def fields_of(body: bytes) -> dict[str, Any]:
    """A stored body as data; {} when somebody made it something else than an object."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _salvaged(connection: Connection, store_id: str) -> Iterator[KeptEntry]:
    for row in connection.execute(_SALVAGED, {"store": store_id}):
        original = original_of(_kept(row))
        if original is not None:
            yield original


def _carried(carrier: KeptEntry) -> KeptEntry | None:
    data = fields_of(carrier.body).get("data")
    if not isinstance(data, dict):
        return None
    stream, seq, hash_text, inner = (data.get(name) for name in ("stream", "seq", "hash", "body"))
    is_sound = is_hex(stream, 16) and is_hex(hash_text, 32) and type(seq) is int and seq >= 0
    if not is_sound or not isinstance(inner, str):
        return None
    body = inner.encode("utf-8", "replace")
    kind = fields_of(body).get("type")
    stored = bytes.fromhex(str(hash_text))
    return KeptEntry(str(stream), int(str(seq)), carrier.id, str(kind), body, stored)


def _kept(row: Any) -> KeptEntry:  # noqa: ANN401 - a database row
    stream_id, seq, id_, kind, body, stored = row
    return KeptEntry(bytes(stream_id).hex(), seq, id_, kind, bytes(body), bytes(stored))
