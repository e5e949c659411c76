"""SQL about entries that were stored without effects."""

from __future__ import annotations

from sqlalchemy import Connection

from cloud.db import driver

LOCK = """
SELECT store_id, body FROM entry
WHERE stream_id = %s AND seq = %s AND flag IS NOT NULL FOR UPDATE"""
SET_FLAG = "UPDATE entry SET flag = %s WHERE stream_id = %s AND seq = %s"


def lock_flagged(connection: Connection, stream_id: bytes, seq: int) -> tuple[str, bytes] | None:
    """Store and body of a flagged entry, held until the transaction ends; None for no such."""
    found = driver(connection).execute(LOCK, (stream_id, seq), binary=True).fetchone()
    return None if found is None else (found[0], bytes(found[1]))


def set_flag(connection: Connection, stream_id: bytes, seq: int, flag: str | None) -> None:
    """Say why an entry has no effects; None for one that has them now."""
    driver(connection).execute(SET_FLAG, (flag, stream_id, seq))
