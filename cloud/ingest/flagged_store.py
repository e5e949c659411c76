"""SQL about entries that were stored without effects."""

from __future__ import annotations

from sqlalchemy import Connection

from cloud.db import driver
from cloud.ingest.store import StreamKey

STORE = "SELECT store_id FROM stream WHERE stream_id = %s"
LOCK = """
SELECT body FROM entry
WHERE stream_id = %s AND store_id = %s AND seq = %s AND flag IS NOT NULL FOR UPDATE"""
SET_FLAG = "UPDATE entry SET flag = %s WHERE stream_id = %s AND store_id = %s AND seq = %s"


def lock_flagged(connection: Connection, stream_id: bytes, seq: int) -> tuple[str, bytes] | None:
    """Store and body of a flagged entry, held until the transaction ends; None for no such."""
    below = driver(connection)
    of = below.execute(STORE, (stream_id,)).fetchone()
    if of is None:
        return None
    store_id: str = of[0]
    found = below.execute(LOCK, (stream_id, store_id, seq), binary=True).fetchone()
    return None if found is None else (store_id, bytes(found[0]))


def set_flag(connection: Connection, key: StreamKey, seq: int, flag: str | None) -> None:
    """Say why an entry has no effects; None for one that has them now."""
    driver(connection).execute(SET_FLAG, (flag, *key, seq))
