"""Commands for boxes over HTTP, and the logs that boxes hand in."""

from __future__ import annotations

from secrets import token_hex
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from cloud.access import DEVICE, FLEET_COMMAND, FLEET_READ, ContextDep, Requires
from cloud.answer import CsvAnswer, json_answer
from cloud.context import Principal
from cloud.fleet import care_schemas as schemas
from cloud.fleet import remote
from shared.kernel.errors import RefusedError
from shared.kernel.ids import DeviceId

router = APIRouter(prefix="/v1", tags=["fleet"])
READ = [Depends(Requires(FLEET_READ))]
Commander = Annotated[Principal, Depends(Requires(FLEET_COMMAND))]
Box = Annotated[DeviceId, Depends(DEVICE)]
CommandId = Annotated[str, Path(max_length=64, pattern=r"^[0-9a-f]+$")]
Word = Annotated[str, Query(max_length=32)]
ID_BYTES = 16
CSV_MAX = 20_000
COLUMNS = tuple(schemas.Command.model_fields)


@router.get("/fleet/commands", response_model=schemas.Commands, dependencies=READ)
def commands(
    context: ContextDep,
    dev: Word = "",
    state: Word = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    skip: Annotated[int, Query(ge=0, le=100_000)] = 0,
) -> Response:
    """What boxes were told to do and what became of it, the newest first."""
    return json_answer({"commands": remote.commands(context.database, dev, state, limit, skip)})


@router.get("/fleet/commands.csv", response_class=CsvAnswer, dependencies=READ)
def commands_csv(context: ContextDep, dev: Word = "", state: Word = "") -> Response:
    """The same as a table, the newest 20,000."""
    found = remote.commands(context.database, dev, state, CSV_MAX)
    return CsvAnswer.of_rows(COLUMNS, (_cells(row) for row in found), "commands.csv")


@router.post("/fleet/commands", status_code=201, response_model=schemas.CommandIds)
def new_command(body: schemas.NewCommand, context: ContextDep, commander: Commander) -> Response:
    """Have boxes do something; each does it at most once, or lets it expire."""
    order = remote.Ask(body.devs, body.kind, body.args, commander.name, body.reason, body.minutes)
    now_ms = context.clock.now_ms()
    ids = remote.ask(context.database, order, now_ms, lambda: token_hex(ID_BYTES))
    return json_answer({"ids": ids}, status=201)


@router.post("/fleet/commands/{command_id}/cancel", status_code=204)
def cancel_command(command_id: CommandId, context: ContextDep, commander: Commander) -> Response:
    """Call off what waits; a box that has begun it meanwhile tells so."""
    remote.cancel(context.database, command_id, commander.name, context.clock.now_ms())
    return Response(status_code=204)


@router.get(
    "/fleet/commands/{command_id}/log",
    response_class=Response,
    dependencies=[Depends(Requires(FLEET_COMMAND))],
)
def command_log(command_id: CommandId, context: ContextDep) -> Response:
    """The logs that a box handed in: gzip of JSON lines, redacted by the box."""
    data, store_id = remote.log_of(context.database, command_id)
    name = "".join(each for each in store_id if each.isalnum() or each in "_-")
    headers = {
        "Content-Disposition": f'attachment; filename="logs-{name}-{command_id[:8]}.jsonl.gz"'
    }
    return Response(data, media_type="application/gzip", headers=headers)


@router.put("/device/commands/{command_id}/log", status_code=204)
async def put_log(
    command_id: CommandId, request: Request, context: ContextDep, box: Box
) -> Response:
    """A box hands in the logs that it was asked for, at most 1 MiB."""
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > remote.LOG_BYTES_MAX:
            raise RefusedError("command.log", most=remote.LOG_BYTES_MAX)
    now_ms = context.clock.now_ms()
    await run_in_threadpool(remote.keep_log, context.database, box, command_id, bytes(data), now_ms)
    return Response(status_code=204)


def _cells(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(
        " ".join(f"{name}={value}" for name, value in cell.items())
        if isinstance(cell := row[column], dict)
        else cell
        for column in COLUMNS
    )
