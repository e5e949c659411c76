"""Keeps guessers and lost programs from work: who was refused too often waits before the app.

Who is signed in is not held up by what others at the same address do.  Plain ASGI, because event
streams must not be buffered.
"""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import Counter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud.http.problems import problem
from shared.kernel.errors import RefusedError
from shared.kernel.refusals import Refusals, credential_of

HELD_OFF = Counter("tillbox_http_held_off_total", "Requests of senders that were refused too often")


class RefusalLimit:
    """Middleware; `refusals` is this process's, `mono_ms` its clock."""

    def __init__(self, app: ASGIApp, *, refusals: Refusals, mono_ms: Callable[[], int]) -> None:
        self._app = app
        self._refusals = refusals
        self._mono_ms = mono_ms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and note its answer, or answer 429."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusals, client = self._refusals, scope.get("client")
        credential = credential_of(scope["headers"])
        sender = refusals.sender_of(client[0] if client else "", credential)
        if sender is None:
            await self._app(scope, receive, send)
            return
        wait_ms = refusals.wait_ms(sender, self._mono_ms())
        if wait_ms:
            HELD_OFF.inc()
            refused = RefusedError("request.too_many_refused", wait_s=-(-wait_ms // 1000))
            await problem(refused)(scope, receive, send)
            return
        scope.setdefault("state", {})

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                is_known = bool(scope["state"].get("is_known"))
                now_ms, status = self._mono_ms(), int(message["status"])
                refusals.answered(sender, credential, status, now_ms, is_known=is_known)
            await send(message)

        await self._app(scope, receive, noted)
