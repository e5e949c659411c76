"""Around every request: a limit to bodies, and what keeps foreign pages and code out of the till.

A browser tells with each request whose page made it (Origin, Sec-Fetch-Site). One that changes
something must come from the box's own page; a program, which has no page, sends neither.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_BYTES_MAX = 64 * 1024
BODY_BYTES_MAX_OF = {"/v1/salvage": 1024 * 1024}
"""What a page hands in of a dead box's journal comes in larger pieces."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
        " font-src 'self'; connect-src 'self'; manifest-src 'self'; media-src 'self' data:;"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class Guard:
    """ASGI middleware. Plain ASGI, because event streams must not be buffered.

    `refusal` answers what another site's page asks for.
    """

    def __init__(
        self, app: ASGIApp, refusal: Callable[[], Response] = lambda: Response(status_code=403)
    ) -> None:
        self._app = app
        self._refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse a body that announces or shows to be too large."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if scope["scheme"] == "https":
                    _keep_encrypted(headers)
                if scope["path"].startswith("/v1/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        if _is_foreign(scope):
            await self._refusal()(scope, receive, guarded_send)
            return
        limit = BODY_BYTES_MAX_OF.get(scope["path"], BODY_BYTES_MAX)
        await self._app(scope, _limited(receive, limit), guarded_send)


def _keep_encrypted(headers: MutableHeaders) -> None:
    """No cookie of an encrypted page is ever sent in the clear."""
    cookies = headers.getlist("set-cookie")
    if cookies:
        del headers["set-cookie"]
    for cookie in cookies:
        headers.append("set-cookie", f"{cookie}; Secure")


def _is_foreign(scope: Scope) -> bool:
    """Whether another site's page asks for a change."""
    if scope["method"] in _SAFE:
        return False
    headers = Headers(scope=scope)
    if headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
        return True
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


def _limited(receive: Receive, limit: int) -> Receive:
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            if seen > limit:
                # FastAPI lets only its own exceptions out of the reading of a body.
                raise HTTPException(413)
        return message

    return counted
