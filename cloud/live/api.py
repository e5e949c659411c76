"""The consoles' event stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse

from cloud.access import REPORT_READ, ContextDep, Requires, session_token_of
from cloud.context import Context
from cloud.db import DatabaseError
from cloud.live.hub import LiveHub

LOOK_MS = 15_000
"""So often it is asked whether the reader may still listen."""
router = APIRouter(prefix="/v1", tags=["live"])


class EventStream(StreamingResponse):
    """Server-sent events."""

    media_type = "text/event-stream"


@router.get("/events", response_class=EventStream, dependencies=[Depends(Requires(REPORT_READ))])
async def events(request: Request, context: ContextDep) -> EventStream:
    """Sales, boxes and convergence as they change; a `beat` at least every ten seconds.

    The stream ends when the reader is too slow or events may have been missed: connect again and
    ask for the whole state. It ends soon after the session does.
    """
    hub: LiveHub = request.app.state.live_hub
    token = session_token_of(request) or ""

    async def stream() -> AsyncIterator[bytes]:
        listener = hub.join()
        try:
            chunks = listener.chunks(context.clock.now_ms)
            admitted = while_admitted(
                chunks, lambda: _may_listen(context, token), context.clock.mono_ms
            )
            async for chunk in admitted:
                yield chunk
        finally:
            hub.leave(listener)

    return EventStream(stream(), headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})


async def while_admitted(
    chunks: AsyncIterator[bytes], is_admitted: Callable[[], bool], mono_ms: Callable[[], int]
) -> AsyncIterator[bytes]:
    """The chunks until the reader may listen no more: signed out, idle, disabled, another role."""
    looked_ms = mono_ms()
    async for chunk in chunks:
        if mono_ms() - looked_ms >= LOOK_MS:
            if not await asyncio.to_thread(is_admitted):
                return
            looked_ms = mono_ms()
        yield chunk


def _may_listen(context: Context, token: str) -> bool:
    try:
        reader = context.people.find(token, is_used=False)
    except DatabaseError:
        return True  # nobody knows; without the database there is nothing to hear either
    return reader is not None and REPORT_READ in reader.permissions and reader.stores is None
