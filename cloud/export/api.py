"""Exports over HTTP: downloads that begin at once, whatever their length."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from cloud.access import EXPORT_READ, ContextDep, Requires
from cloud.export.service import ExportScope, checked, in_pieces, json_rows, poslog

router = APIRouter(prefix="/v1/export", tags=["export"])
READ = [Depends(Requires(EXPORT_READ))]


def export_scope(
    from_on: Annotated[date, Query(alias="from")],
    to_on: Annotated[date, Query(alias="to")],
    stores: Annotated[str, Query(max_length=4_000, description="store ids with commas")] = "",
) -> ExportScope:
    """The days and stores that a request asks for."""
    store_ids = tuple(each.strip() for each in stores.split(",") if each.strip())
    return ExportScope(from_on, to_on, store_ids)


ScopeDep = Annotated[ExportScope, Depends(export_scope)]


class PoslogAnswer(StreamingResponse):
    """A POSLog document to download."""

    media_type = "application/xml"


class JsonLinesAnswer(StreamingResponse):
    """Rows as JSON lines to download."""

    media_type = "application/x-ndjson"


@router.get("/poslog.xml", response_class=PoslogAnswer, dependencies=READ)
def poslog_xml(context: ContextDep, scope: ScopeDep) -> PoslogAnswer:
    """Sales and control events of some business dates as ARTS POSLog 6."""
    _check(context, scope)
    pieces = in_pieces(poslog(context.database, scope))
    return PoslogAnswer(pieces, headers=_attachment("poslog", scope, "xml"))


@router.get("/entries.jsonl", response_class=JsonLinesAnswer, dependencies=READ)
def entries_jsonl(context: ContextDep, scope: ScopeDep) -> JsonLinesAnswer:
    """Every entry of some business dates as flat rows, one JSON object per line."""
    _check(context, scope)
    pieces: Iterator[bytes] = in_pieces(json_rows(context.database, scope))
    return JsonLinesAnswer(pieces, headers=_attachment("entries", scope, "jsonl"))


def _check(context: ContextDep, scope: ExportScope) -> None:
    """What can be refused is refused before the download has begun."""
    with context.database.begin() as connection:
        checked(connection, scope)


def _attachment(kind: str, scope: ExportScope, suffix: str) -> dict[str, str]:
    name = f"tillbox-{kind}-{scope.from_on}-{scope.to_on}.{suffix}"
    return {"Content-Disposition": f'attachment; filename="{name}"'}
