"""The FastAPI application of a box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Depends, FastAPI

from edge.access import PUBLIC, Gate, Requires
from edge.clock import SystemClock
from edge.copy import api as copy_api
from edge.http import display, events, lanes, problems, static_files
from edge.http.described import DescribedApp
from edge.http.guard import Guard
from edge.http.refusals import RefusalLimit
from edge.label import api as label_api
from edge.ops import api as ops_api
from edge.ops import devices_api, pairing_api
from edge.sale import api as sale_api
from edge.sale import member_api, print_api, weigh_api
from edge.shelf import api as shelf_api
from edge.staff import api as staff_api
from edge.staff import approval_api
from edge.till import api as till_api
from edge.version import software_version
from shared.kernel.errors import ForbiddenError


@dataclass(frozen=True, slots=True)
class Rooms:
    """What the endpoints work with, room by room; `extra` are routers of the training mode."""

    gate: Gate
    lanes: lanes.LanesRoom
    events: events.EventRoom
    sale: sale_api.SaleRoom
    staff: staff_api.SignInRoom
    till: till_api.TillRoom
    ops: ops_api.OpsRoom
    devices: devices_api.DevicesRoom
    pairing: pairing_api.PairingRoom
    shelf: shelf_api.ShelfRoom
    label: label_api.LabelRoom
    copies: copy_api.CopyRoom
    customer: display.DisplayRoom
    locale: str
    extra: Sequence[APIRouter] = ()


def build_app(rooms: Rooms) -> FastAPI:
    """All routes, in order: the API, the training pages, then the till app for everything else."""
    app = DescribedApp(
        title="Tillbox store box",
        version=software_version(),
        docs_url=None,
        redoc_url=None,
        responses={"default": {"model": problems.Problem, "description": "A problem document."}},
    )
    app.state.gate = rooms.gate
    app.state.lanes = rooms.lanes
    app.state.events = rooms.events
    app.state.sale = rooms.sale
    app.state.staff = rooms.staff
    app.state.till = rooms.till
    app.state.ops = rooms.ops
    app.state.devices = rooms.devices
    app.state.pairing = rooms.pairing
    app.state.shelf = rooms.shelf
    app.state.label = rooms.label
    app.state.copies = rooms.copies
    app.state.customer = rooms.customer
    problems.install(app, rooms.locale)
    foreign = ForbiddenError("session.cross_site")
    app.add_middleware(
        RefusalLimit,
        mono_ms=SystemClock().mono_ms,
        refusal=lambda error: problems.problem(error, rooms.locale),
    )
    app.add_middleware(Guard, refusal=lambda: problems.problem(foreign, rooms.locale))
    rooms_of_the_store = (till_api, copy_api, ops_api, devices_api, pairing_api, shelf_api)
    for module in (lanes, staff_api, approval_api, events, label_api, *rooms_of_the_store):
        app.include_router(module.router)
    app.include_router(sale_api.lane_router)
    app.include_router(sale_api.router)
    app.include_router(display.router)
    app.include_router(member_api.lane_router)
    app.include_router(weigh_api.lane_router)
    app.include_router(weigh_api.device_router)
    app.include_router(print_api.router)
    for router in rooms.extra:
        app.include_router(router, dependencies=[Depends(Requires(PUBLIC))])
    app.include_router(static_files.router)
    return app
