"""Keeps guessers and lost programs from work: who was refused too often waits before the app.

Who is signed in is not held up by what others at the same address do.  Plain ASGI, because event
streams must not be buffered.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.kernel.errors import RefusedError
from shared.kernel.refusals import Refusals, credential_of


class RefusalLimit:
    """Middleware; `mono_ms` is a clock that never goes back, `refusal` says an error."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        mono_ms: Callable[[], int],
        refusal: Callable[[RefusedError], Response],
    ) -> None:
        self._app = app
        self._refusals = Refusals()
        self._mono_ms = mono_ms
        self._refusal = refusal

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
            refused = RefusedError("request.too_many_refused", wait_s=-(-wait_ms // 1000))
            await self._refusal(refused)(scope, receive, send)
            return
        scope.setdefault("state", {})

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                is_known = bool(scope["state"].get("is_known"))
                now_ms, status = self._mono_ms(), int(message["status"])
                refusals.answered(sender, credential, status, now_ms, is_known=is_known)
            await send(message)

        await self._app(scope, receive, noted)
