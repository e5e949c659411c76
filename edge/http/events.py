"""Event streams: a lane's view whenever it changes, the box's status as a heartbeat."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated, Any, cast

import orjson
from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from edge.access import LOCKED_VIEW, Actor, Requires
from edge.desk.desk import Desk
from edge.desk.feed import Feed
from edge.desk.state import View
from edge.sale.view import locked

HEARTBEAT_S = 1.0
SCALE_S = 0.1
"""How often the scale is looked at; what it says is only sent when it changes."""
STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@dataclass(frozen=True, slots=True)
class EventRoom:
    """What the streams work with; in `app.state.events`.

    `status` answers at once; `is_current` says whether an actor still has its lane; `closing`
    ends the streams when the box stops; `shown` notes what a till page has painted.  `scale` tells
    how a lane's scale is, None where it has none.
    """

    desk: Desk
    status: Callable[[int, bool], dict[str, Any]]
    is_current: Callable[[Actor], bool]
    closing: asyncio.Event
    shown: Callable[[int, int], None]
    scale: Callable[[int], dict[str, Any] | None] = lambda _: None


class ShownBody(BaseModel):
    """The catalogue revision that a till page has painted."""

    revision: int = Field(ge=0)


def _room(request: Request) -> EventRoom:
    return cast("EventRoom", request.app.state.events)


RoomDep = Annotated[EventRoom, Depends(_room)]
Screen = Annotated[Actor, Depends(Requires(LOCKED_VIEW))]

router = APIRouter(prefix="/v1/lanes/{lane}", tags=["screen"])


@router.get("/events", response_class=StreamingResponse)
async def events(room: RoomDep, actor: Screen, lane: int, request: Request) -> StreamingResponse:
    """`view` events carry the whole LaneView, so a stream that was cut off needs no replay."""
    feed = room.desk.subscribe(lane)
    is_secure = request.url.scheme == "https"
    stream = _stream(room, actor, Screening(lane, feed, is_secure))
    return StreamingResponse(stream, media_type="text/event-stream", headers=STREAM_HEADERS)


@router.post("/shown", status_code=204)
async def shown(room: RoomDep, _: Screen, lane: int, body: ShownBody) -> None:
    """Note what a till page has painted: the third level of acknowledgement."""
    room.desk.state(lane)
    room.shown(lane, body.revision)


@dataclass(frozen=True, slots=True)
class Screening:
    """One open stream."""

    lane: int
    feed: Feed
    is_secure: bool


async def _stream(room: EventRoom, actor: Actor, screening: Screening) -> AsyncIterator[bytes]:
    now = asyncio.get_running_loop().time
    try:
        yield _status(room, screening)
        told_at = now()
        told_scale = b""
        while not room.closing.is_set():
            scale = _scale(room, actor, screening)
            if scale != told_scale:
                told_scale = scale
                yield scale
            wait_s = max(0.0, told_at + HEARTBEAT_S - now())
            view = await screening.feed.next(min(wait_s, SCALE_S) if scale else wait_s)
            if view is not None:
                yield _view(room, actor, view)
            if now() >= told_at + HEARTBEAT_S:
                yield _status(room, screening)
                told_at = now()
    finally:
        room.desk.unsubscribe(screening.lane, screening.feed)


def _view(room: EventRoom, actor: Actor, view: View) -> bytes:
    payload = view.payload
    if actor.operator is None or not room.is_current(actor):
        payload = orjson.dumps(locked(orjson.loads(payload)))
    return b"event: view\nid: %d\ndata: %s\n\n" % (view.seq, payload)


def _scale(room: EventRoom, actor: Actor, screening: Screening) -> bytes:
    """How the lane's scale is; b"" where there is none, or nobody to tell."""
    if actor.operator is None or not room.is_current(actor):
        return b""
    shown = room.scale(screening.lane)
    return b"event: scale\ndata: %s\n\n" % orjson.dumps(shown) if shown else b""


def _status(room: EventRoom, screening: Screening) -> bytes:
    status = room.status(screening.lane, screening.is_secure)
    return b"event: status\ndata: %s\n\n" % orjson.dumps(status)
