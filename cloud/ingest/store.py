"""The journal as stored in PostgreSQL: streams and their entries."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import orjson
from sqlalchemy import Connection

from cloud.db import driver
from cloud.ingest.decision import DeviceState, StreamState
from cloud.ingest.entry import EntryHead, Genesis, storable
from shared.journal.chain import genesis_hash

_LOCKED = """
SELECT s.dev, d.status, s.status, s.head_seq, s.head_hash,
    CASE WHEN c.dev <> s.dev THEN c.status END,
    s.store_id, d.journal_pub, s.safe_seq, s.safe_hash"""
LOCK_STREAM = f"""{_LOCKED}
FROM device c JOIN stream s ON s.store_id = c.store_id JOIN device d ON d.dev = s.dev
WHERE c.dev = %s AND s.stream_id = %s FOR UPDATE OF s"""
# A journal that is not of the uploader's store: it hears no more than that.
LOCK_STRANGER = f"""{_LOCKED}
FROM stream s JOIN device d ON d.dev = s.dev
LEFT JOIN device c ON c.dev = %s AND c.store_id = s.store_id
WHERE s.stream_id = %s FOR UPDATE OF s"""
DEVICES = "SELECT dev, store_id, status, journal_pub FROM device WHERE dev = ANY(%s)"
# Does not wait for what merely refers to the store, only for others who open a stream of it.
LOCK_STORE = "SELECT 1 FROM store WHERE store_id = %s FOR NO KEY UPDATE"
LIVES_SINCE = "SELECT count(*) FROM stream WHERE dev = %s AND opened_at_ms > %s"
OPEN_STREAM = """
INSERT INTO stream (stream_id, dev, store_id, ordinal, cause, previous, opened_at_ms)
SELECT %(stream)s, %(dev)s, %(store)s, coalesce(max(ordinal), 0) + 1, %(cause)s,
    %(previous)s::jsonb, %(now)s
FROM stream WHERE store_id = %(store)s"""
HASHES = """
SELECT seq, hash FROM entry WHERE stream_id = %s AND store_id = %s AND seq BETWEEN %s AND %s"""
COPY_ENTRIES = """
COPY entry (stream_id, seq, id, type, at_ms, store_id, body, hash, flag)
FROM STDIN (FORMAT BINARY)"""
BINARY_START = b"PGCOPY\n\xff\r\n\0" + bytes(8)
BINARY_END = b"\xff\xff"
HASH_SIZE = b"\0\0\0\x20"
NULL = b"\xff\xff\xff\xff"
CHUNK_ROWS = 40
"""Rows sent at once: PostgreSQL works on them while the next ones are being read."""
# One way to the server for both: the live screens hear of it once the transaction commits.
MOVE_HEAD = """
WITH moved AS (
    UPDATE stream SET head_seq = %s, head_hash = %s, head_sig = %s, head_sig_at_ms = %s,
        rx_at_ms = %s, edge_head = greatest(edge_head, %s)
    WHERE stream_id = %s AND store_id = %s)
SELECT pg_notify('tillbox_live', %s)"""
FLAG_ENTRY = "UPDATE entry SET flag = %s WHERE stream_id = %s AND store_id = %s AND seq = %s"
MARK_FORK = """
UPDATE stream SET status = 'fork' WHERE stream_id = %s AND store_id = %s AND status = 'open'"""

_pack = struct.pack


class StreamKey(NamedTuple):
    """A journal and the store that it belongs to: everything about it is kept under both."""

    stream_id: bytes
    store_id: str


@dataclass(frozen=True, slots=True)
class LockedStream:
    """A stream that no other worker can move until the transaction ends.

    `safe` is the number and hash of the last entry that is in the archive for certain.
    """

    state: StreamState
    store_id: str
    journal_pub: bytes
    safe: tuple[int, bytes] = (-1, b"")


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """A device and the key that signs its journal."""

    state: DeviceState
    journal_pub: bytes


@dataclass(frozen=True, slots=True)
class NewEntries:
    """Entries of one stream that are not stored yet, in order."""

    stream_id: bytes
    store_id: str
    first_seq: int
    bodies: Sequence[bytes]
    hashes: Sequence[bytes]


class SignedHead(NamedTuple):
    """The last entry of a batch, and its box's signature made at `sig_at_ms`."""

    seq: int
    hash: bytes
    sig: bytes
    sig_at_ms: int


class MovedHead(NamedTuple):
    """A new head that came at `at_ms`; what the box says its own is, and what screens hear."""

    head: SignedHead
    edge_head: int
    at_ms: int
    told: str


def lock_stream(connection: Connection, stream_id: bytes, uploader: str) -> LockedStream | None:
    """Wait for the stream's row and hold it; None for a stream that is not stored."""
    query = (uploader, stream_id)
    below = driver(connection)
    found = below.execute(LOCK_STREAM, query, binary=True).fetchone()
    if found is None:
        found = below.execute(LOCK_STRANGER, query, binary=True).fetchone()
    if found is None:
        return None
    dev, device_status, status, head_seq, head_hash, carrier_status = found[:6]
    genesis = genesis_hash(stream_id)
    head = genesis if head_hash is None else bytes(head_hash)
    state = StreamState(dev, device_status, status, genesis, head_seq, head, carrier_status)
    store_id, journal_pub, safe_seq, safe_hash = found[6:]
    safe = (safe_seq, bytes(safe_hash or b""))
    return LockedStream(state, store_id, bytes(journal_pub), safe)


