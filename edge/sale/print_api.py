"""The endpoint that tries a printer."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel

from edge.access import Actor, Requires
from edge.device.ports import PrintOutcome
from edge.sale.api import RoomDep
from shared.staff import permission

Setting = Annotated[Actor, Depends(Requires(permission.DEVICE_SETUP))]
PrinterId = Annotated[str, Path(pattern=r"^printer-[0-9]$")]


class TestPrinted(BaseModel):
    """What is known of the test page; `unknown` may have come out."""

    outcome: PrintOutcome


router = APIRouter(prefix="/v1/devices/printer/{printer_id}", tags=["devices"])


@router.post("/test")
async def print_test_page(room: RoomDep, _: Setting, printer_id: PrinterId) -> TestPrinted:
    """Print one page that shows what a printer can do; waits until it is known what came out."""
    # Not on the pool's few threads: sign-in and receipts need them while a printer is waited for.
    page = room.shop.effects.print_test_page(printer_id)
    return TestPrinted(outcome=await asyncio.shield(asyncio.wrap_future(page)))
