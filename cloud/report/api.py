"""Reports over HTTP."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from cloud.access import REPORT_READ, ContextDep, Requires
from cloud.answer import CsvAnswer, json_answer
from cloud.context import Principal
from cloud.report import queries, schemas
from cloud.report.queries import COMPARED_SUMS, SHOWN_SUMS, CloseFilter, Row

router = APIRouter(prefix="/v1/reports", tags=["reports"])
Reader = Annotated[Principal, Depends(Requires(REPORT_READ, scoped=True))]
CSV_COLUMNS = ("store_id", "business_date", "currency", *SHOWN_SUMS, "box_matches")
MATCHES = {None: "", True: "true", False: "false"}


def close_filter(
    from_on: Annotated[date | None, Query(alias="from")] = None,
    to_on: Annotated[date | None, Query(alias="to")] = None,
    store: Annotated[str, Query(max_length=64)] = "",
) -> CloseFilter:
    """The days that a request asks for."""
    return CloseFilter(from_on, to_on, store)


CloseFilterDep = Annotated[CloseFilter, Depends(close_filter)]


@router.get("/daily-close", response_model=schemas.DailyClose)
def daily_close(context: ContextDep, wanted: CloseFilterDep, reader: Reader) -> Response:
    """Head office's sums per store and day beside the box's own Z report.

    Without `from` and `to`: the newest 31 business dates of each store.
    """
    with context.database.begin() as connection:
        rows = seen_by(reader, queries.daily_close(connection, wanted))
    return json_answer({"rows": rows, "totals": queries.totals(rows, COMPARED_SUMS)})


@router.get("/daily-close.csv", response_class=CsvAnswer)
def daily_close_csv(context: ContextDep, wanted: CloseFilterDep, reader: Reader) -> Response:
    """The same table to download."""
    with context.database.begin() as connection:
        rows = seen_by(reader, queries.daily_close(connection, wanted))
    lines = [
        [*(row[name] for name in CSV_COLUMNS[:-1]), MATCHES[row["box_matches"]]] for row in rows
    ]
    return CsvAnswer.of_rows(CSV_COLUMNS, lines, "daily-close.csv")


@router.get("/live", response_model=schemas.Live)
def live(context: ContextDep, reader: Reader) -> Response:
    """What each store sold on its newest business date, and the newest sales."""
    with context.database.begin() as connection:
        stores = seen_by(reader, queries.live_stores(connection))
        recent = seen_by(reader, queries.recent_sales(connection))
    sums = [
        {
            "currency": store["currency"],
            "net_minor": store["today_net_minor"],
            "receipts": store["today_receipts"],
        }
        for store in stores
    ]
    totals = queries.totals(sums, ("net_minor", "receipts"))
    return json_answer({"stores": stores, "recent": recent, "totals": totals})


def seen_by(reader: Principal, rows: list[Row]) -> list[Row]:
    """Those rows that are of a store which this person may know of."""
    return [row for row in rows if reader.sees(row["store_id"])]
