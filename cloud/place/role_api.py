"""Roles of the tills over HTTP."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from cloud.access import STAFF_WRITE, ContextDep, Requires
from cloud.answer import CsvAnswer, json_answer
from cloud.context import Principal
from cloud.place import role, schemas, setting
from cloud.place.api import author_of, cell_of
from cloud.place.setting_store import SettingRow

router = APIRouter(prefix="/v1/till-roles", tags=["till-roles"])
Writer = Annotated[Principal, Depends(Requires(STAFF_WRITE, fresh=True))]
WRITE = [Depends(Requires(STAFF_WRITE))]
COLUMNS = (
    "role_id",
    "place",
    "from_local",
    "value",
    "is_built_in",
    "created_by",
    "created_at_ms",
    "reason",
)
RoleId = Annotated[str, Query(max_length=40)]


@router.get("", response_model=schemas.Roles, dependencies=WRITE)
def roles(context: ContextDep) -> Response:
    """What each role may do at the tills, and the rights that there are."""
    return json_answer({"roles": role.roles(context.database), "rights": role.RIGHTS})


@router.get("/all.csv", response_class=CsvAnswer, dependencies=WRITE)
def roles_csv(context: ContextDep) -> Response:
    """The same as a table."""
    return _table(role.roles(context.database), "roles.csv")


@router.put("/{role_id}", response_model=schemas.Changed)
def put_role(
    role_id: str, body: schemas.RoleChange, context: ContextDep, principal: Writer
) -> Response:
    """Say what a role may do from a time on; tills have it with the next release."""
    row = SettingRow(setting.scope_of(body.place), role_id, body.from_local, body.value)
    author = author_of(context, principal, body.reason)
    return json_answer({"changed": int(role.put_role(context.database, row, author))})


@router.get("/history", response_model=schemas.RoleHistory, dependencies=WRITE)
def role_history(context: ContextDep, role_id: RoleId = "") -> Response:
    """Who said what of a role ("": of all), when and why, newest first."""
    return json_answer({"roles": role.history(context.database, role_id)})


@router.get("/history.csv", response_class=CsvAnswer, dependencies=WRITE)
def role_history_csv(context: ContextDep, role_id: RoleId = "") -> Response:
    """The same as a table."""
    return _table(role.history(context.database, role_id), "roles-history.csv")


def _table(rows: Iterable[dict[str, Any]], name: str) -> Response:
    cells = ([cell_of(row[column]) for column in COLUMNS] for row in rows)
    return CsvAnswer.of_rows(COLUMNS, cells, name)
