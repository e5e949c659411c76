"""Operators over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from cloud.access import STAFF_WRITE, ContextDep, Requires
from cloud.answer import CsvAnswer, json_answer
from cloud.clock import random_bytes
from cloud.context import Context, Principal
from cloud.qr import qr_path
from cloud.staff import schemas, service
from cloud.staff.reach_store import Reach
from cloud.staff.service import PutOperator
from cloud.staff.store import Author, Operator, Seen

router = APIRouter(prefix="/v1", tags=["staff"])
# What is changed counts at the tills within seconds, and nobody approves it: no open console of
# somebody who went for lunch may do it.
Writer = Annotated[Principal, Depends(Requires(STAFF_WRITE, fresh=True))]
WRITE = [Depends(Requires(STAFF_WRITE))]


@router.get("/staff", response_model=schemas.Operators, dependencies=WRITE)
def operators(context: ContextDep) -> Response:
    """Everybody, by id."""
    people = service.operators_seen(context.database, context.clock.now_ms())
    return json_answer({"operators": [_shown(*each) for each in people]})


@router.get("/staff.csv", response_class=CsvAnswer, dependencies=WRITE)
def operators_csv(context: ContextDep) -> Response:
    """The same as a table."""
    people = service.operators_seen(context.database, context.clock.now_ms())
    rows = ([cell_of(cell) for cell in _shown(*each).values()] for each in people)
    return CsvAnswer.of_rows(tuple(schemas.Operator.model_fields), rows, "staff.csv")


@router.put("/staff/{operator_id}", status_code=204)
def put_operator(
    operator_id: str, body: schemas.OperatorChange, context: ContextDep, principal: Writer
) -> Response:
    """Add or replace an operator; boxes learn of it within seconds, without a release."""
    command = PutOperator(
        operator_id,
        body.name.strip(),
        body.role,
        body.pin,
        tuple(body.store_ids),
        body.valid_from,
        body.valid_to,
        body.must_change,
    )
    service.put_operator(context.database, command, _author(context, principal, body.reason))
    return Response(status_code=204)


@router.post("/staff/{operator_id}/badge", response_model=schemas.BadgeMade)
def new_badge(
    operator_id: str, body: schemas.NewBadge, context: ContextDep, principal: Writer
) -> Response:
    """Give an operator a badge with a new code; it is shown this once."""
    author = _author(context, principal, body.reason)
    code = service.new_badge(context.database, operator_id, author, random_bytes)
    path, side = qr_path(code)
    return json_answer({"code": code, "qr_path": path, "qr_side": side})


@router.put("/staff/{operator_id}/badge", status_code=204)
def put_badge(
    operator_id: str, body: schemas.BadgeChange, context: ContextDep, principal: Writer
) -> Response:
    """Take the code of a card that is there already, or take the badge away."""
    author = _author(context, principal, body.reason)
    service.put_badge(context.database, operator_id, body.code.strip(), author, random_bytes)
    return Response(status_code=204)


def cell_of(value: object) -> object:
    """A cell of the table: nothing for null, stores with blanks between them."""
    if value is None:
        return ""
    return " ".join(value) if isinstance(value, tuple) else value


def _author(context: Context, principal: Principal, reason: str) -> Author:
    return Author(principal.name, context.clock.now_ms(), reason)


def _shown(operator: Operator, seen: Seen | None, reach: Reach) -> dict[str, Any]:
    return {
        "operator_id": operator.operator_id,
        "name": operator.name,
        "role": operator.role,
        "store_ids": operator.store_ids,
        "valid_from": operator.valid_from,
        "valid_to": operator.valid_to,
        "pin_day": operator.pin_day,
        "is_first_pin": operator.is_first_pin,
        "has_badge": operator.badge_hash is not None,
        "last_at_ms": None if seen is None else seen.at_ms,
        "last_store_id": None if seen is None or seen.at_ms is None else seen.store_id,
        "guessed_at_ms": None if seen is None else seen.guessed_at_ms,
        "guessed_tries": None if seen is None else seen.guessed_tries,
        "is_waiting": reach.is_waiting,
        "boxes": reach.boxes,
        "boxes_stored": reach.stored,
        "boxes_active": reach.active,
        "behind_store_ids": reach.behind,
    }
