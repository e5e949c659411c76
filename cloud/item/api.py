"""The catalogue over HTTP."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from cloud.access import ITEM_READ, ITEM_WRITE, ContextDep, Requires
from cloud.answer import CsvAnswer, json_answer
from cloud.item import service
from cloud.item.schemas import Catalogue, CatalogueFilter, Departments, ImportResult
from cloud.item.store import CatalogueQuery
from cloud.item.table import COLUMNS, cells_of
from cloud.upload import with_upload

router = APIRouter(prefix="/v1", tags=["items"])
READ = [Depends(Requires(ITEM_READ))]
CSV_BODY = {"requestBody": {"content": {"text/csv": {"schema": {"type": "string"}}}}}


@router.post(
    "/items/import",
    response_model=ImportResult,
    dependencies=[Depends(Requires(ITEM_WRITE))],
    openapi_extra=CSV_BODY,
)
async def import_items(request: Request, context: ContextDep) -> Response:
    """Take over a CSV table as a whole; 422 with every row's errors otherwise.

    Columns: ean13, name, department, category, brand, package_size, weighed, plu. Those of
    tags (a|b), tax_bp, promotable, min_price_cents, min_margin_bp, cost_cents, uom may be
    left out: items then keep what they have.
    """
    done = await with_upload(request, lambda stream: service.import_items(context.database, stream))
    return json_answer(asdict(done))


@router.get("/items", response_model=Catalogue, dependencies=READ)
def catalogue(context: ContextDep, asked: Annotated[CatalogueFilter, Query()]) -> Response:
    """Items by name; every word of `q` occurs in name, brand, category, code or PLU."""
    query = CatalogueQuery(asked.q, asked.department, asked.store, asked.page, asked.size)
    found = service.catalogue(context.database, query, context.clock.now_ms())
    return json_answer(
        {"items": found.items, "total": found.total, "page": found.page, "size": found.size}
    )


@router.get("/departments", response_model=Departments, dependencies=READ)
def departments(context: ContextDep) -> Response:
    """Every department that has an item."""
    return json_answer({"departments": service.departments(context.database)})


@router.get("/items.csv", response_class=CsvAnswer, dependencies=READ)
def export(context: ContextDep) -> Response:
    """The whole catalogue as a table that can be imported again."""
    rows = (cells_of(item) for item in service.export(context.database))
    return CsvAnswer.of_rows(COLUMNS, rows, "items.csv")