def find_devices(connection: Connection, devs: Iterable[str]) -> dict[str, KnownDevice]:
    """The enrolled ones among these devices."""
    rows = driver(connection).execute(DEVICES, (list(devs),))
    return {
        dev: KnownDevice(DeviceState(dev, store_id, status), bytes(journal_pub))
        for dev, store_id, status, journal_pub in rows
    }


def lock_store(connection: Connection, store_id: str) -> None:
    """Wait until nobody else opens a stream of the store: its ordinals have no gaps."""
    driver(connection).execute(LOCK_STORE, (store_id,))


def lives_since(connection: Connection, dev: str, since_ms: int) -> int:
    """How many journal lives a device has begun since then."""
    found = driver(connection).execute(LIVES_SINCE, (dev, since_ms)).fetchone()
    assert found is not None
    return int(found[0])


def open_stream(
    connection: Connection, stream_id: bytes, stream: LockedStream, genesis: Genesis, at_ms: int
) -> None:
    """Add a stream to its store, with the next ordinal; nobody else sees it before the commit."""
    previous = None if genesis.previous is None else orjson.dumps(genesis.previous).decode()
    values = {
        "stream": stream_id,
        "dev": stream.state.dev,
        "store": stream.store_id,
        "cause": genesis.cause,
        "previous": previous,
        "now": at_ms,
    }
    driver(connection).execute(OPEN_STREAM, values)


def stored_hashes(connection: Connection, key: StreamKey, seqs: range) -> dict[int, bytes]:
    """Hashes of the entries in a range of sequence numbers, as far as they are there."""
    if not seqs:
        return {}
    bounds = (*key, seqs.start, seqs.stop - 1)
    rows = driver(connection).execute(HASHES, bounds, binary=True)
    return {seq: bytes(stored) for seq, stored in rows}


def copy_entries(
    connection: Connection,
    entries: NewEntries,
    heads: Iterable[EntryHead],
    meanwhile: Callable[[], None] | None = None,
) -> None:
    """COPY entries while `heads` is still being read, PostgreSQL working beside us.

    `meanwhile` is called once all are sent: what it does costs nothing until they are stored.
    The rows are packed here because that costs half of what the driver's general way does.
    """
    chunk = [BINARY_START]
    with driver(connection).cursor() as cursor, cursor.copy(COPY_ENTRIES) as copy:
        for row in _packed_rows(entries, heads):
            chunk.append(row)
            if len(chunk) >= CHUNK_ROWS:
                copy.write(b"".join(chunk))
                chunk = []
        copy.write(b"".join((*chunk, BINARY_END)))
        if meanwhile is not None:
            meanwhile()


def _packed_rows(entries: NewEntries, heads: Iterable[EntryHead]) -> Iterator[bytes]:
    start = _pack(">hi16si", 9, 16, entries.stream_id, 8)
    store = entries.store_id.encode()
    store_field = _pack(">i", len(store)) + store
    number_and_size = struct.Struct(">qi").pack
    size, size_and_number = struct.Struct(">i").pack, struct.Struct(">iq").pack
    kind_fields: dict[str, bytes] = {}
    for seq, head, body, entry_hash in zip(
        itertools.count(entries.first_seq), heads, entries.bodies, entries.hashes, strict=False
    ):
        id_, kind_field = storable(head.id), kind_fields.get(head.type)
        if kind_field is None:
            kind = storable(head.type)
            kind_field = kind_fields[head.type] = size(len(kind)) + kind
        yield b"".join(
            (
                start,
                number_and_size(seq, len(id_)),
                id_,
                kind_field,
                size_and_number(8, head.at),
                store_field,
                size(len(body)),
                body,
                HASH_SIZE,
                entry_hash,
                NULL,
            )
        )


def move_head(connection: Connection, key: StreamKey, moved: MovedHead) -> None:
    """Set the head as its box signed it, and tell the live screens after the commit."""
    head, edge_head, at_ms, told = moved
    values = (*head, at_ms, edge_head, *key, told)
    driver(connection).execute(MOVE_HEAD, values)


def flag_entries(
    connection: Connection, key: StreamKey, flags: Iterable[tuple[int, str | None]]
) -> None:
    """Say why entries that are stored have no effects; None for one that has them now."""
    with driver(connection).cursor() as cursor:
        cursor.executemany(FLAG_ENTRY, [(flag, *key, seq) for seq, flag in flags])


def mark_fork(connection: Connection, key: StreamKey) -> None:
    """Raise the alarm on a stream; its rightful box may go on."""
    driver(connection).execute(MARK_FORK, key)
