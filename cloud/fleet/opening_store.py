"""SQL of new stores: where their box is, and how far they are on the way to their first sale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

_PUT_SITE = text("""
    INSERT INTO store_site (store_id, address, made_at_ms, made_by)
    VALUES (:store_id, :address, :made_at_ms, :made_by)
    ON CONFLICT (store_id) DO UPDATE SET address = excluded.address""")
_PROGRESS = text("""
    SELECT store.name, site.address, site.made_at_ms, claim.expires_at_ms AS claim_expires_at_ms,
           device.dev, device.created_at_ms AS enrolled_at_ms, state.last_contact_at_ms,
           coalesce(state.online, false) AS is_online, state.stored_at_ms, state.active_at_ms,
           sale.first_sale_at_ms
    FROM store
    LEFT JOIN store_site site USING (store_id)
    LEFT JOIN LATERAL (SELECT expires_at_ms FROM claim WHERE claim.store_id = store.store_id
        ORDER BY expires_at_ms DESC LIMIT 1) claim ON true
    LEFT JOIN LATERAL (SELECT dev, created_at_ms FROM device
        WHERE device.store_id = store.store_id AND status = 'active'
        ORDER BY created_at_ms DESC LIMIT 1) device ON true
    LEFT JOIN box_state state ON state.dev = device.dev
    LEFT JOIN LATERAL (SELECT min(at_ms) AS first_sale_at_ms FROM sale
        WHERE sale.store_id = :store_id) sale ON true
    WHERE store.store_id = :store_id""")
_INVENTORY = text("""
    SELECT store.store_id, store.name, store.time_zone, coalesce(site.address, '') AS address,
           coalesce(device.dev, '') AS dev, coalesce(state.sw, '') AS sw,
           coalesce(state.online, false) AS online,
           array(SELECT group_id FROM store_group_member member
                 WHERE member.store_id = store.store_id ORDER BY group_id) AS groups
    FROM store
    LEFT JOIN store_site site USING (store_id)
    LEFT JOIN LATERAL (SELECT dev FROM device
        WHERE device.store_id = store.store_id AND status = 'active'
        ORDER BY created_at_ms DESC LIMIT 1) device ON true
    LEFT JOIN box_state state ON state.dev = device.dev
    ORDER BY store.store_id""")


@dataclass(frozen=True, slots=True)
class Progress:
    """What is known of a store's way to its first sale; instants in UTC ms, None: not yet."""

    name: str
    address: str | None
    made_at_ms: int | None
    claim_expires_at_ms: int | None
    dev: str | None
    enrolled_at_ms: int | None
    last_contact_at_ms: int | None
    is_online: bool
    stored_at_ms: int | None
    active_at_ms: int | None
    first_sale_at_ms: int | None


def put_site(
    connection: Connection, store_id: str, address: str, made_at_ms: int, made_by: str
) -> None:
    """Remember where a store's box is."""
    values = {"store_id": store_id, "address": address, "made_at_ms": made_at_ms}
    connection.execute(_PUT_SITE, values | {"made_by": made_by})


def progress(connection: Connection, store_id: str) -> Progress | None:
    """How far a store is; None for one that does not exist."""
    row = connection.execute(_PROGRESS, {"store_id": store_id}).one_or_none()
    return None if row is None else Progress(**row._mapping)  # noqa: SLF001 - public in fact


def inventory(connection: Connection) -> list[dict[str, Any]]:
    """One row for each store: its box, address and groups."""
    return [dict(row._mapping) for row in connection.execute(_INVENTORY)]  # noqa: SLF001
