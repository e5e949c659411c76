"""SQL of price zones, store groups, the stores in them, categories, and who changed them.

Reads and writes the columns `zone_id` and `attributes` of `store`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, text

EVENTS_MAX = 500

_ZONES = text("""
    SELECT zone_id, name, (SELECT count(*) FROM store WHERE store.zone_id = zone.zone_id) AS stores
    FROM price_zone zone ORDER BY zone_id""")
_PUT_ZONE = text("""
    INSERT INTO price_zone (zone_id, name) VALUES (:id, :name)
    ON CONFLICT (zone_id) DO UPDATE SET name = excluded.name""")
_DROP_ZONE = text("DELETE FROM price_zone WHERE zone_id = :id")
_ZONE_IN_USE = text("""
    SELECT EXISTS (SELECT FROM store WHERE zone_id = :id)
        OR EXISTS (SELECT FROM item_price WHERE scope = 'zone:' || :id)
        OR EXISTS (SELECT FROM config_row WHERE scope = 'zone:' || :id)""")
_GROUPS = text("""
    SELECT group_id, name, rank,
           array(SELECT store_id FROM store_group_member member
                 WHERE member.group_id = store_group.group_id ORDER BY store_id) AS store_ids
    FROM store_group ORDER BY group_id""")
_PUT_GROUP = text("""
    INSERT INTO store_group (group_id, name, rank) VALUES (:id, :name, :rank)
    ON CONFLICT (group_id) DO UPDATE SET name = excluded.name, rank = excluded.rank""")
_DROP_GROUP = text("DELETE FROM store_group WHERE group_id = :id")
_LEAVE_GROUP = text("""
    DELETE FROM store_group_member
    WHERE group_id = :id AND NOT (store_id = ANY(:store_ids))""")
_JOIN_GROUP = text("""
    INSERT INTO store_group_member (group_id, store_id)
    SELECT :id, unnest(CAST(:store_ids AS text[])) ON CONFLICT DO NOTHING""")
_PLACES = text("""
    SELECT store_id, store.name, time_zone, zone_id, attributes,
           array(SELECT group_id FROM store_group_member member
                 WHERE member.store_id = store.store_id ORDER BY group_id) AS group_ids
    FROM store
    WHERE CAST(:store_ids AS text[]) IS NULL OR store_id = ANY(:store_ids) ORDER BY store_id""")
_PUT_PLACES = text("""
    UPDATE store SET zone_id = :zone_id,
           attributes = coalesce(CAST(:attributes AS jsonb), attributes)
    WHERE store_id = ANY(:store_ids)""")
_UNKNOWN_STORES = text("""
    SELECT asked FROM unnest(CAST(:store_ids AS text[])) asked
    WHERE NOT EXISTS (SELECT FROM store WHERE store_id = asked) ORDER BY 1 LIMIT 1""")
_CATEGORIES = text("SELECT category_id, parent_id, names FROM category ORDER BY category_id")
_PUT_CATEGORY = text("""
    INSERT INTO category (category_id, parent_id, names)
    VALUES (:id, :parent_id, CAST(:names AS jsonb))
    ON CONFLICT (category_id) DO UPDATE SET
        parent_id = excluded.parent_id, names = excluded.names""")
_DROP_CATEGORY = text("DELETE FROM category WHERE category_id = :id")
_ADD_EVENT = text("""
    INSERT INTO master_event (at_ms, by, reason, kind, subject, before, after)
    VALUES (:at_ms, :by, :reason, :kind, :subject,
            CAST(:before AS jsonb), CAST(:after AS jsonb))""")
_EVENTS = text("""
    SELECT at_ms, by, reason, kind, subject, before, after FROM master_event
    WHERE (:kind = '' OR kind = :kind) AND (:subject = '' OR subject = :subject)
    ORDER BY id DESC LIMIT :most""")


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes a master, when (UTC ms) and why."""

    name: str
    at_ms: int
    reason: str


