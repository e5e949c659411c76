"""The audit log over HTTP: who did and saw what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Query, Response
from sqlalchemy import Connection, text

from cloud.access import AUDIT_READ, ContextDep, Requires
from cloud.answer import CsvAnswer, json_answer
from cloud.db import like_literal
from cloud.identity import schemas

router = APIRouter(prefix="/v1/audit", tags=["audit"])
READ = [Depends(Requires(AUDIT_READ))]
ROWS_MAX = 200
EXPORT_MAX = 100_000
SEQ_MAX = 2**63 - 1
AT_MAX = 2**53
COLUMNS = ("seq", "at", "who", "what", "permission", "object", "address", "outcome", "facts")

_ROWS = text("""
    SELECT seq, at_ms, who, what, permission, object, address, outcome, facts FROM audit
    WHERE seq < :before AND at_ms >= :from_ms AND at_ms < :to_ms
      AND (:who = '' OR who = :who) AND (:outcome = '' OR outcome = :outcome)
      AND (:q = '' OR what ILIKE :like OR object ILIKE :like OR permission ILIKE :like)
    ORDER BY seq DESC LIMIT :most""")


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which rows are asked for; instants in UTC milliseconds, half open."""

    who: str
    q: str
    outcome: str
    from_ms: int
    to_ms: int


def audit_filter(
    who: Annotated[str, Query(max_length=64)] = "",
    q: Annotated[str, Query(max_length=100)] = "",
    outcome: Annotated[Literal["", "done", "refused", "failed"], Query()] = "",
    from_ms: Annotated[int, Query(ge=0, le=AT_MAX)] = 0,
    to_ms: Annotated[int, Query(ge=0, le=AT_MAX)] = AT_MAX,
) -> AuditFilter:
    """The rows that a request asks for."""
    return AuditFilter(who, q, outcome, from_ms, to_ms)


FilterDep = Annotated[AuditFilter, Depends(audit_filter)]


@router.get("", response_model=schemas.AuditPage, dependencies=READ)
def audit_rows(
    context: ContextDep,
    wanted: FilterDep,
    before: Annotated[int, Query(ge=1, le=SEQ_MAX)] = SEQ_MAX,
    limit: Annotated[int, Query(ge=1, le=ROWS_MAX)] = 50,
) -> Response:
    """Who did what, newest first."""
    with context.database.begin() as connection:
        rows = _rows(connection, wanted, before, limit)
    next_seq = rows[-1]["seq"] if len(rows) == limit else None
    return json_answer({"rows": rows, "next_seq": next_seq})


@router.get(".csv", response_class=CsvAnswer, dependencies=READ)
def audit_csv(context: ContextDep, wanted: FilterDep) -> Response:
    """The same as a table, the newest 100,000 rows."""

    def lines() -> Iterator[list[Any]]:
        before, left = SEQ_MAX, EXPORT_MAX
        while left > 0:
            with context.database.begin() as connection:
                rows = _rows(connection, wanted, before, ROWS_MAX)
            for row in rows:
                at = datetime.fromtimestamp(row["at_ms"] / 1000, UTC).isoformat()
                told = row | {"at": at, "facts": orjson.dumps(row["facts"]).decode()}
                yield [told[name] for name in COLUMNS]
            if len(rows) < ROWS_MAX:
                return
            before, left = rows[-1]["seq"], left - ROWS_MAX

    return CsvAnswer.of_rows(COLUMNS, lines(), "audit.csv")


def _rows(
    connection: Connection, wanted: AuditFilter, before: int, most: int
) -> list[dict[str, Any]]:
    asked = {
        "who": wanted.who,
        "outcome": wanted.outcome,
        "q": wanted.q,
        "like": f"%{like_literal(wanted.q)}%",
        "from_ms": wanted.from_ms,
        "to_ms": wanted.to_ms,
        "before": before,
        "most": most,
    }
    found = connection.execute(_ROWS, asked).mappings()
    return [{**row, "facts": orjson.loads(row["facts"])} for row in found]
