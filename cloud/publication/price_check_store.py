"""SQL of price checks: which revision a store sells by, and its place. Reads `store` and boxes."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

_SELLER = text("""
    SELECT time_zone, currency, device.dev, coalesce(state.active_rev, 0)
    FROM store
    LEFT JOIN device ON device.store_id = store.store_id AND device.status = 'active'
    LEFT JOIN box_state state ON state.dev = device.dev
    WHERE store.store_id = :store_id
    ORDER BY state.last_contact_at_ms DESC NULLS LAST LIMIT 1""")


@dataclass(frozen=True, slots=True)
class Seller:
    """A store, its box ("" for none) and the revision that the box has reported as active."""

    time_zone: str
    currency: str
    dev: str
    active_rev: int


def seller(connection: Connection, store_id: str) -> Seller | None:
    """The store with that id."""
    row = connection.execute(_SELLER, {"store_id": store_id}).one_or_none()
    return None if row is None else Seller(row[0], row[1], row[2] or "", row[3])
