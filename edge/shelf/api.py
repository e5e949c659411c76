"""The shelf page of the tills: what stands where, and the tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Path, Request

from edge.access import Actor, Requires
from edge.shelf.schemas import CountBody, DismissBody, ShelvesBody
from edge.shelf.service import ShelfRoomService
from edge.shelf.store import ShelfStore
from edge.shelf.view import ItemName, sensor_body, task_bodies
from shared.staff.permission import STOCK_COUNT

DONE_SHOWN = 50
TASK_NO_MAX = 1 << 53


@dataclass(frozen=True, slots=True)
class ShelfRoom:
    """What these endpoints work with; in `app.state.shelf`."""

    service: ShelfRoomService
    store: ShelfStore
    name_of: ItemName
    unknown: Callable[[], Iterable[str]]

    def page(self) -> ShelvesBody:
        """Everything, as of now."""
        service = self.service
        setups = {each.setup.name: each.setup for each in service.sensors}
        return ShelvesBody(
            sensors=[
                sensor_body(each, service.quantities(each.setup.name), self.name_of)
                for each in service.sensors
            ],
            tasks=task_bodies(service.open_tasks(), setups, self.name_of),
            done=task_bodies(self.store.done_tasks(DONE_SHOWN), setups, self.name_of),
            unknown=list(self.unknown()),
        )


def _room(request: Request) -> ShelfRoom:
    return cast("ShelfRoom", request.app.state.shelf)


RoomDep = Annotated[ShelfRoom, Depends(_room)]
Counting = Annotated[Actor, Depends(Requires(STOCK_COUNT))]

router = APIRouter(prefix="/v1/shelves", tags=["shelves"])


@router.get("")
async def shelves(room: RoomDep, _: Counting) -> ShelvesBody:
    """All sensors, open tasks, and the last ones that were settled."""
    return await asyncio.to_thread(room.page)


@router.post("/{sensor}/count")
async def count_shelf(
    room: RoomDep, actor: Counting, sensor: Annotated[str, Path(max_length=40)], body: CountBody
) -> ShelvesBody:
    """Say how much of a shelf's item the store has; the book starts anew from it."""
    count = partial(room.service.count, sensor=sensor, qty_milli=body.qty_milli, by=actor.name)
    await asyncio.to_thread(count)
    return await asyncio.to_thread(room.page)


@router.post("/tasks/{n}/dismiss")
async def dismiss_task(
    room: RoomDep, actor: Counting, n: Annotated[int, Path(ge=1, le=TASK_NO_MAX)], body: DismissBody
) -> ShelvesBody:
    """Say why nothing needs doing; of a warm place, that somebody knows."""
    dismiss = partial(room.service.dismiss, task_no=n, reason=body.reason, by=actor.name)
    await asyncio.to_thread(dismiss)
    return await asyncio.to_thread(room.page)
