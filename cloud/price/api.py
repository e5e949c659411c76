"""Prices over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from cloud.access import ITEM_READ, PRICE_WRITE, ContextDep, Requires
from cloud.answer import CsvAnswer, json_answer
from cloud.context import Principal
from cloud.price import service
from cloud.price.schemas import ImportResult, PriceChange, PriceDrafts, PriceHistory
from cloud.price.service import ChangePrice
from cloud.price.store import Author
from cloud.price.table import COLUMNS, UNTIL, PriceRow, place_cell
from cloud.upload import with_upload

router = APIRouter(prefix="/v1", tags=["prices"])
READ = [Depends(Requires(ITEM_READ))]
Writer = Annotated[Principal, Depends(Requires(PRICE_WRITE))]
CSV_BODY = {"requestBody": {"content": {"text/csv": {"schema": {"type": "string"}}}}}
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


@router.get("/prices", response_model=PriceHistory, dependencies=READ)
def history(
    context: ContextDep,
    gtin: Annotated[str, Query(max_length=14)],
    store_id: Annotated[str, Query(alias="store", max_length=32)] = "",
) -> Response:
    """An item's price rows, the newest first."""
    return json_answer({"prices": service.history(context.database, gtin, store_id)})


@router.get("/prices.csv", response_class=CsvAnswer, dependencies=READ)
def export(
    context: ContextDep, store_id: Annotated[str, Query(alias="store", max_length=32)] = ""
) -> Response:
    """Every dated price as a table that can be imported again."""
    rows = map(_cells, service.export(context.database, store_id))
    return CsvAnswer.of_rows((*COLUMNS, UNTIL), rows, "prices.csv")


def _cells(row: PriceRow) -> Sequence[Any]:
    member = "" if row.member_minor is None else row.member_minor
    start = row.from_local or _instant(row.from_at_ms)
    until = row.to_local or (_instant(row.to_at_ms) if row.to_at_ms is not None else "")
    return place_cell(row.scope), row.gtin, start, row.regular_minor, member, until


def _instant(at_ms: int) -> str:
    return (EPOCH + timedelta(milliseconds=at_ms)).isoformat()
