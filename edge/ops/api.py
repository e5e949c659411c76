"""Health for watchdogs, metrics for Prometheus."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from edge.access import PUBLIC, Actor, Requires


@dataclass(frozen=True, slots=True)
class OpsRoom:
    """What these endpoints work with; in `app.state.ops`. `health` answers at once."""

    health: Callable[[], dict[str, Any]]


def _room(request: Request) -> OpsRoom:
    return cast("OpsRoom", request.app.state.ops)


RoomDep = Annotated[OpsRoom, Depends(_room)]
Anybody = Annotated[Actor, Depends(Requires(PUBLIC))]

router = APIRouter(tags=["ops"])


@router.get("/healthz")
async def health(room: RoomDep, _: Anybody) -> dict[str, Any]:
    """The box sells while this answers 200."""
    return await asyncio.to_thread(room.health)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(_: Anybody) -> Response:
    """Prometheus text format."""
    text = await asyncio.to_thread(generate_latest)
    return Response(text, media_type=CONTENT_TYPE_LATEST)
