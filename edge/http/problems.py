"""Errors as `application/problem+json` (RFC 9457) with the product's own code and parameters."""

from __future__ import annotations

from http import HTTPStatus

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException as StarletteHTTPException

from edge.access import NEEDED, Approvals, Asked, measure_of
from edge.http.guard import BODY_BYTES_MAX, BODY_BYTES_MAX_OF
from edge.texts import sentence
from shared.kernel.errors import (
    CorruptError,
    ForbiddenError,
    MissingError,
    RefusedError,
    RetailError,
    UnavailableError,
)

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
    "session.bad_pin": 401,
    "session.locked_out": 429,
    "request.too_large": 413,
    "request.too_many_refused": 429,
    # What a page handed in is damaged, not this box.
    "carbon.hash": 422,
    "carbon.chain": 422,
    "carbon.signature": 422,
    "salvage.fork": 409,
}
_RETRY_AFTER_S = "1"
_log = structlog.get_logger("http")


class Problem(BaseModel):
    """The body of every error."""

    type: str
    title: str
    status: int
    code: str
    params: dict[str, str | int | None]
    detail: str


def install(app: FastAPI, locale: str) -> None:
    """Answer every error of the app as a problem, in the store's language."""

    async def on_retail_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, RetailError)
        if error.code == NEEDED and isinstance(error, ForbiddenError):
            error = _waiting(request, error)
        if isinstance(error, (UnavailableError, CorruptError)):
            _log.error("request_failed", path=request.url.path, code=error.code)
        return problem(error, locale)

    async def on_invalid(request: Request, error: Exception) -> Response:
        del request
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"] if part != "body") or "body"
        because = str(first["msg"])
        return problem(RefusedError("request.invalid", field=field, because=because), locale)

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, StarletteHTTPException)
        if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            limit = BODY_BYTES_MAX_OF.get(request.url.path, BODY_BYTES_MAX)
            return problem(RefusedError("request.too_large", limit=limit), locale)
        code = f"http.{error.status_code}"
        refused = RefusedError(code, path=request.url.path[:200])
        return problem(refused, locale, status=error.status_code)

    async def on_defect(request: Request, error: Exception) -> Response:
        _log.error("unexpected", path=request.url.path, error=repr(error))
        return problem(CorruptError("internal"), locale)

    app.add_exception_handler(RetailError, on_retail_error)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(StarletteHTTPException, on_http)
    app.add_exception_handler(Exception, on_defect)


def _waiting(request: Request, error: ForbiddenError) -> ForbiddenError:
    """The refusal with the number under which the request waits for somebody's word."""
    asked: Asked = request.state.asked
    approvals: Approvals = request.app.state.staff.approvals
    number = approvals.ask(asked, *measure_of(error))
    return ForbiddenError(NEEDED, **error.params, approval=number)


def status_of(error: RetailError) -> int:
    """The HTTP status of an error: its own, or its family's."""
    own = STATUS_OF_CODE.get(error.code)
    if own is not None:
        return own
    return next(
        (status for family, status in STATUS_OF_FAMILY.items() if isinstance(error, family)), 500
    )


def problem(error: RetailError, locale: str, *, status: int | None = None) -> Response:
    """The answer for an error."""
    number = status or status_of(error)
    body = {
        "type": f"urn:tillbox:error:{error.code}",
        "title": HTTPStatus(number).phrase,
        "status": number,
        "code": error.code,
        "params": error.params,
        "detail": sentence(error, locale),
    }
    headers = {}
    if number in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        headers["Retry-After"] = str(error.params.get("wait_s") or _RETRY_AFTER_S)
    return Response(orjson.dumps(body), number, headers, MEDIA_TYPE)
