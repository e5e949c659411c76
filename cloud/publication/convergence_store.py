"""SQL of convergence: each store's newest revision beside what its box last reported.

Reads `store`, `device` and `box_state`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

_ROWS = text("""
    SELECT store.store_id, store.name, zone.rev AS target_rev,
           state.stored_rev, state.active_rev, state.shown_rev,
           state.stored_at_ms, state.active_at_ms, state.shown_at_ms,
           state.last_contact_at_ms, state.error, device.dev
    FROM store
    LEFT JOIN LATERAL (
        SELECT rev FROM zone_revision WHERE zone = 'store-' || store.store_id
        ORDER BY rev DESC LIMIT 1) zone ON true
    LEFT JOIN device ON device.store_id = store.store_id AND device.status = 'active'
    LEFT JOIN box_state state ON state.dev = device.dev
    WHERE :dev = '' OR device.dev = :dev
    ORDER BY store.store_id""")


def rows(connection: Connection, dev: str = "") -> list[dict[str, Any]]:
    """One row per store, or the one of a box."""
    return [dict(row) for row in connection.execute(_ROWS, {"dev": dev}).mappings()]


def target_rev(connection: Connection) -> int:
    """The newest publication's number; 0 before the first."""
    found = connection.execute(text("SELECT coalesce(max(rev), 0) FROM publication"))
    return int(found.scalar_one())
