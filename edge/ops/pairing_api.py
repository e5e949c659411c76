"""Giving a scanner to a lane: the till shows a code, the scanner that reads it is the lane's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from edge.access import Actor, Requires
from edge.device.code128 import bars_of
from edge.device.pairing import Pairing, PairingProgress
from edge.device.scanner_hub import ScannerHub
from shared.kernel.errors import RefusedError
from shared.staff.permission import DEVICE_SETUP


class PairingBody(BaseModel):
    """How a pairing stands; `progress` none when none was begun.

    `code` as Code 128 is `bars`: widths in modules of bar, space, bar, ...  `device`, `name` and
    `address` are of the scanner that read it.
    """

    progress: PairingProgress
    code: str = ""
    bars: list[int] = []
    left_ms: int = 0
    device: str = ""
    name: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class PairingRoom:
    """What these endpoints work with; in `app.state.pairing`. `hub` None where names are fixed."""

    hub: ScannerHub | None
    mono_ms: Callable[[], int]


def _room(request: Request) -> PairingRoom:
    return cast("PairingRoom", request.app.state.pairing)


RoomDep = Annotated[PairingRoom, Depends(_room)]
Fitter = Annotated[Actor, Depends(Requires(DEVICE_SETUP))]

router = APIRouter(prefix="/v1/lanes/{lane}/pairing", tags=["devices"])


@router.post("")
async def begin(lane: int, room: RoomDep, _: Fitter) -> PairingBody:
    """Show a code and wait a minute for the scanner that reads it; an earlier code is void."""
    hub = _hub(room)
    return _body(await asyncio.to_thread(hub.begin_pairing, lane), room)


@router.get("")
async def progress(lane: int, room: RoomDep, _: Fitter) -> PairingBody:
    """How it stands."""
    pairing = await asyncio.to_thread(_hub(room).pairing, lane)
    return PairingBody(progress="none") if pairing is None else _body(pairing, room)


@router.delete("", status_code=204)
async def end(lane: int, room: RoomDep, _: Fitter) -> None:
    """Stop waiting; the code is void."""
    await asyncio.to_thread(_hub(room).end_pairing, lane)


def _hub(room: PairingRoom) -> ScannerHub:
    if room.hub is None:
        raise RefusedError("scanner.pairing_off")
    return room.hub


def _body(pairing: Pairing, room: PairingRoom) -> PairingBody:
    return PairingBody(
        progress=pairing.progress,
        code=pairing.code,
        bars=bars_of(pairing.code),
        left_ms=max(0, pairing.until_ms - room.mono_ms()),
        device=pairing.device,
        name=pairing.name,
        address=pairing.address,
    )
