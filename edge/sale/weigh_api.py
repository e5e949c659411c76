"""The endpoints of weighing at a lane."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from edge.access import Actor, Requires
from edge.sale.api import Key, Operating, RoomDep, do_command
from edge.sale.commands import GiveUpWeighing, SetTare, WeighByHand, WeighItem
from edge.sale.schemas import CommandAnswer
from shared.kernel.errors import MissingError
from shared.staff import permission

Weighing = Annotated[Actor, Depends(Requires(permission.SALE_OVERRIDE))]
Setting = Annotated[Actor, Depends(Requires(permission.DEVICE_SETUP))]


class TareBody(BaseModel):
    """`tare_milli` of the container, in thousandths of the unit; null: what lies on the scale."""

    tare_milli: int | None = None


class ByHandBody(BaseModel):
    """The net weight that was read elsewhere, in thousandths of the unit."""

    net_milli: int = Field(gt=0)


class ZeroAnswer(BaseModel):
    """Whether the scale has taken its empty pan as zero."""

    zeroed: bool


async def _lane(lane: int) -> int:
    """The path's lane; `Requires` has compared it with the session's."""
    return lane


lane_router = APIRouter(
    prefix="/v1/lanes/{lane}/weighing", tags=["weighing"], dependencies=[Depends(_lane)]
)
device_router = APIRouter(prefix="/v1/devices/scale/{lane}", tags=["devices"])


@lane_router.post("", response_model=CommandAnswer)
async def weigh(room: RoomDep, actor: Operating, key: Key = None) -> Response:
    """Sell the goods that wait with the weight that lies on the scale now."""
    return await do_command(room, actor, WeighItem(), key)


@lane_router.post("/by-hand", response_model=CommandAnswer)
async def weigh_by_hand(
    room: RoomDep, actor: Weighing, body: ByHandBody, key: Key = None
) -> Response:
    """Sell the goods that wait with a weight that was keyed in; the line says so."""
    return await do_command(room, actor, WeighByHand(body.net_milli), key)


@lane_router.post("/tare", response_model=CommandAnswer)
async def set_tare(room: RoomDep, actor: Operating, body: TareBody, key: Key = None) -> Response:
    """Take a container off the weight."""
    return await do_command(room, actor, SetTare(body.tare_milli), key)


@lane_router.delete("", response_model=CommandAnswer)
async def give_up(room: RoomDep, actor: Operating, key: Key = None) -> Response:
    """Forget the goods that wait."""
    return await do_command(room, actor, GiveUpWeighing(), key)


@device_router.post("/zero")
async def zero(room: RoomDep, _: Setting, lane: int) -> ZeroAnswer:
    """Take the empty pan of the lane's scale as zero; waits for the scale's word."""
    scale = room.shop.scales.get(lane)
    if scale is None:
        raise MissingError("scale.none", lane=lane)
    return ZeroAnswer(zeroed=await asyncio.to_thread(scale.zero))
