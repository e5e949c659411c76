"""SQL of the archive's segments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from cloud.db import driver
from shared.journal.chain import genesis_hash
from shared.journal.segment import SEGMENT_BYTES_MAX, Segment, Signature

FETCH_ROWS = 128
SEGMENT_ENTRIES_MAX = 20_000
DUE = """
SELECT s.stream_id, s.dev, s.store_id, d.journal_pub, s.sealed_seq, s.head_seq, s.head_sig,
    s.head_sig_at_ms
FROM stream s JOIN device d USING (dev)
WHERE s.head_seq > s.sealed_seq AND s.head_sig IS NOT NULL
    AND (s.head_seq - s.sealed_seq >= %s OR coalesce(s.sealed_at_ms, 0) <= %s)
ORDER BY s.stream_id"""
HASH_AT = "SELECT hash FROM entry WHERE stream_id = %s AND store_id = %s AND seq = %s"
ENTRIES = """
SELECT seq, body, hash FROM entry
WHERE stream_id = %s AND store_id = %s AND seq BETWEEN %s AND %s ORDER BY seq"""
RAISE_SEALED = """
UPDATE stream SET sealed_seq = %(to)s, sealed_at_ms = %(at)s
WHERE stream_id = %(stream)s AND store_id = %(store)s AND sealed_seq = %(before)s
    AND head_seq >= %(to)s"""
ADD = """
INSERT INTO segment (stream_id, store_id, from_seq, to_seq, prev_hash, head_hash, sig, sig_at_ms,
    object, bytes, sealed_at_ms)
VALUES (%(stream)s, %(store)s, %(from)s, %(to)s, %(prev)s, %(head)s, %(sig)s, %(sig_at)s,
    %(object)s, %(bytes)s, %(at)s)"""
_ROW = """
SELECT g.stream_id, g.from_seq, g.to_seq, g.prev_hash, g.head_hash, g.sig, g.sig_at_ms,
    g.object, g.bytes, s.dev, g.store_id, d.journal_pub
FROM segment g JOIN stream s USING (stream_id, store_id) JOIN device d USING (dev)"""
UNVERIFIED = f"""{_ROW} WHERE g.verified_at_ms IS NULL AND g.flaw IS NULL
ORDER BY g.stream_id, g.from_seq LIMIT %s"""
OF_STREAM = f"{_ROW} WHERE g.stream_id = %s ORDER BY g.from_seq"
VERIFIED = """
UPDATE segment SET verified_at_ms = %s, flaw = NULL
WHERE stream_id = %s AND store_id = %s AND from_seq = %s"""
FLAWED = """
UPDATE segment SET verified_at_ms = NULL, flaw = %s
WHERE stream_id = %s AND store_id = %s AND from_seq = %s"""
BAD = f"{_ROW} WHERE g.flaw IS NOT NULL ORDER BY g.stream_id, g.from_seq"
PUT_AGAIN = """
UPDATE segment SET verified_at_ms = NULL, flaw = NULL, object = %s, bytes = %s
WHERE stream_id = %s AND store_id = %s AND from_seq = %s"""
AFTER_SAFE = """
SELECT g.from_seq, g.to_seq, g.head_hash, g.sig IS NOT NULL, g.verified_at_ms IS NOT NULL,
    s.safe_seq
FROM segment g JOIN stream s USING (stream_id, store_id)
WHERE g.stream_id = %s AND g.from_seq > s.safe_seq ORDER BY g.from_seq"""
RAISE_SAFE = """
UPDATE stream SET safe_seq = %s, safe_hash = %s WHERE stream_id = %s AND safe_seq < %s"""
LAST_DRILL = "SELECT is_ok FROM restore_drill ORDER BY id DESC LIMIT 1"
WAITING = "SELECT stream_id FROM stream WHERE safe_seq < sealed_seq ORDER BY stream_id"


@dataclass(frozen=True, slots=True)
class Due:
    """A stream with entries that are not archived; the box has signed its head at `sig_at_ms`."""

    stream_id: bytes
    dev: str
    store_id: str
    journal_pub: bytes
    sealed_seq: int
    head_seq: int
    sig: bytes
    sig_at_ms: int


@dataclass(frozen=True, slots=True)
class StoredSegment:
    """A segment as the table knows it."""

    stream_id: bytes
    from_seq: int
    to_seq: int
    prev: bytes
    head: bytes
    signature: Signature | None
    object: str
    size: int
    dev: str
    store_id: str
    journal_pub: bytes


def due_streams(connection: Connection, entries: int, before_ms: int) -> list[Due]:
    """Streams with `entries` or more to archive, or any since an archiving before `before_ms`."""
    rows = driver(connection).execute(DUE, (entries, before_ms), binary=True)
    return [
        Due(bytes(stream), dev, store, bytes(pub), sealed, head, bytes(sig), at_ms)
        for stream, dev, store, pub, sealed, head, sig, at_ms in rows
    ]


def hash_at(connection: Connection, stream_id: bytes, store_id: str, seq: int) -> bytes | None:
    """Hash of a store's entry, that of the genesis for -1; None when it is not there."""
    if seq < 0:
        return genesis_hash(stream_id)
    wanted = (stream_id, store_id, seq)
    found = driver(connection).execute(HASH_AT, wanted, binary=True).fetchone()
    return None if found is None else bytes(found[0])


def entries(
    connection: Connection, of: Due | StoredSegment, first_seq: int, last_seq: int
) -> Iterator[tuple[int, bytes, bytes]]:
    """Sequence number, body and hash of the entries of a range of its stream, a few at a time."""
    with driver(connection).cursor(name="entries", binary=True) as cursor:
        cursor.itersize = FETCH_ROWS
        cursor.execute(ENTRIES, (of.stream_id, of.store_id, first_seq, last_seq))
        for seq, body, found in cursor:
            yield seq, bytes(body), bytes(found)


