"""The catalogue over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from cloud.access import ITEM_READ, ITEM_WRITE, ContextDep, Requires
from cloud.answer import CsvAnswer, XlsxAnswer, begun, json_answer
from cloud.context import Context, Principal
from cloud.item import service
from cloud.item.schemas import (
    Catalogue,
    CatalogueFilter,
    Departments,
    ExportFilter,
    ImportResult,
    ItemBulk,
    ItemHistory,
    ItemPictureChange,
)
from cloud.item.service import BulkEdit
from cloud.item.store import CatalogueQuery
from cloud.item.table import COLUMNS, rows_of
from cloud.table_import import Author
from cloud.upload import with_upload

router = APIRouter(prefix="/v1", tags=["items"])
READ = [Depends(Requires(ITEM_READ))]
Writer = Annotated[Principal, Depends(Requires(ITEM_WRITE))]
IMPORT_REASON = "import"
BULK_FIELDS = {
    *("category", "brand", "tax_bp", "tax_class", "is_promotable"),
    *("age_limit", "shelf_life_days", "min_margin_bp"),
}
CSV_BODY = {"requestBody": {"content": {"text/csv": {"schema": {"type": "string"}}}}}


@router.post("/items/import", response_model=ImportResult, openapi_extra=CSV_BODY)
async def import_items(request: Request, context: ContextDep, principal: Writer) -> Response:
    """Take over a table (CSV or XLSX) as a whole; 422 with every row's errors otherwise.

    Columns: ean13, name, department, category, brand, package_size, weighed, plu. Those of
    tags (a|b), tax_bp, promotable, min_price_cents, min_margin_bp, cost_cents, uom, codes
    (code*units*unit of measure|...), age_limit, shelf_life_days, tax_class, image may be left
    out: items then keep what they have. A row with effective_from says what changes later.
    """
    author = Author(principal.name, context.clock.now_ms(), IMPORT_REASON)
    done = await with_upload(
        request, lambda stream: service.import_items(context.database, stream, author)
    )
    return json_answer(asdict(done))


@router.post("/items/bulk", response_class=CsvAnswer)
def bulk(body: ItemBulk, context: ContextDep, principal: Writer) -> Response:
    """The table that would change many items; nothing is written before it is imported."""
    del principal
    said = body.model_dump(exclude_none=True, include=BULK_FIELDS)
    if body.to_department is not None:
        said["department"] = body.to_department
    edit = BulkEdit(said, frozenset(body.add_tags), frozenset(body.drop_tags))
    query = CatalogueQuery(body.q, body.department)
    found = service.bulk_items(context.database, query, edit, context.clock.now_ms())
    rows = (next(rows_of(item)) for item in found)
    return CsvAnswer.of_rows(COLUMNS, begun(rows), "bulk.csv")


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


@router.put("/items/{gtin}/picture", response_model=ImportResult)
def put_picture(
    gtin: Annotated[str, Path(max_length=14)],
    body: ItemPictureChange,
    context: ContextDep,
    principal: Writer,
) -> Response:
    """Give an item a picture that was uploaded, or none; stores have it with the next release."""
    author = Author(principal.name, context.clock.now_ms(), body.reason)
    return json_answer(asdict(service.set_picture(context.database, gtin, body.image, author)))


@router.get("/items/{gtin}/history", response_model=ItemHistory, dependencies=READ)
def history(context: ContextDep, gtin: Annotated[str, Path(max_length=14)]) -> Response:
    """Who changed an item, when, why and from what to what, the newest first."""
    return json_answer({"events": service.history(context.database, gtin)})


@router.get("/items.csv", response_class=CsvAnswer, dependencies=READ)
def export(context: ContextDep, asked: Annotated[ExportFilter, Query()]) -> Response:
    """The items that match as a table that can be imported again."""
    return CsvAnswer.of_rows(COLUMNS, _table(context, asked), "items.csv")


@router.get("/items.xlsx", response_class=XlsxAnswer, dependencies=READ)
def export_workbook(context: ContextDep, asked: Annotated[ExportFilter, Query()]) -> Response:
    """The same table as a workbook."""
    return XlsxAnswer.of_rows(COLUMNS, _table(context, asked), "items.xlsx")


def _table(context: Context, asked: ExportFilter) -> Iterator[tuple[str | int, ...]]:
    query = CatalogueQuery(asked.q, asked.department)
    for item in service.export(context.database, query, context.clock.now_ms()):
        yield from rows_of(item)
