"""Roles of the tills: dated settings like the others, with a right of their own to change them."""

from __future__ import annotations

from typing import Any

from cloud.db import Database
from cloud.place import setting, setting_store
from cloud.place.setting_store import SettingRow
from cloud.place.store import Author
from shared.config.dated import Value
from shared.kernel.errors import RefusedError
from shared.staff.permission import APPROVABLE, PERMISSIONS
from shared.staff.role import (
    BUILT_IN,
    MEASURES_OF,
    ROLE,
    check_role,
    parse_role,
    role_name,
    value_of,
)

RIGHTS = [
    {
        "permission": each,
        "is_approvable": each in APPROVABLE,
        "measures": list(MEASURES_OF.get(each, ())),
    }
    for each in PERMISSIONS
]
"""What a role says something about: the rows of the matrix."""


def put_role(database: Database, row: SettingRow, author: Author) -> bool:
    """Say what a role may do from a local time on; False when it was so already.

    `row.name` is the role's id. Raises RefusedError `role.id`, `role.value`, and as `put_setting`.
    """
    named = SettingRow(row.scope, role_name(row.name), row.from_local, row.value)
    return setting.put_setting(database, named, author, _check)


def roles(database: Database) -> list[dict[str, Any]]:
    """Each role as it stands: what is built in, then every place's rows by name and time.

    `value` is whole: what a row leaves to what is built in is written out. Of a row that ends a
    role `value` is None.
    """
    set_up = [_row(each) for each in setting.current(database) if each["name"].startswith(ROLE)]
    chain_wide = {
        each["role_id"] for each in set_up if each["place"] == "chain" and not each["from_local"]
    }
    built_in = [
        {
            "role_id": role.id,
            "place": setting.CHAIN_CELL,
            "from_local": "",
            "value": value_of(role),
            "is_built_in": True,
            "created_by": "",
            "created_at_ms": 0,
            "reason": "",
            "is_draft": False,
        }
        for role in BUILT_IN.values()
        if role.id not in chain_wide
    ]
    return built_in + set_up


def history(database: Database, role_id: str) -> list[dict[str, Any]]:
    """Every row that was ever set of a role ("": of all), newest first."""
    with database.begin() as connection:
        if role_id:
            rows = setting_store.history(connection, None, role_name(role_id))
        else:
            rows = setting_store.role_history(connection, ROLE)
    for row in rows:
        row["place"] = setting.place_of(row.pop("scope"))
    return [_row(each) for each in rows]


def _row(row: dict[str, Any]) -> dict[str, Any]:
    role_id = row.pop("name").removeprefix(ROLE)
    value = row["value"]
    row["value"] = None if value is None else _whole(role_id, value)
    return {"role_id": role_id, "is_built_in": False, "is_draft": False, **row}


def _whole(role_id: str, value: Value) -> Value:
    try:
        return value_of(parse_role(role_id, value))
    except RefusedError:  # an older console may have written what nobody reads any more
        return value


def _check(name: str, value: Value) -> None:
    check_role(name.removeprefix(ROLE), value)
