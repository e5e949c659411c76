"""Work items over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from cloud.access import WORK_READ, WORK_WRITE, ContextDep, Requires
from cloud.answer import CsvAnswer, json_answer
from cloud.context import Principal
from cloud.work import schemas, service
from cloud.work.service import Doer
from cloud.work.store import WorkQuery

router = APIRouter(prefix="/v1/work-items", tags=["work"])
READ = [Depends(Requires(WORK_READ))]
Worker = Annotated[Principal, Depends(Requires(WORK_WRITE))]
CSV_COLUMNS = (
    *("item", "kind", "store_id", "code", "at_ms", "is_done", "how", "done_at_ms", "by", "reason"),
    "notes",
)
CSV_ROWS_MAX = 10_000


def _query(asked: schemas.WorkFilter) -> WorkQuery:
    is_done = asked.state == "done"
    return WorkQuery(is_done, asked.store, asked.code, asked.since_ms, asked.page, asked.size)


@router.get("", response_model=schemas.WorkPage, dependencies=READ)
def work_items(context: ContextDep, asked: Annotated[schemas.WorkFilter, Query()]) -> Response:
    """What has to be looked at, or was."""
    found, total = service.items(context.database, _query(asked))
    _, still_open = service.items(context.database, WorkQuery(size=1))
    return json_answer(
        {
            "items": found,
            "total": total,
            "page": asked.page,
            "size": asked.size,
            "open": still_open,
        }
    )


# Before the item's own address, which would take this for an item.
@router.get("/all.csv", response_class=CsvAnswer, dependencies=READ)
def work_items_csv(context: ContextDep, asked: Annotated[schemas.WorkFilter, Query()]) -> Response:
    """The same table to download, up to 10,000 rows."""
    query = WorkQuery(
        asked.state == "done", asked.store, asked.code, asked.since_ms, size=CSV_ROWS_MAX
    )
    found, _ = service.items(context.database, query)
    lines = [[row[name] for name in CSV_COLUMNS] for row in found]
    return CsvAnswer.of_rows(CSV_COLUMNS, lines, "work-items.csv")


@router.get("/{item}", response_model=schemas.WorkItem, dependencies=READ)
def work_item(item: str, context: ContextDep) -> Response:
    """One item with what it is about and what people wrote."""
    return json_answer(service.item_of(context.database, item))


@router.post("/{item}/notes", response_model=schemas.WorkItem)
def add_note(item: str, body: schemas.Said, context: ContextDep, principal: Worker) -> Response:
    """Write something beside it; it stays open."""
    service.note(context.database, item, _doer(context, principal, body.text))
    return json_answer(service.item_of(context.database, item))


@router.post("/{item}/done", response_model=schemas.WorkItem)
def settle(item: str, body: schemas.Said, context: ContextDep, principal: Worker) -> Response:
    """It needs nothing more; the text says why."""
    service.settle(context.database, item, _doer(context, principal, body.text))
    return json_answer(service.item_of(context.database, item))


@router.post("/{item}/repost", response_model=schemas.Reposted)
def repost(item: str, context: ContextDep, principal: Worker) -> Response:
    """Try once more to book a flagged entry, as after an update of the software."""
    doer = _doer(context, principal, "")
    flag = service.repost(context.database, item, doer, context.journals.repost)
    return json_answer({"flag": flag})


def _doer(context: ContextDep, principal: Principal, text: str) -> Doer:
    return Doer(principal.name, context.clock.now_ms(), text.strip())
