"""Copies for the till pages, and copies back from them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse

from edge.access import SIGNED_IN, Actor, Requires
from edge.copy.schemas import RangeBody, TakenBody, WantedAnswer, WantedAsk, WantedBody
from edge.copy.service import Intake, Offered
from shared.journal.carbon import Carbon, carbon_line

CARBONS_MAX = 500
CARBON_ANSWER_BYTES_MAX = 1024 * 1024
_AT_ONCE = 20
"""Each copy is signed: so many at a time, and the box does something else between."""
NDJSON = "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class CopyRoom:
    """What these endpoints work with; in `app.state.copies`.

    `carbons` gives signed copies of the box's own entries, `acked` the last one that the cloud
    holds.
    """

    carbons: Callable[[int, int], list[Carbon]]
    acked: Callable[[], int]
    intake: Intake


def _room(request: Request) -> CopyRoom:
    return cast("CopyRoom", request.app.state.copies)


RoomDep = Annotated[CopyRoom, Depends(_room)]
SignedInActor = Annotated[Actor, Depends(Requires(SIGNED_IN))]

router = APIRouter(prefix="/v1", tags=["copies"])


@router.get(
    "/lanes/{lane}/carbons",
    response_class=StreamingResponse,
    responses={200: {"content": {NDJSON: {"schema": {"type": "string"}}}}},
)
async def carbons(
    room: RoomDep,
    _: SignedInActor,
    lane: int,
    after: Annotated[int, Query(ge=-1)] = -1,
    limit: Annotated[int, Query(ge=1, le=CARBONS_MAX)] = CARBONS_MAX,
) -> StreamingResponse:
    """Entries behind `after` that the cloud does not hold yet, one copy per line, about 1 MiB."""
    del lane  # the copies are the store's; the lane only says whose session asks
    return StreamingResponse(_lines(room, after, limit), media_type=NDJSON)


@router.post("/salvage/wanted")
async def wanted(room: RoomDep, _: SignedInActor, body: WantedAsk) -> WantedAnswer:
    """Which of the entries that a page holds this box should have."""
    offered = [
        Offered(each.stream, each.first, each.last, bytes.fromhex(each.hash)) for each in body.held
    ]
    found = await asyncio.to_thread(room.intake.wanted, offered)
    return WantedAnswer(
        wanted=[
            WantedBody(
                stream=each.stream,
                acked=each.acked,
                ranges=[RangeBody(first=first, last=last) for first, last in each.ranges],
            )
            for each in found
        ]
    )


@router.post(
    "/salvage",
    openapi_extra={
        "requestBody": {"required": True, "content": {NDJSON: {"schema": {"type": "string"}}}}
    },
)
async def salvage(room: RoomDep, _: SignedInActor, request: Request) -> TakenBody:
    """Take in copies, one per line, all or none."""
    lines = await request.body()
    return TakenBody(new=await asyncio.to_thread(room.intake.take_in, lines))


async def _lines(room: CopyRoom, after: int, limit: int) -> AsyncIterator[bytes]:
    at, left, size = max(after, room.acked()) + 1, limit, 0
    while left > 0 and size < CARBON_ANSWER_BYTES_MAX:
        found = await asyncio.to_thread(room.carbons, at, min(left, _AT_ONCE))
        if not found:
            return
        lines = b"".join(carbon_line(carbon) + b"\n" for carbon in found)
        yield lines
        at, left, size = found[-1].seq + 1, left - len(found), size + len(lines)
