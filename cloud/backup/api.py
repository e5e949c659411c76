"""Backups over HTTP: boxes hand theirs in; people see how all of it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from cloud.access import FLEET_READ, UPLOADER, ContextDep, Requires
from cloud.answer import CsvAnswer, json_answer
from cloud.archive.places import stash_of
from cloud.backup import schemas
from cloud.backup.boxes import BoxIntake, signed_keys
from cloud.backup.sealed_files import recipients_of
from cloud.backup.service import BackupState, state_of
from cloud.backup.store import Run
from cloud.context import Context
from shared.kernel.ids import DeviceId
from shared.wire.backup_keys import dump_backup_keys

router = APIRouter(prefix="/v1", tags=["backups"])
READ = [Depends(Requires(FLEET_READ))]
Box = Annotated[DeviceId, Depends(UPLOADER)]
COLUMNS = ("store_id", "store_name", "dev", "at_ms", "stick")


@router.get("/device/backup-keys", response_model=schemas.BackupKeyList)
def backup_keys(context: ContextDep, dev: Box) -> Response:
    """Whom a box seals its backups for, signed by head office."""
    del dev
    found = signed_keys(
        context.database,
        context.hq_key,
        recipients_of(context.settings),
        context.clock.now_ms(),
    )
    return json_answer(dump_backup_keys(found))


@router.put("/device/backup", status_code=201, response_model=schemas.HandedIn)
async def put_backup(
    request: Request,
    context: ContextDep,
    dev: Box,
    stick: Annotated[str, Query(max_length=120)] = "off",
) -> Response:
    """A box hands in a sealed backup, at most 1 GiB; it goes into the stash as it comes."""
    stash = await run_in_threadpool(stash_of, context.settings)
    intake = BoxIntake(context.database, stash, dev, context.clock.now_ms(), stick)
    await run_in_threadpool(intake.begin)
    try:
        async for chunk in request.stream():
            await run_in_threadpool(intake.write, chunk)
        name = await run_in_threadpool(intake.finish)
    except BaseException:
        await run_in_threadpool(intake.abort)
        raise
    return json_answer({"name": name}, status=201)


@router.get("/backups", response_model=schemas.Backups, dependencies=READ)
def backups(context: ContextDep) -> Response:
    """How the backups of the database and of the boxes stand."""
    state = _state(context)
    concerns = state.concerns(context.clock.now_ms())
    return json_answer(
        {
            "is_on": state.is_on,
            "concerns": concerns,
            "base": _run(state.base),
            "drill": _run(state.drill),
            "verified": _run(state.verified),
            "wal_at_ms": state.archiver.last_ms if state.archiver.is_on else None,
            "objects_at_ms": state.objects_ms,
            "boxes": state.boxes,
            "boxes_in_time": state.boxes_in_time,
            "late": [{each: row[each] for each in COLUMNS} for row in state.late],
        }
    )


@router.get("/backups/late.csv", response_class=CsvAnswer, dependencies=READ)
def late_csv(context: ContextDep) -> Response:
    """Boxes without a backup of the last three days, as a table."""
    return CsvAnswer.of_rows(COLUMNS, _cells(_state(context).late), "boxes-without-backup.csv")


def _state(context: Context) -> BackupState:
    return state_of(context.database, context.clock.now_ms(), context.settings)


def _cells(rows: list[dict[str, Any]]) -> Iterator[tuple[Any, ...]]:
    return (tuple(row[each] for each in COLUMNS) for row in rows)


def _run(run: Run | None) -> Mapping[str, Any] | None:
    if run is None:
        return None
    told = asdict(run)
    return {name: told[name] for name in schemas.BackupRun.model_fields}
