"""Operators over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from cloud.access import STAFF_WRITE, ContextDep, Requires
from cloud.answer import CsvAnswer, json_answer
from cloud.context import Principal
from cloud.staff import schemas, service
from cloud.staff.service import PutOperator
from cloud.staff.store import Author, Operator

router = APIRouter(prefix="/v1", tags=["staff"])
Writer = Annotated[Principal, Depends(Requires(STAFF_WRITE))]
WRITE = [Depends(Requires(STAFF_WRITE))]


@router.get("/staff", response_model=schemas.Operators, dependencies=WRITE)
def operators(context: ContextDep) -> Response:
    """Everybody, by id."""
    return json_answer({"operators": list(map(_shown, service.operators(context.database)))})


@router.get("/staff.csv", response_class=CsvAnswer, dependencies=WRITE)
def operators_csv(context: ContextDep) -> Response:
    """The same as a table."""
    columns = ("operator_id", "name", "role", "store_ids", "valid_from", "valid_to")
    rows = (
        (
            each.operator_id,
            each.name,
            each.role,
            " ".join(each.store_ids),
            each.valid_from or "",
            each.valid_to or "",
        )
        for each in service.operators(context.database)
    )
    return CsvAnswer.of_rows(columns, rows, "staff.csv")


@router.put("/staff/{operator_id}", status_code=204)
def put_operator(
    operator_id: str, body: schemas.OperatorChange, context: ContextDep, principal: Writer
) -> Response:
    """Add or replace an operator; boxes learn of it with the next publication."""
    command = PutOperator(
        operator_id,
        body.name.strip(),
        body.role,
        body.pin,
        tuple(body.store_ids),
        body.valid_from,
        body.valid_to,
    )
    author = Author(principal.name, context.clock.now_ms(), body.reason)
    service.put_operator(context.database, command, author)
    return Response(status_code=204)


def _shown(operator: Operator) -> dict[str, Any]:
    return {
        "operator_id": operator.operator_id,
        "name": operator.name,
        "role": operator.role,
        "store_ids": operator.store_ids,
        "valid_from": operator.valid_from,
        "valid_to": operator.valid_to,
    }
