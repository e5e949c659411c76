"""The consoles' event stream."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse

from cloud.access import REPORT_READ, ContextDep, Requires
from cloud.live.hub import LiveHub

router = APIRouter(prefix="/v1", tags=["live"])


class EventStream(StreamingResponse):
    """Server-sent events."""

    media_type = "text/event-stream"


@router.get("/events", response_class=EventStream, dependencies=[Depends(Requires(REPORT_READ))])
async def events(request: Request, context: ContextDep) -> EventStream:
    """Sales, boxes and convergence as they change; a `beat` at least every ten seconds.

    The stream ends when the reader is too slow or events may have been missed: connect again and
    ask for the whole state.
    """
    hub: LiveHub = request.app.state.live_hub

    async def stream() -> AsyncIterator[bytes]:
        listener = hub.join()
        try:
            async for chunk in listener.chunks(context.clock.now_ms):
                yield chunk
        finally:
            hub.leave(listener)

    return EventStream(stream(), headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
