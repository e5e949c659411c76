"""The health page of the devices: how each is, what it had, and the self-test."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Request, Response

from edge.access import Actor, Requires
from edge.ops.devices_view import csv_rows, devices_of, self_test_of
from edge.ops.fault_book import FaultBook
from edge.ops.schemas import DevicesBody, SelfTestBody
from edge.ops.self_test import SelfTest
from edge.ops.watch import DeviceWatch
from shared.staff.permission import DEVICE_READ, DEVICE_SETUP

HISTORY_OF = 64
"""So many devices' worth of troubles are shown at most."""
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class DevicesRoom:
    """What these endpoints work with; in `app.state.devices`."""

    watch: DeviceWatch
    book: FaultBook
    self_test: SelfTest
    facts_waiting: Callable[[], int]
    now_ms: Callable[[], int]


def _room(request: Request) -> DevicesRoom:
    return cast("DevicesRoom", request.app.state.devices)


RoomDep = Annotated[DevicesRoom, Depends(_room)]
Reader = Annotated[Actor, Depends(Requires(DEVICE_READ))]
Fitter = Annotated[Actor, Depends(Requires(DEVICE_SETUP))]

router = APIRouter(prefix="/v1/devices", tags=["devices"])


@router.get("")
async def devices(room: RoomDep, _: Reader) -> DevicesBody:
    """Every device with its last troubles, those in trouble first."""
    return await asyncio.to_thread(_body, room)


@router.get(".csv", response_class=Response)
async def devices_csv(room: RoomDep, _: Reader) -> Response:
    """The same as a table, for whoever is asked for help; times are UTC ms."""
    rows = await asyncio.to_thread(
        lambda: csv_rows(room.watch.seen().reports, room.book.history(HISTORY_OF))
    )
    text = io.StringIO()
    csv.writer(text).writerows([[_harmless(cell) for cell in row] for row in rows])
    headers = {"Content-Disposition": 'attachment; filename="devices.csv"'}
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


@router.post("/self-test")
async def self_test(room: RoomDep, actor: Fitter) -> SelfTestBody | None:
    """Try everything now; takes up to 20 s and prints nothing."""
    # Not on the pool's few threads: sign-in and receipts need them while a printer is waited for.
    row = await asyncio.shield(asyncio.wrap_future(room.self_test.begin(actor.name)))
    return self_test_of(row)


@router.post("/self-test/seen", status_code=204)
async def self_test_seen(room: RoomDep, _: Reader) -> None:
    """Somebody has read the result: the status strip is quiet again."""
    await asyncio.to_thread(room.self_test.seen)


def _body(room: DevicesRoom) -> DevicesBody:
    seen = room.watch.seen()
    return DevicesBody(
        at_ms=room.now_ms(),
        revision=seen.revision,
        devices=devices_of(seen.reports, room.book.history(HISTORY_OF)),
        self_test=self_test_of(room.self_test.last()),
        self_test_at=room.self_test.at,
        facts_waiting=room.facts_waiting(),
    )


def _harmless(cell: str) -> str:
    """A table program must not take what a device calls itself for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
