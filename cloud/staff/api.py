"""Operators over HTTP."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Response

from cloud.access import STAFF_WRITE, ContextDep, Requires
from cloud.answer import json_answer
from cloud.staff import schemas, service
from cloud.staff.service import PutOperator
from cloud.staff.store import Operator

router = APIRouter(prefix="/v1", tags=["staff"])
WRITE = [Depends(Requires(STAFF_WRITE))]


@router.get("/staff", response_model=schemas.Operators, dependencies=WRITE)
def operators(context: ContextDep) -> Response:
    """Everybody, by id."""
    return json_answer({"operators": list(map(_shown, service.operators(context.database)))})


@router.put("/staff/{operator_id}", status_code=204, dependencies=WRITE)
def put_operator(operator_id: str, body: schemas.OperatorChange, context: ContextDep) -> Response:
    """Add or replace an operator; boxes learn of it with the next publication."""
    command = PutOperator(
        operator_id, body.name.strip(), body.role, body.pin, tuple(body.store_ids)
    )
    service.put_operator(context.database, command)
    return Response(status_code=204)


def _shown(operator: Operator) -> dict[str, Any]:
    return {
        "operator_id": operator.operator_id,
        "name": operator.name,
        "role": operator.role,
        "store_ids": operator.store_ids,
    }