@dataclass(frozen=True, slots=True)
class Zone:
    """Stores with the same prices; `stores` is how many there are."""

    zone_id: str
    name: str
    stores: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """Any stores under one name; of two that set up the same the higher rank counts."""

    group_id: str
    name: str
    rank: int
    store_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A store, its price zone (None: only the chain's prices and its own) and its groups."""

    store_id: str
    name: str
    time_zone: str
    zone_id: str | None
    attributes: Mapping[str, str]
    group_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of goods by the word that items bear; names by language."""

    category_id: str
    parent_id: str | None
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one master: None before for a new one, None after for one that is gone."""

    kind: str
    subject: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


def zones(connection: Connection) -> dict[str, Zone]:
    """Every price zone by id."""
    return {row.zone_id: Zone(*row) for row in connection.execute(_ZONES)}


def put_zone(connection: Connection, zone_id: str, name: str) -> None:
    """Add or rename a zone."""
    connection.execute(_PUT_ZONE, {"id": zone_id, "name": name})


def is_zone_in_use(connection: Connection, zone_id: str) -> bool:
    """Whether stores, prices or settings name the zone."""
    return bool(connection.execute(_ZONE_IN_USE, {"id": zone_id}).scalar_one())


def drop_zone(connection: Connection, zone_id: str) -> None:
    """Forget a zone."""
    connection.execute(_DROP_ZONE, {"id": zone_id})


def groups(connection: Connection) -> dict[str, Group]:
    """Every group by id."""
    found = connection.execute(_GROUPS)
    return {
        row.group_id: Group(row.group_id, row.name, row.rank, tuple(row.store_ids)) for row in found
    }


def put_group(connection: Connection, group: Group) -> None:
    """Add or replace a group with the stores in it."""
    connection.execute(_PUT_GROUP, {"id": group.group_id, "name": group.name, "rank": group.rank})
    members = {"id": group.group_id, "store_ids": list(group.store_ids)}
    connection.execute(_LEAVE_GROUP, members)
    connection.execute(_JOIN_GROUP, members)


def drop_group(connection: Connection, group_id: str) -> None:
    """Forget a group."""
    connection.execute(_DROP_GROUP, {"id": group_id})


def places(connection: Connection, store_ids: Sequence[str] | None = None) -> dict[str, Place]:
    """Stores by id; None for all."""
    asked = None if store_ids is None else list(store_ids)
    found = connection.execute(_PLACES, {"store_ids": asked})
    return {
        row.store_id: Place(
            row.store_id,
            row.name,
            row.time_zone,
            row.zone_id,
            row.attributes,
            tuple(row.group_ids),
        )
        for row in found
    }


def put_places(
    connection: Connection,
    store_ids: Sequence[str],
    zone_id: str | None,
    attributes: Mapping[str, str] | None,
) -> None:
    """Put stores into a zone; attributes None leaves theirs."""
    parameters = {
        "store_ids": list(store_ids),
        "zone_id": zone_id,
        "attributes": None if attributes is None else _json(attributes),
    }
    connection.execute(_PUT_PLACES, parameters)


def unknown_store(connection: Connection, store_ids: Sequence[str]) -> str | None:
    """The first of these that is no store."""
    found = connection.execute(_UNKNOWN_STORES, {"store_ids": list(store_ids)})
    return found.scalar_one_or_none()


def categories(connection: Connection) -> dict[str, Category]:
    """Every category by id."""
    return {row.category_id: Category(*row) for row in connection.execute(_CATEGORIES)}


def put_category(connection: Connection, category: Category) -> None:
    """Add or replace a category."""
    connection.execute(
        _PUT_CATEGORY,
        {
            "id": category.category_id,
            "parent_id": category.parent_id,
            "names": _json(category.names),
        },
    )


def drop_category(connection: Connection, category_id: str) -> None:
    """Forget a category."""
    connection.execute(_DROP_CATEGORY, {"id": category_id})


def add_events(connection: Connection, changes: Iterable[Change], author: Author) -> None:
    """Keep who changed what, when and why."""
    rows = [
        {
            "at_ms": author.at_ms,
            "by": author.name,
            "reason": author.reason,
            "kind": change.kind,
            "subject": change.subject,
            "before": None if change.before is None else _json(change.before),
            "after": None if change.after is None else _json(change.after),
        }
        for change in changes
    ]
    if rows:
        connection.execute(_ADD_EVENT, rows)


def events(connection: Connection, kind: str, subject: str) -> list[dict[str, Any]]:
    """The newest changes, of all masters or of some."""
    parameters = {"kind": kind, "subject": subject, "most": EVENTS_MAX}
    return [dict(row) for row in connection.execute(_EVENTS, parameters).mappings()]


def _json(value: Mapping[str, Any]) -> str:
    return orjson.dumps(dict(value)).decode()
