"""Prices over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from cloud.access import ITEM_READ, PRICE_WRITE, ContextDep, Requires
from cloud.answer import CsvAnswer, XlsxAnswer, begun, json_answer
from cloud.context import Principal
from cloud.price import service
from cloud.price.bulk import BulkChange, Ending
from cloud.price.schemas import ImportResult, PriceBulk, PriceChange, PriceDrafts, PriceHistory
from cloud.price.service import BulkEdit, ChangePrice
from cloud.price.table import COLUMNS, END_CELL, UNTIL, PriceRow, place_cell
from cloud.table_import import Author
from cloud.upload import with_upload

router = APIRouter(prefix="/v1", tags=["prices"])
READ = [Depends(Requires(ITEM_READ))]
Writer = Annotated[Principal, Depends(Requires(PRICE_WRITE))]
CSV_BODY = {"requestBody": {"content": {"text/csv": {"schema": {"type": "string"}}}}}
StoreId = Annotated[str, Query(alias="store", max_length=32)]
IMPORT_REASON = "import"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@router.post("/prices/import", response_model=ImportResult, openapi_extra=CSV_BODY)
async def import_prices(request: Request, context: ContextDep, principal: Writer) -> Response:
    """Take over a CSV table as a whole; 422 with every row's errors otherwise.

    Columns: store_id (or `zone:<id>`, or `chain`), ean13, effective_at (the store's local time, or
    ISO 8601 with an offset), regular_price_cents, member_price_cents (empty: members pay the
    regular price), and if wanted until (empty: until another price begins).
    """
    author = Author(principal.name, context.clock.now_ms(), IMPORT_REASON)
    done = await with_upload(
        request, lambda stream: service.import_prices(context.database, stream, author)
    )
    return json_answer(asdict(done))


@router.post("/prices", response_model=PriceDrafts)
def change_price(body: PriceChange, context: ContextDep, principal: Writer) -> Response:
    """Give an item a new price from an instant on; stores see it with the next publication.

    `price.absurd` with `can_confirm` 1 asks to send it again with `confirm_large`.
    """
    command = ChangePrice(
        gtin=body.gtin,
        places=None if body.store_ids is None else tuple(body.store_ids),
        regular_minor=body.regular_minor,
        member_minor=body.member_minor,
        from_at_ms=body.from_at_ms,
        start=body.start,
        until=body.until,
        is_large_confirmed=body.confirm_large,
    )
    author = Author(principal.name, context.clock.now_ms(), body.reason)
    return json_answer({"drafts": service.change_price(context.database, command, author)})


@router.post("/prices/bulk", response_class=CsvAnswer)
def bulk(body: PriceBulk, context: ContextDep, principal: Writer) -> Response:
    """The price table that would change many prices; nothing is written before it is imported."""
    del principal
    ending = body.ending
    change = BulkChange(
        body.move,
        body.value,
        None if ending is None else Ending(ending.step, ending.rest, ending.direction),
        body.members,
    )
    places = None if body.store_ids is None else tuple(body.store_ids)
    asked = BulkEdit(change, body.q, body.department, places, body.start)
    rows = service.bulk_rows(context.database, asked, context.clock.now_ms())
    return CsvAnswer.of_rows((*COLUMNS, UNTIL), map(_cells, begun(rows)), "bulk.csv")


@router.get("/prices", response_model=PriceHistory, dependencies=READ)
def history(
    context: ContextDep,
    gtin: Annotated[str, Query(max_length=14)],
    store_id: Annotated[str, Query(alias="store", max_length=32)] = "",
) -> Response:
    """An item's price rows, the newest first."""
    return json_answer({"prices": service.history(context.database, gtin, store_id)})


@router.get("/prices.csv", response_class=CsvAnswer, dependencies=READ)
def export(context: ContextDep, store_id: StoreId = "") -> Response:
    """Every dated price as a table that can be imported again."""
    rows = map(_cells, service.export(context.database, store_id))
    return CsvAnswer.of_rows((*COLUMNS, UNTIL), rows, "prices.csv")


@router.get("/prices.xlsx", response_class=XlsxAnswer, dependencies=READ)
def export_workbook(context: ContextDep, store_id: StoreId = "") -> Response:
    """The same table as a workbook."""
    rows = map(_cells, service.export(context.database, store_id))
    return XlsxAnswer.of_rows((*COLUMNS, UNTIL), rows, "prices.xlsx")


def _cells(row: PriceRow) -> Sequence[Any]:
    member = "" if row.member_minor is None else row.member_minor
    start = row.from_local or _instant(row.from_at_ms)
    until = row.to_local or (_instant(row.to_at_ms) if row.to_at_ms is not None else "")
    regular = END_CELL if row.regular_minor is None else row.regular_minor
    return place_cell(row.scope), row.gtin, start, regular, member, until


def _instant(at_ms: int) -> str:
    return (EPOCH + timedelta(milliseconds=at_ms)).isoformat()
