"""The journal as stored in PostgreSQL: streams and their entries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from cloud.db import driver
from cloud.ingest.decision import StreamState
from shared.journal.chain import genesis_hash

LOCK_STREAM = """
SELECT s.dev, d.status, s.status, s.head_seq, s.head_hash, s.store_id, d.journal_pub
FROM stream s JOIN device d ON d.dev = s.dev WHERE s.stream_id = %s FOR UPDATE OF s"""
HASHES = "SELECT seq, hash FROM entry WHERE stream_id = %s AND seq BETWEEN %s AND %s"
COPY_ENTRIES = """
COPY entry (stream_id, seq, id, type, at_ms, store_id, body, hash, flag)
FROM STDIN (FORMAT BINARY)"""
ENTRY_TYPES = ["bytea", "int8", "text", "text", "int8", "text", "bytea", "bytea", "text"]
MOVE_HEAD = """
UPDATE stream SET head_seq = %s, head_hash = %s, rx_at_ms = %s,
    edge_head = greatest(edge_head, %s)
WHERE stream_id = %s"""
NOTIFY = "SELECT pg_notify('tillbox_live', %s)"
FLAG_ENTRY = "UPDATE entry SET flag = %s WHERE stream_id = %s AND seq = %s"
MARK_FORK = "UPDATE stream SET status = 'fork' WHERE stream_id = %s AND status = 'open'"

EntryRow = tuple[bytes, int, str, str, int, str, bytes, bytes, str | None]


@dataclass(frozen=True, slots=True)
class LockedStream:
    """A stream that no other worker can move until the transaction ends."""

    state: StreamState
    store_id: str
    journal_pub: bytes


def lock_stream(connection: Connection, stream_id: bytes) -> LockedStream | None:
    """Wait for the stream's row and hold it; None for a stream that nobody enrolled."""
    found = driver(connection).execute(LOCK_STREAM, (stream_id,), binary=True).fetchone()
    if found is None:
        return None
    dev, device_status, status, head_seq, head_hash, store_id, journal_pub = found
    genesis = genesis_hash(stream_id)
    head = genesis if head_hash is None else bytes(head_hash)
    state = StreamState(dev, device_status, status, genesis, head_seq, head)
    return LockedStream(state, store_id, bytes(journal_pub))


def stored_hashes(connection: Connection, stream_id: bytes, seqs: range) -> dict[int, bytes]:
    """Hashes of the entries in a range of sequence numbers, as far as they are there."""
    if not seqs:
        return {}
    bounds = (stream_id, seqs.start, seqs.stop - 1)
    rows = driver(connection).execute(HASHES, bounds, binary=True)
    return {seq: bytes(stored) for seq, stored in rows}


@contextmanager
def entry_writer(connection: Connection) -> Iterator[Any]:
    """A COPY whose `write_row` takes an `EntryRow`.

    PostgreSQL works on the rows while the caller still reads the next bodies.
    """
    with driver(connection).cursor() as cursor, cursor.copy(COPY_ENTRIES) as copy:
        copy.set_types(ENTRY_TYPES)
        yield copy


def move_head(
    connection: Connection, stream_id: bytes, head: tuple[int, bytes], edge_head: int, at_ms: int
) -> None:
    """Set the head (sequence number and hash) and what the box says its own head is."""
    driver(connection).execute(MOVE_HEAD, (*head, at_ms, edge_head, stream_id))


def tell_live(connection: Connection, payload: str) -> None:
    """Tell the live screens once the transaction commits."""
    driver(connection).execute(NOTIFY, (payload,))


def flag_entries(
    connection: Connection, stream_id: bytes, flags: Iterable[tuple[int, str]]
) -> None:
    """Say why entries that are stored have no effects."""
    with driver(connection).cursor() as cursor:
        cursor.executemany(FLAG_ENTRY, [(flag, stream_id, seq) for seq, flag in flags])


def mark_fork(connection: Connection, stream_id: bytes) -> None:
    """Raise the alarm on a stream; its rightful box may go on."""
    driver(connection).execute(MARK_FORK, (stream_id,))
