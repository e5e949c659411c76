"""The customer's display in a browser: a till gives it a key, then it may look at that lane."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated, Any, cast

import orjson
from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from edge.access import DISPLAY_VIEW, Actor, Requires
from edge.desk.feed import Feed
from edge.http.events import HEARTBEAT_S, SCALE_S, STREAM_HEADERS
from edge.sale.customer import CustomerSide
from edge.sale.customer_view import customer_view
from shared.staff import permission


@dataclass(frozen=True, slots=True)
class DisplayRoom:
    """What these endpoints work with; in `app.state.customer`, where displays are admitted too.

    `new_key` makes an unguessable text, `scale` tells how a lane's scale is, `closing` ends the
    streams when the box stops.
    """

    side: CustomerSide
    new_key: Callable[[], str]
    scale: Callable[[int], dict[str, Any] | None]
    closing: asyncio.Event

    def lane_of(self, key: str) -> int | None:
        """The lane that a display's key belongs to."""
        return self.side.lane_of(key)


class DisplayLink(BaseModel):
    """`path` of the display's page; behind the # stands its key."""

    path: str


def _room(request: Request) -> DisplayRoom:
    return cast("DisplayRoom", request.app.state.customer)


RoomDep = Annotated[DisplayRoom, Depends(_room)]
Operating = Annotated[Actor, Depends(Requires(permission.SALE_OPERATE))]
Looking = Annotated[Actor, Depends(Requires(DISPLAY_VIEW))]

router = APIRouter(prefix="/v1/lanes/{lane}/display", tags=["customer display"])


@router.post("")
async def open_display(room: RoomDep, _: Operating, lane: int) -> DisplayLink:
    """Make a key for a display of this lane."""
    key = room.new_key()
    await asyncio.to_thread(room.side.keys.add, key, lane)
    return DisplayLink(path=f"/display/{lane}#{key}")


@router.get("/events", response_class=StreamingResponse)
async def events(room: RoomDep, _: Looking, lane: int, key: str = "") -> StreamingResponse:
    """`view` events carry the whole customer's view, `scale` events the weight; `alive` a beat."""
    feed = room.side.desk.subscribe(lane)
    stream = _stream(room, lane, feed, key)
    return StreamingResponse(stream, media_type="text/event-stream", headers=STREAM_HEADERS)


async def _stream(room: DisplayRoom, lane: int, feed: Feed, key: str) -> AsyncIterator[bytes]:
    now = asyncio.get_running_loop().time
    alive_at, told_scale = 0.0, b""
    try:
        while not room.closing.is_set() and room.lane_of(key) == lane:
            if now() >= alive_at + HEARTBEAT_S:
                alive_at = now()
                yield b"event: alive\ndata: {}\n\n"
            shown = room.scale(lane)
            scale = b"event: scale\ndata: %s\n\n" % orjson.dumps(shown)
            if scale != told_scale:
                told_scale = scale
                yield scale
            wait_s = max(0.0, alive_at + HEARTBEAT_S - now())
            view = await feed.next(wait_s if shown is None else min(wait_s, SCALE_S))
            if view is not None:
                told = {**customer_view(orjson.loads(view.payload)), **room.side.around}
                yield b"event: view\nid: %d\ndata: %s\n\n" % (view.seq, orjson.dumps(told))
    finally:
        room.side.desk.unsubscribe(lane, feed)
