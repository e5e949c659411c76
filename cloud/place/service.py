"""Commands and questions of zones, groups, the stores in them, and categories."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import Connection

from cloud.db import Database
from cloud.place import setting_store, store
from cloud.place.store import Author, Category, Change, Group, Place, Zone
from shared.config.value import LANGUAGES
from shared.kernel.errors import MissingError, RefusedError

_ID = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)
_CATEGORY = re.compile(r"[^/]{1,80}")
RANK_MAX = 1000
ATTRIBUTES_MAX, ATTRIBUTE_LENGTH_MAX = 20, 120


@dataclass(frozen=True, slots=True)
class PutPlaces:
    """Stores that go into a zone (None: into none); `attributes` None leaves theirs."""

    store_ids: tuple[str, ...]
    zone_id: str | None
    attributes: Mapping[str, str] | None = None


def zones(database: Database) -> list[Zone]:
    """Every price zone, by id."""
    with database.begin() as connection:
        return list(store.zones(connection).values())


def put_zone(database: Database, zone: Zone, author: Author) -> None:
    """Add or rename a zone; RefusedError `place.id` or `place.name`."""
    _check(zone.zone_id, zone.name)
    with database.begin() as connection:
        before = store.zones(connection).get(zone.zone_id)
        store.put_zone(connection, zone.zone_id, zone.name)
        old = None if before is None else {"name": before.name}
        _keep(connection, Change("zone", zone.zone_id, old, {"name": zone.name}), author)


def drop_zone(database: Database, zone_id: str, author: Author) -> None:
    """Forget a zone; RefusedError `zone.in_use`, MissingError `zone.unknown`."""
    with database.begin() as connection:
        before = store.zones(connection).get(zone_id)
        if before is None:
            raise MissingError("zone.unknown", zone_id=zone_id[:40])
        if store.is_zone_in_use(connection, zone_id):
            raise RefusedError("zone.in_use", zone_id=zone_id)
        store.drop_zone(connection, zone_id)
        _keep(connection, Change("zone", zone_id, {"name": before.name}, None), author)


def groups(database: Database) -> list[Group]:
    """Every store group, by id."""
    with database.begin() as connection:
        return list(store.groups(connection).values())


def put_group(database: Database, group: Group, author: Author) -> None:
    """Add or replace a group; what it sets up is drafted for who came, stayed and went.

    Raises RefusedError `place.id`, `place.name`, `group.rank` or `store.unknown`.
    """
    _check(group.group_id, group.name)
    if abs(group.rank) > RANK_MAX:
        raise RefusedError("group.rank", most=RANK_MAX)
    group = replace(group, store_ids=tuple(sorted(set(group.store_ids))))
    with database.begin() as connection:
        _known_stores(connection, group.store_ids)
        before = store.groups(connection).get(group.group_id)
        store.put_group(connection, group)
        touched = set(group.store_ids) | set(before.store_ids if before else ())
        setting_store.draft_group(connection, group.group_id, sorted(touched))
        _keep(connection, _group_change(group.group_id, before, group), author)


def drop_group(database: Database, group_id: str, author: Author) -> None:
    """Forget a group; MissingError `group.unknown`."""
    with database.begin() as connection:
        before = store.groups(connection).get(group_id)
        if before is None:
            raise MissingError("group.unknown", group_id=group_id[:40])
        setting_store.draft_group(connection, group_id, before.store_ids)
        store.drop_group(connection, group_id)
        _keep(connection, _group_change(group_id, before, None), author)


def places(database: Database) -> list[Place]:
    """Every store with its zone, groups and attributes."""
    with database.begin() as connection:
        return list(store.places(connection).values())


def put_places(database: Database, command: PutPlaces, author: Author) -> int:
    """Put stores into a zone; they sell by its prices from the next release on.

    Returns how many changed. Raises RefusedError `store.unknown`, `zone.unknown` or
    `place.attributes`.
    """
    _check_attributes(command.attributes)
    with database.begin() as connection:
        _known_stores(connection, command.store_ids)
        if command.zone_id is not None and command.zone_id not in store.zones(connection):
            raise RefusedError("zone.unknown", zone_id=command.zone_id[:40])
        changes = []
        for place in store.places(connection, command.store_ids).values():
            attributes = place.attributes if command.attributes is None else command.attributes
            old = {"zone_id": place.zone_id, "attributes": dict(place.attributes)}
            new = {"zone_id": command.zone_id, "attributes": dict(attributes)}
            if old != new:
                changes.append(Change("store", place.store_id, old, new))
        touched = [change.subject for change in changes]
        store.put_places(connection, touched, command.zone_id, command.attributes)
        store.add_events(connection, changes, author)
        return len(changes)


def categories(database: Database) -> list[Category]:
    """Every category, by id."""
    with database.begin() as connection:
        return list(store.categories(connection).values())


def put_category(database: Database, category: Category, author: Author) -> None:
    """Add or replace a category.

    Raises RefusedError `category.id`, `category.names`, `category.parent` or `category.circle`.
    """
    if _CATEGORY.fullmatch(category.category_id) is None:
        raise RefusedError("category.id", category_id=category.category_id[:80])
    if set(category.names) - set(LANGUAGES) or not any(category.names.values()):
        raise RefusedError("category.names")
    with database.begin() as connection:
        known = store.categories(connection)
        _check_parents(category, known)
        store.put_category(connection, category)
        before = known.get(category.category_id)
        _keep(connection, _category_change(category.category_id, before, category), author)


def drop_category(database: Database, category_id: str, author: Author) -> None:
    """Forget a category; RefusedError `category.has_children`, MissingError `category.unknown`."""
    with database.begin() as connection:
        known = store.categories(connection)
        if category_id not in known:
            raise MissingError("category.unknown", category_id=category_id[:80])
        if any(each.parent_id == category_id for each in known.values()):
            raise RefusedError("category.has_children", category_id=category_id)
        store.drop_category(connection, category_id)
        _keep(connection, _category_change(category_id, known[category_id], None), author)


def events(database: Database, kind: str, subject: str) -> list[dict[str, Any]]:
    """Who changed masters, when and why, newest first; "" for every kind or subject."""
    with database.begin() as connection:
        return store.events(connection, kind, subject)


def _check(identity: str, name: str) -> None:
    if _ID.fullmatch(identity) is None:
        raise RefusedError("place.id", id=identity[:40])
    if not name:
        raise RefusedError("place.name")


def _check_attributes(attributes: Mapping[str, str] | None) -> None:
    if attributes is None:
        return
    is_long = any(len(word) > ATTRIBUTE_LENGTH_MAX for pair in attributes.items() for word in pair)
    if is_long or len(attributes) > ATTRIBUTES_MAX or "" in attributes:
        raise RefusedError("place.attributes", most=ATTRIBUTES_MAX, length=ATTRIBUTE_LENGTH_MAX)


def _known_stores(connection: Connection, store_ids: Sequence[str]) -> None:
    unknown = store.unknown_store(connection, store_ids)
    if unknown is not None:
        raise RefusedError("store.unknown", store_id=unknown[:40])


def _check_parents(category: Category, known: Mapping[str, Category]) -> None:
    above, seen = category.parent_id, {category.category_id}
    while above is not None:
        if above in seen:
            raise RefusedError("category.circle", category_id=category.category_id)
        if above not in known:
            raise RefusedError("category.parent", category_id=above[:80])
        seen.add(above)
        above = known[above].parent_id


def _keep(connection: Connection, change: Change, author: Author) -> None:
    if change.before != change.after:
        store.add_events(connection, [change], author)


def _group_change(group_id: str, before: Group | None, after: Group | None) -> Change:
    return Change("group", group_id, *_both(before, after, "group_id"))


def _category_change(category_id: str, before: Category | None, after: Category | None) -> Change:
    return Change("category", category_id, *_both(before, after, "category_id"))


def _both(
    before: Group | Category | None, after: Group | Category | None, key: str
) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
    return _shown(before, key), _shown(after, key)


def _shown(master: Group | Category | None, key: str) -> Mapping[str, Any] | None:
    if master is None:
        return None
    return {name: value for name, value in asdict(master).items() if name != key}
