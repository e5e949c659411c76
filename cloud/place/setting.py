"""Dated settings: what head office sets up, and the records that tills read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

from sqlalchemy import Connection

from cloud.db import Database
from cloud.place import setting_store, store
from cloud.place.setting_store import SettingRow
from cloud.place.store import Author
from cloud.records import CHAIN, STORE_PREFIX, ZONE_PREFIX, ScopedRecord, zone_of
from shared.config.dated import ALWAYS, ConfigLevel, Value, body_of, record_key
from shared.config.settings import check_setting
from shared.kernel.errors import RefusedError
from shared.kernel.wall_clock import wall_clock_of
from shared.publication.revision import Record, RecordKind
from shared.staff.role import ROLE

CHAIN_CELL = "chain"
GROUP_PREFIX = "group:"


def scope_of(place: str) -> str:
    """The scope that people write as a store, "zone:<id>", "group:<id>" or "chain"."""
    if place == CHAIN_CELL:
        return CHAIN
    return place if place.startswith((ZONE_PREFIX, GROUP_PREFIX)) else zone_of(place)


def place_of(scope: str) -> str:
    """How people write a scope."""
    return scope.removeprefix(STORE_PREFIX) or CHAIN_CELL


Check = Callable[[str, Value], None]
"""Refuses a setting's value that no till would understand."""


def put_setting(
    database: Database, row: SettingRow, author: Author, check: Check = check_setting
) -> bool:
    """Set something up from a local time on; False when it was so already.

    Raises RefusedError `config.name`, `config.value`, `time.local`, or `store.unknown`,
    `zone.unknown`, `group.unknown`.
    """
    if row.from_local != ALWAYS:
        wall_clock_of(row.from_local)
    if row.value is not None:
        check(row.name, row.value)
    with database.begin() as connection:
        _check_scope(connection, row.scope)
        if setting_store.last_value(connection, row) == (row.value,):
            return False
        setting_store.add(connection, row, author)
        return True


def current(database: Database) -> list[dict[str, Any]]:
    """What is set up, by place, name and time, with what is not published yet marked."""
    with database.begin() as connection:
        waiting = set(setting_store.drafts(connection))
        rows = setting_store.current(connection)
    for row in rows:
        row["is_draft"] = (row["scope"], row["name"]) in waiting
        row["place"] = place_of(row.pop("scope"))
    return rows


def plain(database: Database) -> list[dict[str, Any]]:
    """The same without the roles of tills, which have a page and a right of their own."""
    return [row for row in current(database) if not row["name"].startswith(ROLE)]


def history(database: Database, place: str, name: str) -> list[dict[str, Any]]:
    """Who set up what, when and why, newest first; "" for every place or name."""
    with database.begin() as connection:
        rows = setting_store.history(connection, scope_of(place) if place else None, name)
    for row in rows:
        row["place"] = place_of(row.pop("scope"))
    return rows


class ConfigRecords:
    """Settings as records; see `cloud.records.RecordSource`."""

    name = "config"

    def drafts(self, connection: Connection) -> Iterator[ScopedRecord]:
        """What waits: a setting's whole record, or its removal where nothing sets it any more."""
        rows = groupby(setting_store.draft_rows(connection), key=lambda row: row[:2])
        found = {key: body_of((row[2], row[3]) for row in dated) for key, dated in rows}
        for scope, name in setting_store.drafts(connection):
            body = found.get((scope, name))
            is_gone = body is None or all(value is None for _, value in body["dated"])
            record = Record(RecordKind.CONFIG, record_name(scope, name), None if is_gone else body)
            yield ScopedRecord(scope, record)

    def take(self, connection: Connection, release_id: int) -> None:
        """See RecordSource."""
        setting_store.take(connection, self.name, release_id)

    def give_back(self, connection: Connection, release_id: int) -> None:
        """See RecordSource."""
        setting_store.give_back(connection, self.name, release_id)

    def mark_published(self, connection: Connection, release_id: int, rev: int) -> None:
        """Nothing to note: the rows say since when they count."""


def record_name(scope: str, name: str) -> str:
    """The key of a setting's record in a scope; a group's name bears its level already."""
    if scope == CHAIN:
        return record_key(name, ConfigLevel.CHAIN)
    return record_key(name, ConfigLevel.ZONE) if scope.startswith(ZONE_PREFIX) else name


def _check_scope(connection: Connection, scope: str) -> None:
    if scope == CHAIN:
        return
    kind, _, identity = scope.partition(":")
    if scope.startswith(ZONE_PREFIX):
        is_known = identity in store.zones(connection)
    elif scope.startswith(GROUP_PREFIX):
        is_known = identity in store.groups(connection)
    else:
        kind, identity = "store", scope.removeprefix(STORE_PREFIX)
        is_known = store.unknown_store(connection, [identity]) is None
    if not is_known:
        raise RefusedError(f"{kind}.unknown", **{f"{kind}_id": identity[:40]})
