"""What stands around every request: size limit, security headers, counters.

Plain ASGI, because Starlette's own base class would buffer the event stream.
"""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import Counter, Histogram
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud.access import SAFE_METHODS
from cloud.clock import monotonic_s
from cloud.http.problems import TooLargeError, problem
from shared.kernel.errors import ForbiddenError, RefusedError

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data:; script-src 'self'; style-src 'self';"
    " object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
HSTS = {"Strict-Transport-Security": "max-age=31536000"}
"""Only behind TLS: over plain HTTP browsers ignore it, and a box of tests has none."""
PRIVATE = "no-store"

REQUESTS = Counter(
    "tillbox_http_requests_total", "Requests answered", ("method", "route", "status")
)
SECONDS = Histogram(
    "tillbox_http_request_seconds",
    "Time until the answer began",
    ("route",),
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)


class BodyLimit:
    """Refuses a request body above the limit of its path, counted while it arrives."""

    def __init__(self, app: ASGIApp, *, limit: int, limits: Mapping[str, int]) -> None:
        self._app = app
        self._limit = limit
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 413."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limits.get(scope["path"], self._limit)
        if _content_length(scope) > limit:
            answer = problem(RefusedError("request.too_large", limit=limit))
            await answer(scope, receive, send)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > limit:
                raise TooLargeError(limit)
            return message

        await self._app(scope, counted, send)


class OwnPagesOnly:
    """Refuses a change that another site's page sends, cookie or not.

    A foreign page must neither act for a person nor sign them in as somebody else.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403."""
        is_change = scope["type"] == "http" and scope["method"] not in SAFE_METHODS
        if is_change and (b"sec-fetch-site", b"cross-site") in scope["headers"]:
            answer = problem(ForbiddenError("request.cross_site"))
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)


class AnswerHeaders:
    """Adds the security headers, and keeps API answers out of caches."""

    def __init__(self, app: ASGIApp, *, is_https: bool) -> None:
        self._app = app
        self._headers = SECURITY_HEADERS | (HSTS if is_https else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and complete the headers of its answer."""

        async def completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith("/v1/"):
                    headers.setdefault("Cache-Control", PRIVATE)
            await send(message)

        await self._app(scope, receive, completed if scope["type"] == "http" else send)


class RequestCounter:
    """Counts answers by route template (never by raw path: there are too many)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and count its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = monotonic_s()

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = _route(scope)
                REQUESTS.labels(scope["method"], route, str(message["status"])).inc()
                SECONDS.labels(route).observe(monotonic_s() - began)
            await send(message)

        await self._app(scope, receive, counted)


def _content_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


def _route(scope: Scope) -> str:
    return str(getattr(scope.get("route"), "path", "other"))
