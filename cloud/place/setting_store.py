"""SQL of dated settings. Rows are only ever added; of two of one time the later id counts.

Reads `store_group` and its members beside its own tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, text

from cloud.place.store import Author

HISTORY_MAX = 500

_ADD = text("""
    INSERT INTO config_row (scope, name, from_local, value, created_by, created_at_ms, reason)
    VALUES (:scope, :name, :from_local, CAST(:value AS jsonb), :by, :at_ms, :reason)""")
# A draft that is there already is written again, so that a publication which is just taking the
# older state notices.
_DRAFT = text("""
    INSERT INTO config_draft (scope, name) VALUES (:scope, :name)
    ON CONFLICT (scope, name) DO UPDATE SET name = excluded.name""")
# What a group sets up is published for each of its stores.
_DRAFT_MEMBERS = text("""
    INSERT INTO config_draft (scope, name)
    SELECT 'store-' || store_id, :name || '@g' FROM store_group_member
    WHERE group_id = :group_id
    ON CONFLICT (scope, name) DO UPDATE SET name = excluded.name""")
_DRAFT_GROUP = text("""
    INSERT INTO config_draft (scope, name)
    SELECT DISTINCT 'store-' || member, config_row.name || '@g'
    FROM config_row, unnest(CAST(:store_ids AS text[])) member
    WHERE config_row.scope = 'group:' || :group_id
    ON CONFLICT (scope, name) DO UPDATE SET name = excluded.name""")
_CURRENT = text("""
    SELECT DISTINCT ON (scope, name, from_local)
           scope, name, from_local, value, created_by, created_at_ms, reason
    FROM config_row
    WHERE scope NOT LIKE 'group:%'
       OR EXISTS (SELECT FROM store_group WHERE 'group:' || group_id = scope)
    ORDER BY scope, name, from_local, id DESC""")
_HISTORY = text("""
    SELECT scope, name, from_local, value, created_by, created_at_ms, reason FROM config_row
    WHERE (CAST(:scope AS text) IS NULL OR scope = :scope) AND (:name = '' OR name = :name)
    ORDER BY id DESC LIMIT :most""")
_ROLE_HISTORY = text("""
    SELECT scope, name, from_local, value, created_by, created_at_ms, reason FROM config_row
    WHERE starts_with(name, :prefix) ORDER BY id DESC LIMIT :most""")
_LAST = text("""
    SELECT value FROM config_row
    WHERE scope = :scope AND name = :name AND from_local = :from_local ORDER BY id DESC LIMIT 1""")
_DRAFTS = text("SELECT scope, name FROM config_draft ORDER BY scope, name")
# Of the groups of a store that set something up the one of the highest rank counts.
_DRAFT_ROWS = text("""
    WITH wanted AS (
        SELECT scope, name, scope AS source, name AS plain FROM config_draft
        WHERE name NOT LIKE '%@g'
        UNION ALL
        SELECT draft.scope, draft.name, winner.source, left(draft.name, -2)
        FROM config_draft draft CROSS JOIN LATERAL (
            SELECT 'group:' || group_id AS source
            FROM store_group_member JOIN store_group USING (group_id)
            WHERE store_id = substr(draft.scope, 7) AND EXISTS (
                SELECT FROM config_row
                WHERE scope = 'group:' || group_id AND name = left(draft.name, -2))
            ORDER BY rank DESC, group_id LIMIT 1) winner
        WHERE draft.name LIKE '%@g')
    SELECT wanted.scope, wanted.name, kept.from_local, kept.value
    FROM wanted JOIN config_row kept ON kept.scope = wanted.source AND kept.name = wanted.plain
    ORDER BY wanted.scope, wanted.name, kept.id""")

# Neither scopes nor names hold a blank.
_TAKE = text("""
    WITH gone AS (DELETE FROM config_draft RETURNING scope, name)
    INSERT INTO release_draft (release_id, source, key)
    SELECT :release_id, :source, scope || ' ' || name FROM gone""")
_GIVE_BACK = text("""
    INSERT INTO config_draft (scope, name)
    SELECT split_part(key, ' ', 1), split_part(key, ' ', 2) FROM release_draft
    WHERE release_id = :release_id AND source = :source
    ON CONFLICT DO NOTHING""")


@dataclass(frozen=True, slots=True)
class SettingRow:
    """What a scope sets up from a local time on ("": always); `value` None ends it."""

    scope: str
    name: str
    from_local: str
    value: Mapping[str, Any] | None


def add(connection: Connection, row: SettingRow, author: Author) -> None:
    """Add a row; it waits for the next publication."""
    parameters = {"scope": row.scope, "name": row.name, "from_local": row.from_local}
    parameters |= {"by": author.name, "reason": author.reason}
    value = None if row.value is None else orjson.dumps(dict(row.value)).decode()
    connection.execute(_ADD, parameters | {"value": value, "at_ms": author.at_ms})
    if row.scope.startswith("group:"):
        group_id = row.scope.removeprefix("group:")
        connection.execute(_DRAFT_MEMBERS, {"group_id": group_id, "name": row.name})
    else:
        connection.execute(_DRAFT, {"scope": row.scope, "name": row.name})


def draft_group(connection: Connection, group_id: str, store_ids: Sequence[str]) -> None:
    """What a group sets up has to be published anew for these stores."""
    parameters = {"group_id": group_id, "store_ids": list(store_ids)}
    connection.execute(_DRAFT_GROUP, parameters)


def last_value(connection: Connection, row: SettingRow) -> tuple[Mapping[str, Any] | None] | None:
    """The value that counts at the row's own time, in a tuple; None when there is no such row."""
    found = connection.execute(
        _LAST, {"scope": row.scope, "name": row.name, "from_local": row.from_local}
    ).one_or_none()
    return None if found is None else (found[0],)


def current(connection: Connection) -> list[dict[str, Any]]:
    """Every row that counts, by scope, name and time."""
    return [dict(row) for row in connection.execute(_CURRENT).mappings()]


def history(connection: Connection, scope: str | None, name: str) -> list[dict[str, Any]]:
    """The newest rows of a scope (None: of all) and a name ("": of all)."""
    parameters = {"scope": scope, "name": name, "most": HISTORY_MAX}
    return [dict(row) for row in connection.execute(_HISTORY, parameters).mappings()]


def role_history(connection: Connection, prefix: str) -> list[dict[str, Any]]:
    """The newest rows of all names that begin so."""
    parameters = {"prefix": prefix, "most": HISTORY_MAX}
    return [dict(row) for row in connection.execute(_ROLE_HISTORY, parameters).mappings()]


def drafts(connection: Connection) -> list[tuple[str, str]]:
    """(scope, name) of what waits; a name that ends in "@g" is a group's, for that store."""
    return [(scope, name) for scope, name in connection.execute(_DRAFTS)]


def take(connection: Connection, source: str, release_id: int) -> None:
    """Let every draft belong to a release."""
    connection.execute(_TAKE, {"source": source, "release_id": release_id})


def give_back(connection: Connection, source: str, release_id: int) -> None:
    """Let what a release took wait again."""
    connection.execute(_GIVE_BACK, {"source": source, "release_id": release_id})


def draft_rows(connection: Connection) -> Iterator[tuple[str, str, str, Mapping[str, Any] | None]]:
    """(scope, name, time, value) of all that waits, in the order in which it was set."""
    statement = _DRAFT_ROWS.execution_options(yield_per=5000)
    for row in connection.execute(statement):
        yield row.scope, row.name, row.from_local, row.value
