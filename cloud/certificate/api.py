"""Certificates over HTTP."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter, Depends, Response

from cloud.access import REPORT_READ, ContextDep, Requires
from cloud.answer import json_answer
from cloud.certificate import schemas
from cloud.certificate.store import of_day
from cloud.certificate.view import certificate_row

router = APIRouter(prefix="/v1/certificates", tags=["certificates"])
READ = [Depends(Requires(REPORT_READ, scoped=True))]


@router.get("/{store_id}/{day}", response_model=schemas.Certificates, dependencies=READ)
def certificates(context: ContextDep, store_id: str, day: date) -> Response:
    """What a store certified for a business day, and whether head office signed beside it."""
    with context.database.begin() as connection:
        found = of_day(connection, store_id, day)
    rows = [certificate_row(each, context.hq_key.public_hex) for each in found]
    return json_answer({"certificates": rows})
