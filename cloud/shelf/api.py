"""Shelves and cold places over HTTP."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from cloud.access import REPORT_READ, ContextDep, Requires
from cloud.answer import CsvAnswer, json_answer
from cloud.shelf import schemas, service

router = APIRouter(prefix="/v1/shelves", tags=["shelves"])
READ = [Depends(Requires(REPORT_READ))]
StoreId = Annotated[str, Query(max_length=64)]


@router.get("", response_model=schemas.ShelfHistory, dependencies=READ)
def shelf_facts(
    context: ContextDep,
    store: StoreId = "",
    before_ms: Annotated[int, Query(ge=0, le=service.NEVER_MS)] = service.NEVER_MS,
    limit: Annotated[int, Query(ge=1, le=service.FACTS_MAX)] = 100,
) -> Response:
    """What a store's shelves and cold places told, or all stores', newest first."""
    return json_answer(asdict(service.history(context.database, store, before_ms, limit)))


@router.get("/all.csv", response_class=CsvAnswer, dependencies=READ)
def shelf_facts_csv(context: ContextDep, store: StoreId = "") -> Response:
    """The same as a table, the newest 10,000 rows."""
    rows = service.all_rows(context.database, store)
    return CsvAnswer.of_rows(service.COLUMNS, rows, "shelves.csv")