def next_piece(connection: Connection, due: Due, sealed_seq: int) -> Segment:
    """The next segment of a stream: up to its head, or as much as one segment may hold."""
    bodies: list[bytes] = []
    size, head = 0, b""
    for _, body, found in entries(connection, due, sealed_seq + 1, due.head_seq):
        size += len(body) + 1
        if bodies and (size > SEGMENT_BYTES_MAX or len(bodies) >= SEGMENT_ENTRIES_MAX):
            break
        bodies.append(body)
        head = found
    prev = hash_at(connection, due.stream_id, due.store_id, sealed_seq)
    assert prev is not None, "a sealed entry is stored"
    is_whole = sealed_seq + len(bodies) == due.head_seq
    return Segment(
        stream=due.stream_id.hex(),
        dev=due.dev,
        store=due.store_id,
        journal_pub=due.journal_pub,
        from_seq=sealed_seq + 1,
        prev=prev,
        head=head,
        bodies=tuple(bodies),
        signature=Signature(due.head_seq, due.sig_at_ms, due.sig) if is_whole else None,
    )


def add_segment(connection: Connection, segment: Segment, name: str, size: int, at_ms: int) -> bool:
    """Note a segment that lies in the archive; False when its stream stands elsewhere meanwhile."""
    signed = segment.signature
    values = {
        "stream": bytes.fromhex(segment.stream),
        "store": segment.store,
        "from": segment.from_seq,
        "to": segment.to_seq,
        "before": segment.from_seq - 1,
        "prev": segment.prev,
        "head": segment.head,
        "sig": None if signed is None else signed.sig,
        "sig_at": None if signed is None else signed.at_ms,
        "object": name,
        "bytes": size,
        "at": at_ms,
    }
    if driver(connection).execute(RAISE_SEALED, values).rowcount != 1:
        return False
    driver(connection).execute(ADD, values)
    return True


def unverified(connection: Connection, limit: int) -> list[StoredSegment]:
    """Segments that nobody has read back yet, without those that were bad."""
    return _stored(driver(connection).execute(UNVERIFIED, (limit,), binary=True))


def segments_of(connection: Connection, stream_id: bytes) -> list[StoredSegment]:
    """All segments of a stream, in order."""
    return _stored(driver(connection).execute(OF_STREAM, (stream_id,), binary=True))


def mark_verified(connection: Connection, segment: StoredSegment, at_ms: int) -> None:
    """The archive gave back what was put."""
    driver(connection).execute(VERIFIED, (at_ms, *_key(segment)))


def mark_flawed(connection: Connection, segment: StoredSegment, flaw: str) -> None:
    """The archive gave back something else."""
    driver(connection).execute(FLAWED, (flaw, *_key(segment)))


def flawed(connection: Connection) -> list[StoredSegment]:
    """Segments that the archive did not give back as they were put."""
    return _stored(driver(connection).execute(BAD, binary=True))


def segment_again(connection: Connection, row: StoredSegment) -> Segment:
    """A segment made once more from the stored entries: the same lines as the first time."""
    bodies = [body for _, body, _ in entries(connection, row, row.from_seq, row.to_seq)]
    return Segment(
        stream=row.stream_id.hex(),
        dev=row.dev,
        store=row.store_id,
        journal_pub=row.journal_pub,
        from_seq=row.from_seq,
        prev=row.prev,
        head=row.head,
        bodies=tuple(bodies),
        signature=row.signature,
    )


def mark_put_again(connection: Connection, row: StoredSegment, name: str, size: int) -> None:
    """It must be read back again."""
    driver(connection).execute(PUT_AGAIN, (name, size, *_key(row)))


def raise_safe(connection: Connection, stream_id: bytes) -> bool:
    """Move `safe` to the end of the verified, gapless, signed beginning; whether it moved."""
    safe, found = -1, None
    rows = driver(connection).execute(AFTER_SAFE, (stream_id,)).fetchall()
    for place, (from_seq, to_seq, head, is_signed, is_verified, safe_seq) in enumerate(rows):
        if from_seq != (safe_seq if place == 0 else safe) + 1 or not is_verified:
            break
        safe = to_seq
        if is_signed:
            found = (to_seq, bytes(head))
    if found is None:
        return False
    values = (*found, stream_id, found[0])
    return driver(connection).execute(RAISE_SAFE, values).rowcount == 1


def waiting_streams(connection: Connection) -> list[bytes]:
    """Streams with segments above their `safe`."""
    return [bytes(row[0]) for row in driver(connection).execute(WAITING, binary=True)]


def may_raise_safe(connection: Connection) -> bool:
    """Whether the last restore drill, if any ran, brought everything back."""
    found = driver(connection).execute(LAST_DRILL).fetchone()
    return found is None or bool(found[0])


def _key(segment: StoredSegment) -> tuple[bytes, str, int]:
    return segment.stream_id, segment.store_id, segment.from_seq


def _stored(rows: Iterable[Sequence[Any]]) -> list[StoredSegment]:
    return [_segment(row) for row in rows]


def _segment(row: Sequence[Any]) -> StoredSegment:
    stream, first, last, prev, head, sig, sig_at_ms, name, size, dev, store, pub = row
    signature = None if sig is None else Signature(last, sig_at_ms, bytes(sig))
    places = (bytes(stream), first, last, bytes(prev), bytes(head), signature)
    return StoredSegment(*places, name, size, dev, store, bytes(pub))
