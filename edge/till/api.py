"""The business day's endpoints."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Header, Request
from pydantic import BaseModel, Field

from edge.access import Actor, Requires
from edge.till.service import ClosingSlip, Till, close_day, closing_slip, day_report, open_day
from edge.till.store import DayAnswers
from shared.staff.permission import DAY_CLOSE, DEVICE_READ
from shared.till.z_report import ZReport


class OpenDayBody(BaseModel):
    """`business_date` as YYYY-MM-DD."""

    business_date: str = Field(max_length=20)


@dataclass(slots=True)
class TillRoom:
    """What these endpoints work with; in `app.state.till`.

    `print_slip` queues the Z slip of a business date on the printer of a lane.
    """

    till: Till
    answers: DayAnswers
    print_slip: Callable[[int, str], None] = lambda _lane, _business_date: None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def once(self, key: str | None, command: Callable[[], ZReport]) -> ZReport:
        """Run a command once per key: a repeat gets the first answer."""
        async with self.turn:
            return await asyncio.to_thread(self._once, key, command)

    def _once(self, key: str | None, command: Callable[[], ZReport]) -> ZReport:
        if key is None:
            return command()
        first = self.answers.find(key)
        if first is not None:
            return first
        report = command()
        self.answers.keep(key, report)
        return report


def _room(request: Request) -> TillRoom:
    return cast("TillRoom", request.app.state.till)


RoomDep = Annotated[TillRoom, Depends(_room)]
ClosingDay = Annotated[Actor, Depends(Requires(DAY_CLOSE))]
Reading = Annotated[Actor, Depends(Requires(DEVICE_READ))]
Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=100)]

router = APIRouter(prefix="/v1/day", tags=["day"])


@router.post("/open")
async def open_business_day(
    room: RoomDep, actor: ClosingDay, body: OpenDayBody, key: Key = None
) -> ZReport:
    """Begin a business day."""
    command = partial(
        open_day, till=room.till, business_date=body.business_date, operator=actor.name
    )
    return await room.once(key, command)


@router.post("/close")
async def close_business_day(room: RoomDep, actor: ClosingDay, key: Key = None) -> ZReport:
    """End the business day; gives its Z report, and prints it where there is a printer."""

    def close() -> ZReport:
        report = close_day(till=room.till, operator=actor.name)
        room.print_slip(actor.lane, report.business_date)
        return report

    return await room.once(key, close)


@router.get("")
async def newest_day(room: RoomDep, _: Reading) -> ZReport:
    """Sums of the newest business day, as of now."""
    return await asyncio.to_thread(day_report, till=room.till, business_date=None)


@router.get("/certificate")
async def newest_certificate(room: RoomDep, _: Reading) -> ClosingSlip | None:
    """The newest closed day and the code of its completeness certificate; null before any."""
    return await asyncio.to_thread(closing_slip, till=room.till)


@router.get("/{date}/z")
async def z_report(room: RoomDep, _: Reading, date: str) -> ZReport:
    """Sums of a business date."""
    return await asyncio.to_thread(day_report, till=room.till, business_date=date)
