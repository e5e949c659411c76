"""Dated settings over HTTP."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from cloud.access import CONFIG_WRITE, ITEM_READ, ContextDep, Requires
from cloud.answer import CsvAnswer, json_answer
from cloud.context import Principal
from cloud.place import schemas, setting
from cloud.place.api import author_of, cell_of
from cloud.place.setting_store import SettingRow
from shared.config.box import BOX_FIELDS

router = APIRouter(prefix="/v1/settings", tags=["settings"])
READ = [Depends(Requires(ITEM_READ))]
Writer = Annotated[Principal, Depends(Requires(CONFIG_WRITE))]
COLUMNS = ("place", "name", "from_local", "value", "created_by", "created_at_ms", "reason")
PlaceName = Annotated[str, Query(max_length=80)]
SettingName = Annotated[str, Query(max_length=60)]


@router.get("", response_model=schemas.Settings, dependencies=READ)
def settings(context: ContextDep) -> Response:
    """Tax rates, ways to pay and receipt texts as they stand, by place, name and time."""
    return json_answer({"settings": setting.plain(context.database)})


@router.get("/all.csv", response_class=CsvAnswer, dependencies=READ)
def settings_csv(context: ContextDep) -> Response:
    """The same as a table."""
    rows = setting.plain(context.database)
    cells = ([cell_of(row[column]) for column in COLUMNS] for row in rows)
    return CsvAnswer.of_rows(COLUMNS, cells, "settings.csv")


@router.put("", response_model=schemas.Changed)
def put_setting(body: schemas.SettingChange, context: ContextDep, principal: Writer) -> Response:
    """Set something up from a time on; tills have it with the next release."""
    row = SettingRow(setting.scope_of(body.place), body.name, body.from_local, body.value)
    author = author_of(context, principal, body.reason)
    return json_answer({"changed": int(setting.put_setting(context.database, row, author))})


@router.get("/fields", response_model=schemas.BoxFields, dependencies=READ)
def box_fields() -> Response:
    """What head office may set on boxes: the settings "box/<name>", and what their values are."""
    rows = [{"name": name, **asdict(spec)} for name, spec in BOX_FIELDS.items()]
    return json_answer({"fields": rows})


@router.get("/history", response_model=schemas.Settings, dependencies=READ)
def setting_history(context: ContextDep, place: PlaceName = "", name: SettingName = "") -> Response:
    """Every row that was ever set, newest first."""
    return json_answer({"settings": setting.history(context.database, place, name)})


@router.get("/history.csv", response_class=CsvAnswer, dependencies=READ)
def setting_history_csv(
    context: ContextDep, place: PlaceName = "", name: SettingName = ""
) -> Response:
    """The same as a table."""
    rows = setting.history(context.database, place, name)
    cells = ([cell_of(row[column]) for column in COLUMNS] for row in rows)
    return CsvAnswer.of_rows(COLUMNS, cells, "settings-history.csv")
