"""The boxes' software over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from cloud.access import FLEET_READ, SOFTWARE_PUBLISH, ContextDep, Requires
from cloud.answer import CsvAnswer, json_answer
from cloud.context import Principal
from cloud.software import queries, schemas, service
from cloud.software.service import Doer, Publish

router = APIRouter(prefix="/v1/software", tags=["software"])
READ = [Depends(Requires(FLEET_READ))]
Sender = Annotated[Principal, Depends(Requires(SOFTWARE_PUBLISH))]
Filter = Annotated[schemas.BoxFilter, Query()]


@router.get("", response_model=schemas.Software, dependencies=READ)
def software(context: ContextDep) -> Response:
    """The versions that there are, and how the newest rollouts stand."""
    return json_answer(queries.software(context.database))


@router.get("/boxes", response_model=schemas.BoxPage, dependencies=READ)
def boxes(context: ContextDep, asked: Filter) -> Response:
    """What each box runs and should run."""
    return json_answer(queries.boxes(context.database, asked, context.clock.now_ms()))


@router.get("/boxes.csv", response_class=CsvAnswer, dependencies=READ)
def boxes_csv(context: ContextDep, asked: Filter) -> Response:
    """The same as a table, up to 20,000 rows."""
    rows = queries.box_rows(context.database, asked, context.clock.now_ms())
    return CsvAnswer.of_rows(queries.COLUMNS, rows, "software.csv")


@router.get("/rollouts/{rollout_id}/events", response_model=schemas.Events, dependencies=READ)
def events(rollout_id: int, context: ContextDep) -> Response:
    """What was done to a rollout, by whom and why."""
    return json_answer({"events": queries.events(context.database, rollout_id)})


@router.post("/rollouts", status_code=201, response_model=schemas.Rollout)
def publish(body: schemas.RolloutRequest, context: ContextDep, principal: Sender) -> Response:
    """Bring a version to the stores, wave by wave."""
    command = Publish(body.version, body.waves, body.soak_s, body.hours, body.note)
    doer = Doer(principal.name, context.clock.now_ms(), body.note)
    made = service.publish(context.database, context.objects, context.hq_key, command, doer)
    return json_answer(queries.rollout(context.database, made), status=201)


@router.post("/rollouts/{rollout_id}/halt", response_model=schemas.Rollout)
def halt(rollout_id: int, body: schemas.Reason, context: ContextDep, principal: Sender) -> Response:
    """Let no further box take it."""
    service.halt(context.database, rollout_id, _doer(context, principal, body))
    return json_answer(queries.rollout(context.database, rollout_id))


@router.post("/rollouts/{rollout_id}/resume", response_model=schemas.Rollout)
def resume(
    rollout_id: int, body: schemas.Reason, context: ContextDep, principal: Sender
) -> Response:
    """Go on where it stood; the failures of by now count no more."""
    service.resume(context.database, rollout_id, _doer(context, principal, body))
    return json_answer(queries.rollout(context.database, rollout_id))


@router.post("/rollouts/{rollout_id}/cancel", response_model=schemas.Rollout)
def cancel(
    rollout_id: int, body: schemas.Reason, context: ContextDep, principal: Sender
) -> Response:
    """Give it up; boxes that run it go on with it until another version is brought."""
    service.cancel(context.database, rollout_id, _doer(context, principal, body))
    return json_answer(queries.rollout(context.database, rollout_id))


def _doer(context: ContextDep, principal: Principal, body: schemas.Reason) -> Doer:
    return Doer(principal.name, context.clock.now_ms(), body.reason)
