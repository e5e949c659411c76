"""Forgetting what is old, archived and the same there as here.

Entry 0 always stays, and so does the last one, whatever its age: the next number, the hash before
it and the perpetual totals are read from it. The last pruned entry's number and hash are kept as
the anchor: the chain begins there, and a journal cut short by somebody else has none that fits.
"""

from __future__ import annotations

import sqlite3

from shared.journal.life import Position, keep_since_ms, prune_limit

PRUNED_AT_ONCE = 5_000
"""A long list would hold the writer, and with it the till."""
_PERMIT = "INSERT OR REPLACE INTO prune_permit(one, up_to_seq) VALUES(1,?)"
_ANCHOR = "INSERT OR REPLACE INTO anchor(one, seq, hash) VALUES(1,?,?)"
_OLDEST = (
    "SELECT seq, CAST(body ->> '$.at' AS INTEGER) FROM entry WHERE seq>0 AND seq<=?"
    " ORDER BY seq LIMIT ?"
)


def prune(writer: sqlite3.Connection, stream: str, now_ms: int, *, is_pressed: bool = False) -> int:
    """Delete entries up to `safe` that are old enough; how many went (call again while some did).

    `is_pressed` keeps 35 days instead of 400. One transaction: pruned entirely or not at all.
    """
    row = writer.execute("SELECT seq, hash FROM watermark WHERE name='safe'").fetchone()
    safe = None if row is None else Position(stream, row[0], row[1])
    limit = prune_limit(safe, None if safe is None else _hash_at(writer, safe.seq))
    since_ms = keep_since_ms(now_ms, is_pressed=is_pressed)
    head = writer.execute("SELECT max(seq) FROM entry").fetchone()[0]
    up_to = _last_older(writer, min(limit, head - 1), since_ms)
    own = _hash_at(writer, up_to) if up_to > 0 else None
    if own is None:
        return 0
    writer.execute("BEGIN IMMEDIATE")
    try:
        writer.execute(_PERMIT, (up_to,))
        writer.execute(_ANCHOR, (up_to, own))
        gone = writer.execute("DELETE FROM entry WHERE seq>0 AND seq<=?", (up_to,)).rowcount
        writer.execute("DELETE FROM prune_permit")
    except sqlite3.Error:
        writer.execute("ROLLBACK")
        raise
    writer.execute("COMMIT")
    return gone


def _last_older(writer: sqlite3.Connection, limit: int, since_ms: int) -> int:
    """The last of the oldest entries that was made before `since_ms`; an older clock may differ."""
    last = 0
    for seq, at_ms in writer.execute(_OLDEST, (limit, PRUNED_AT_ONCE)):
        if at_ms >= since_ms:
            break
        last = seq
    return last


def _hash_at(writer: sqlite3.Connection, seq: int) -> bytes | None:
    row = writer.execute(
        "SELECT hash FROM entry WHERE seq=? UNION ALL SELECT hash FROM anchor WHERE seq=?",
        (seq, seq),
    ).fetchone()
    return None if row is None else row[0]
