"""Imports in two steps over HTTP: upload and compare, then apply or discard."""

from __future__ import annotations

from typing import IO, Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response

from cloud.access import ITEM_READ, ITEM_WRITE, PRICE_WRITE, ContextDep, Requires
from cloud.answer import CsvAnswer, json_answer
from cloud.context import Context, Principal
from cloud.intake import schemas, service
from cloud.intake.store import RowQuery, Upload
from cloud.table_import import Author
from cloud.upload import with_upload

ITEMS, PRICES = "items", "prices"
NUMBER_MAX = 1 << 53
CELL_COLUMNS = ("line", "ean13", "name", "column", "old", "new")
ERROR_COLUMNS = ("line", "column", "code", "detail")
TABLE_BODY = {
    "requestBody": {
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": {
                "schema": {"type": "string", "format": "binary"}
            },
        }
    }
}

router = APIRouter(prefix="/v1/imports", tags=["imports"])
READ = [Depends(Requires(ITEM_READ))]
ItemWriter = Annotated[Principal, Depends(Requires(ITEM_WRITE))]
PriceWriter = Annotated[Principal, Depends(Requires(PRICE_WRITE))]
Job = Annotated[int, Path(ge=1, le=NUMBER_MAX)]
Asked = Annotated[schemas.ImportUpload, Query()]
Why = Annotated[str, Body(embed=True, max_length=200)]


@router.post("/items", response_model=schemas.ImportJob, openapi_extra=TABLE_BODY)
async def upload_items(
    request: Request, context: ContextDep, principal: ItemWriter, asked: Asked
) -> Response:
    """Compare a table of items (CSV or XLSX) with the catalogue; nothing is written yet."""
    return await _upload(request, context, ITEMS, principal, asked)


@router.post("/prices", response_model=schemas.ImportJob, openapi_extra=TABLE_BODY)
async def upload_prices(
    request: Request, context: ContextDep, principal: PriceWriter, asked: Asked
) -> Response:
    """Compare a table of prices (CSV or XLSX) with those that there are; nothing is written."""
    return await _upload(request, context, PRICES, principal, asked)


@router.post("/items/{job}/apply", response_model=schemas.ImportJob)
def apply_items(job: Job, context: ContextDep, principal: ItemWriter, reason: Why = "") -> Response:
    """Take over what was shown, as drafts; `import.outdated` when it is not that any more."""
    return _apply(context, ITEMS, job, _author(context, principal, reason))


@router.post("/prices/{job}/apply", response_model=schemas.ImportJob)
def apply_prices(
    job: Job, context: ContextDep, principal: PriceWriter, reason: Why = ""
) -> Response:
    """Take over what was shown, as drafts; `import.outdated` when it is not that any more."""
    return _apply(context, PRICES, job, _author(context, principal, reason))


@router.post("/items/{job}/discard", response_model=schemas.ImportJob)
def discard_items(job: Job, context: ContextDep, principal: ItemWriter) -> Response:
    """Forget a table that waits."""
    author = _author(context, principal)
    return json_answer(service.discard(context.database, ITEMS, job, author))


@router.post("/prices/{job}/discard", response_model=schemas.ImportJob)
def discard_prices(job: Job, context: ContextDep, principal: PriceWriter) -> Response:
    """Forget a table that waits."""
    author = _author(context, principal)
    return json_answer(service.discard(context.database, PRICES, job, author))


@router.get("", response_model=schemas.ImportJobs, dependencies=READ)
def imports(context: ContextDep, asked: Annotated[schemas.PageFilter, Query()]) -> Response:
    """Every import, the newest first, without its errors."""
    return json_answer(service.page(context.database, asked.page, asked.size))


@router.get("/{job}", response_model=schemas.ImportJob, dependencies=READ)
def import_job(job: Job, context: ContextDep) -> Response:
    """One import with its first errors."""
    return json_answer(service.find(context.database, job))


@router.get("/{job}/rows", response_model=schemas.ImportRows, dependencies=READ)
def import_rows(
    job: Job, context: ContextDep, asked: Annotated[schemas.RowFilter, Query()]
) -> Response:
    """The rows that are new or differ, by line; of older imports none are kept."""
    query = RowQuery(job, asked.what, asked.q.strip(), asked.page, asked.size)
    return json_answer(service.rows(context.database, query))


@router.get("/{job}/rows.csv", response_class=CsvAnswer, dependencies=READ)
def import_cells(job: Job, context: ContextDep) -> Response:
    """Every cell that differs, as a table."""
    return CsvAnswer.of_rows(
        CELL_COLUMNS, service.cells(context.database, job), f"import-{job}.csv"
    )


@router.get("/{job}/errors.csv", response_class=CsvAnswer, dependencies=READ)
def import_errors(job: Job, context: ContextDep) -> Response:
    """Every error that is kept, as a table; the first 10,000."""
    found = service.errors(context.database, job)
    return CsvAnswer.of_rows(ERROR_COLUMNS, found, f"import-{job}-errors.csv")


async def _upload(
    request: Request, context: Context, kind: str, principal: Principal, asked: schemas.ImportUpload
) -> Response:
    author = _author(context, principal, asked.reason)

    def work(stream: IO[bytes]) -> dict[str, Any]:
        brought = Upload(kind, asked.name, stream.read())
        return service.upload(context.database, context.importers, brought, author)

    return json_answer(await with_upload(request, work))


def _apply(context: Context, kind: str, job: int, author: Author) -> Response:
    done = service.apply(context.database, context.importers, kind, job, author)
    return json_answer(done)


def _author(context: Context, principal: Principal, reason: str = "") -> Author:
    return Author(principal.name, context.clock.now_ms(), reason.strip())
