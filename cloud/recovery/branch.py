"""Entries that a box signed under numbers which others have taken in the database.

It takes two accidents: the database went back in time, and a clone's branch of the stream came
before the archive was read back.  The stream keeps the branch that came first; what only the
archive has is kept beside it and has its effects by its own ids, so no sale is lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from cloud.archive.segment_store import hash_at
from cloud.db import driver
from cloud.ingest.desk import Written, post_again
from cloud.ingest.posting import Poster
from shared.journal.segment import Segment

KEY_OF = """
SELECT d.journal_pub, s.store_id FROM stream s JOIN device d USING (dev) WHERE s.stream_id = %s"""
IS_BRANCH = """
SELECT EXISTS (SELECT FROM branch_entry
    WHERE (stream_id, store_id, seq, hash) = (%s, %s, %s, %s))"""
ADD = """
INSERT INTO branch_entry (stream_id, seq, hash, prev_hash, store_id, body)
VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"""
OF_STORE = """
SELECT stream_id, seq, body FROM branch_entry WHERE store_id = %s ORDER BY stream_id, seq, hash"""
HEADS = "SELECT encode(stream_id, 'hex'), seq, hash FROM branch_entry"


def take_branch(
    connection: Connection,
    posters: Sequence[Poster],
    segments: Sequence[Segment],
    hashes: Sequence[bytes],
) -> str | None:
    """Keep what of these segments is not in the stream, and post it; the last one is signed.

    `hashes` are those of all their entries.  Answers a dotted code when they are not of this
    stream: `refill.gap`, `refill.bad`.
    """
    first, stream_id = segments[0], bytes.fromhex(segments[0].stream)
    owner = driver(connection).execute(KEY_OF, (stream_id,), binary=True).fetchone()
    if owner is None or any(bytes(owner[0]) != segment.journal_pub for segment in segments):
        return "refill.bad"
    store_id = str(owner[1])
    if not _is_known(connection, (stream_id, store_id), first.from_seq - 1, first.prev):
        return "refill.gap"
    bodies = [body for segment in segments for body in segment.bodies]
    for place, (body, found) in enumerate(zip(bodies, hashes, strict=True)):
        seq = first.from_seq + place
        if hash_at(connection, stream_id, store_id, seq) == found:
            continue
        prev = hashes[place - 1] if place else first.prev
        row = (stream_id, seq, found, prev, store_id, body)
        if driver(connection).execute(ADD, row).rowcount:
            post_again(connection, posters, Written(store_id, first.stream, seq, [body]))
    return None


def post_branches(connection: Connection, posters: Sequence[Poster], store_id: str) -> None:
    """Post a store's entries of other branches again, after those of its streams."""
    for stream_id, seq, body in driver(connection).execute(OF_STORE, (store_id,)).fetchall():
        written = Written(store_id, bytes(stream_id).hex(), seq, [bytes(body)])
        post_again(connection, posters, written)


def branch_entries(connection: Connection) -> Iterator[tuple[str, int, bytes]]:
    """Stream (hex), number and hash of each entry of another branch."""
    for stream, seq, found in driver(connection).execute(HEADS):
        yield stream, seq, bytes(found)


def _is_known(connection: Connection, of: tuple[bytes, str], seq: int, found: bytes) -> bool:
    if hash_at(connection, *of, seq) == found:
        return True
    row = driver(connection).execute(IS_BRANCH, (*of, seq, found)).fetchone()
    return row is not None and bool(row[0])
