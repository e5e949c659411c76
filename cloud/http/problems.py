"""Errors as `application/problem+json` (RFC 9457) with the product's own code and parameters."""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException as StarletteHTTPException

from cloud.answer import json_answer
from cloud.csv_table import ImportRefusedError
from cloud.db import DatabaseError, StatementError, is_unspeakable, unavailable_when_lost
from cloud.offer.check import OfferLintError
from cloud.texts import sentence
from shared.kernel.errors import (
    CorruptError,
    ForbiddenError,
    MissingError,
    RefusedError,
    RetailError,
    UnavailableError,
)
from shared.price.document_error import DocumentError, DocumentRefusedError

MEDIA_TYPE = "application/problem+json"
STATUS_OF_FAMILY: dict[type[RetailError], int] = {
    RefusedError: 422,
    MissingError: 404,
    ForbiddenError: 403,
    UnavailableError: 503,
    CorruptError: 500,
}
STATUS_OF_CODE = {
    "session.required": 401,
    "session.wrong_password": 401,
    "session.code_required": 401,
    "session.wrong_code": 401,
    "device.required": 401,
    "member.asked_often": 429,
    "session.too_many_tries": 429,
    "receipt.too_many_tries": 429,
    "publication.nothing": 409,
    "publication.conflict": 409,
    "release.conflict": 409,
    "release.second_person": 409,
    "release.state": 409,
    "release.superseded": 409,
    "enrol.claim_done": 409,
    "enrol.claim_used": 409,
    "enrol.copied": 409,
    "user.exists": 409,
    "user.last_admin": 409,
    "user.mail_taken": 409,
    "role.in_use": 409,
    "request.too_large": 413,
    "request.too_many_refused": 429,
}
RETRY_AFTER_S = "5"

_log = structlog.get_logger("http")


class RowProblem(BaseModel):
    """One thing that is wrong with one row of a CSV file; `line` counts from 1."""

    line: int
    column: str | None
    code: str
    params: dict[str, str | int | None]
    detail: str


class PlaceProblem(BaseModel):
    """One thing that is wrong in a document; `path` is like `offers[2].reward.bp`."""

    path: str
    code: str
    params: dict[str, str | int | None]
    detail: str


class FindingProblem(BaseModel):
    """One finding of lint; its text is `offer.<code>`."""

    code: str
    severity: str
    offers: list[str]
    params: dict[str, str | int]


class Problem(BaseModel):
    """The body of every error."""

    type: str
    title: str
    status: int
    code: str
    params: dict[str, str | int | None]
    detail: str
    errors: list[RowProblem] | None = None
    """Only for a refused import."""
    error_count: int | None = None
    places: list[PlaceProblem] | None = None
    """Only for a refused document."""
    findings: list[FindingProblem] | None = None
    """Only for offers that lint refuses."""


def status_of(error: RetailError) -> int:
    """The HTTP status of an error: its own, or its family's."""
    own = STATUS_OF_CODE.get(error.code)
    if own is not None:
        return own
    return next(
        (status for family, status in STATUS_OF_FAMILY.items() if isinstance(error, family)), 500
    )


def install(app: FastAPI) -> None:
    """Answer every error of the app as a problem."""
    app.add_exception_handler(RetailError, _on_retail_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(StarletteHTTPException, _on_http_exception)
    app.add_exception_handler(StatementError, _on_database_error)
    app.add_exception_handler(DatabaseError, _on_database_error)
    app.add_exception_handler(Exception, _on_defect)


def problem(
    error: RetailError, *, status: int | None = None, extra: dict[str, Any] | None = None
) -> Response:
    """The answer for an error."""
    number = status or status_of(error)
    answer = json_answer(
        {
            "type": f"urn:tillbox:error:{error.code}",
            "title": HTTPStatus(number).phrase,
            "status": number,
            "code": error.code,
            "params": error.params,
            "detail": sentence(error),
            **(extra or {}),
        },
        status=number,
    )
    answer.headers["Content-Type"] = MEDIA_TYPE
    if number in {429, 503}:
        answer.headers["Retry-After"] = str(error.params.get("wait_s") or RETRY_AFTER_S)
    if number == HTTPStatus.UNAUTHORIZED:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def _on_retail_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RetailError)
    if isinstance(error, (UnavailableError, CorruptError)):
        _log.error("request failed", path=request.url.path, code=error.code, **error.params)
    if isinstance(error, DocumentRefusedError):
        return problem(error, extra={"places": [_place(each) for each in error.errors]})
    if isinstance(error, OfferLintError):
        return problem(error, extra={"findings": [asdict(each) for each in error.findings]})
    if not isinstance(error, ImportRefusedError):
        return problem(error)
    rows = [
        {
            "line": row.line,
            "column": row.column,
            "code": row.code,
            "params": row.params,
            "detail": sentence(RetailError(row.code, **row.params)),
        }
        for row in error.rows
    ]
    return problem(error, extra={"errors": rows, "error_count": error.count})


def _place(error: DocumentError) -> dict[str, Any]:
    detail = sentence(RetailError(error.code, **error.params))
    return {"path": error.path, "code": error.code, "params": error.params, "detail": detail}


def _on_invalid_request(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"] if part != "body") or "body"
    return problem(RefusedError("request.invalid", field=field, because=str(first["msg"])))


def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteHTTPException)
    if isinstance(error, TooLargeError):
        return problem(RefusedError("request.too_large", limit=error.limit))
    code = f"http.{error.status_code}"
    refused = RefusedError(code, path=request.url.path[:200])
    answer = problem(refused, status=error.status_code)
    answer.headers.update(error.headers or {})
    return answer


def _on_database_error(request: Request, error: Exception) -> Response:
    if is_unspeakable(error):
        return problem(RefusedError("request.invalid", field="text", because="a NUL character"))
    lost = unavailable_when_lost(error)
    return _on_defect(request, error) if lost is None else _on_retail_error(request, lost)


def _on_defect(request: Request, error: Exception) -> Response:
    _log.exception("unexpected error", path=request.url.path, error=repr(error))
    return problem(CorruptError("internal"))


class TooLargeError(HTTPException):
    """A request body above its limit; FastAPI passes only its own exceptions through."""

    def __init__(self, limit: int) -> None:
        super().__init__(status_code=413)
        self.limit = limit
