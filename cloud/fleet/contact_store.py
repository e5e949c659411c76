"""What is known of each box: its last contact, connection and revisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from cloud.db import driver

# A stream that nobody has heard of yet is empty; one of another box is not for this one.
STREAM_HEAD = """
SELECT coalesce(s.head_seq, -1), s.head_hash, coalesce(s.safe_seq, -1), s.safe_hash
FROM device d LEFT JOIN stream s ON s.stream_id = %s
WHERE d.dev = %s AND d.status <> 'revoked'
    AND (s.stream_id IS NULL OR s.dev = d.dev AND s.status <> 'revoked')"""
RAISE_EDGE_HEAD = """
UPDATE stream SET edge_head = %(seq)s
WHERE stream_id = %(stream)s AND dev = %(dev)s AND edge_head < %(seq)s"""
# A hello or a birth of an older connection, or of one whose death is known, changes nothing of it.
HELLO = """
INSERT INTO box_state AS b (dev, store_id, online, conn, boot, last_contact_at_ms, unsynced,
    edge_head, sw, stored_rev, active_rev, model, reads)
SELECT dev, store_id, true, %(conn)s, %(boot)s, %(now)s, %(unsynced)s, %(seq)s, %(sw)s,
    %(stored)s, %(active)s, %(model)s, %(reads)s FROM device WHERE dev = %(dev)s
ON CONFLICT (dev) DO UPDATE SET
    online = b.online OR (excluded.boot, excluded.conn) > (b.boot, b.conn),
    conn = CASE WHEN (excluded.boot, excluded.conn) > (b.boot, b.conn)
        THEN excluded.conn ELSE b.conn END,
    boot = greatest(b.boot, excluded.boot), store_id = excluded.store_id,
    last_contact_at_ms = excluded.last_contact_at_ms, unsynced = excluded.unsynced,
    edge_head = greatest(b.edge_head, excluded.edge_head), sw = excluded.sw,
    stored_rev = excluded.stored_rev, active_rev = excluded.active_rev,
    model = excluded.model, reads = excluded.reads"""
BIRTH = """
INSERT INTO box_state AS b (dev, store_id, online, conn, boot, last_contact_at_ms, sw)
SELECT dev, store_id, true, %(conn)s, %(boot)s, %(now)s, %(sw)s FROM device WHERE dev = %(dev)s
ON CONFLICT (dev) DO UPDATE SET online = true, conn = excluded.conn, boot = excluded.boot,
    sw = excluded.sw, last_contact_at_ms = coalesce(excluded.last_contact_at_ms,
        b.last_contact_at_ms)
WHERE (excluded.boot, excluded.conn) > (b.boot, b.conn)
RETURNING dev"""
# A last will may not know its boot; then the connection alone tells.
DEATH = """
UPDATE box_state SET online = false, conn = greatest(conn, %(conn)s),
    boot = greatest(boot, %(boot)s)
WHERE dev = %(dev)s AND online AND (
    CASE WHEN %(boot)s > 0 THEN (%(boot)s, %(conn)s) >= (boot, conn) ELSE %(conn)s >= conn END)
RETURNING dev"""
REPORT = """
INSERT INTO box_state AS b (dev, store_id, last_contact_at_ms, unsynced, stored_rev, active_rev,
    shown_rev, stored_at_ms, active_at_ms, shown_at_ms, error, next_rev, next_at_ms, held, clk, gen)
SELECT dev, store_id, %(now)s, %(unsynced)s, %(stored)s, %(active)s, %(shown)s, %(stored_at)s,
    %(active_at)s, %(shown_at)s, %(error)s, %(next_rev)s, %(next_at)s, %(held)s, %(clk)s, %(gen)s
FROM device WHERE dev = %(dev)s
ON CONFLICT (dev) DO UPDATE SET store_id = excluded.store_id,
    last_contact_at_ms = excluded.last_contact_at_ms, unsynced = excluded.unsynced,
    stored_rev = excluded.stored_rev, active_rev = excluded.active_rev,
    shown_rev = excluded.shown_rev, stored_at_ms = excluded.stored_at_ms,
    active_at_ms = excluded.active_at_ms, shown_at_ms = excluded.shown_at_ms,
    error = excluded.error, next_rev = excluded.next_rev, next_at_ms = excluded.next_at_ms,
    held = excluded.held, clk = excluded.clk, gen = excluded.gen"""

Values = Mapping[str, Any]


class StreamHead(NamedTuple):
    """Where a stream stands: its last entry, and the last one that is archived for certain."""

    seq: int = -1
    hash: bytes = b""
    safe_seq: int = -1
    safe_hash: bytes = b""


def stream_head(connection: Connection, dev: str, stream_id: bytes) -> StreamHead | None:
    """Head of a stream that this box may write to, empty when it is new; None for any other."""
    found = driver(connection).execute(STREAM_HEAD, (stream_id, dev)).fetchone()
    if found is None:
        return None
    seq, head_hash, safe_seq, safe_hash = found
    return StreamHead(seq, bytes(head_hash or b""), safe_seq, bytes(safe_hash or b""))


def save_hello(connection: Connection, values: Values) -> None:
    """Keep what a box said when it connected."""
    driver(connection).execute(RAISE_EDGE_HEAD, values)
    driver(connection).execute(HELLO, values)


def save_birth(connection: Connection, values: Values) -> bool:
    """Mark a box online; False when that is old news."""
    return driver(connection).execute(BIRTH, values).fetchone() is not None


def save_death(connection: Connection, values: Values) -> bool:
    """Mark a box offline; False when another connection has taken over, or it was known."""
    return driver(connection).execute(DEATH, values).fetchone() is not None


def save_reports(connection: Connection, rows: Sequence[Values]) -> None:
    """Keep reported states, at most one of each box, in the order of their devices."""
    with driver(connection).cursor() as cursor:
        cursor.executemany(REPORT, rows)
