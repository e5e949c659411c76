"""The training page: scan without a scanner, read the paper, see the drawer (`/virtual`).

Only mounted while virtual devices are on; it asks for no sign-in, so a selling box has none of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from edge.device.framing import CODE_CHARACTERS_MAX
from edge.device.paper_html import paper_html
from edge.device.virtual_counter_api import add_counter
from edge.device.virtual_printer import PrinterFault, VirtualPrinter
from edge.device.virtual_shelf_api import add_shelf
from edge.device.wiring import VirtualDevices
from shared.kernel.errors import MissingError, RefusedError

_PAGE = files("edge.device") / "virtual_page"
_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
_CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:"
)
_PAGE_HEADERS = {
    "Content-Security-Policy": f"{_CONTENT_POLICY}; base-uri 'none'; frame-ancestors 'self'",
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class SampleCode:
    """A code that the page offers as a button."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class TrainingDesk:
    """What the page needs from the box besides its devices.

    `set_clock` takes UTC ms (None lets the clock run); `samples` is asked on each visit; `texts`
    are the words of the page (`virtual.*`) in the language `locale`.
    """

    set_clock: Callable[[int | None], None] | None = None
    samples: Callable[[], Sequence[SampleCode]] = tuple
    texts: Mapping[str, str] = field(default_factory=dict)
    locale: str = "en"


class ClockBody(BaseModel):
    """`at_ms` UTC milliseconds to stand still at; null lets the clock run."""

    at_ms: int | None = Field(ge=0)


class ScanBody(BaseModel):
    """`code` as the scanner would send it, without terminator."""

    code: str = Field(min_length=1, max_length=CODE_CHARACTERS_MAX)


class FaultBody(BaseModel):
    """`fault` to bring about; null clears it."""

    fault: PrinterFault | None


class DrawerBody(BaseModel):
    """`is_open` true opens the drawer with its key, false pushes it shut."""

    is_open: bool


Which = Annotated[str, Query(pattern=r"^(printer-[1-9])?$")]
"""Id of a printer; "" is the first."""


def virtual_router(devices: VirtualDevices, desk: TrainingDesk) -> APIRouter:
    """Routes below `/virtual`."""
    router = APIRouter(prefix="/virtual", tags=["virtual devices"])
    _add_page(router, devices, desk)
    _add_inputs(router, devices, desk)
    _add_outputs(router, devices)
    add_counter(router, devices.counter)
    add_shelf(router, devices.shelf)
    return router


def _add_page(router: APIRouter, devices: VirtualDevices, desk: TrainingDesk) -> None:
    @router.get("", include_in_schema=False)
    async def page() -> Response:
        return _page_file("index.html")

    @router.get("/page/{name}", include_in_schema=False)
    async def page_file(name: Annotated[str, Path(pattern=r"^[a-z]+\.(css|js)$")]) -> Response:
        return _page_file(name)

    @router.get("/page-data", include_in_schema=False)
    async def page_data() -> Response:
        samples = [{"code": sample.code, "name": sample.name} for sample in desk.samples()]
        data = {
            "lanes": sorted(devices.scanners),
            "ports": {str(lane): each.port for lane, each in sorted(devices.scanners.items())},
            "printers": list(devices.printers),
            "has_clock": desk.set_clock is not None,
            "counters": sorted({*devices.counter.scales, *devices.counter.displays}),
            "samples": samples,
            "texts": dict(desk.texts),
            "locale": desk.locale,
        }
        return _json(data)


def _add_inputs(router: APIRouter, devices: VirtualDevices, desk: TrainingDesk) -> None:
    @router.post("/scanner/{lane}")
    def scan(lane: int, body: ScanBody) -> Response:
        """Scan a code on a lane, as its scanner would."""
        scanner = devices.scanners.get(lane)
        if scanner is None:
            raise MissingError("lane.unknown", lane=lane)
        if not scanner.scan(body.code):
            raise RefusedError("scanner.too_long", limit=CODE_CHARACTERS_MAX)
        return _json({"lane": lane, "code": body.code.strip()})

    @router.post("/clock")
    async def set_clock(body: ClockBody) -> Response:
        """Stop the box's clock at an instant, or let it run."""
        if desk.set_clock is None:
            raise RefusedError("clock.not_virtual")
        desk.set_clock(body.at_ms)
        return _json({"at_ms": body.at_ms})

    @router.post("/printer/fault")
    def set_fault(body: FaultBody, printer: Which = "") -> Response:
        """Take the paper out, open the cover, switch the printer off, or put it right."""
        _printer(devices, printer).set_fault(body.fault)
        return _json({"fault": body.fault})

    @router.post("/drawer")
    def set_drawer(body: DrawerBody, printer: Which = "") -> Response:
        """Open a drawer with its key, or push it shut."""
        _printer(devices, printer).set_drawer(is_open=body.is_open)
        return _json({"is_open": body.is_open})


def _add_outputs(router: APIRouter, devices: VirtualDevices) -> None:
    @router.get("/printer/papers")
    async def papers(after: Annotated[int, Query(ge=0)] = 0, printer: Which = "") -> Response:
        """Return papers printed since number `after`, as text and as HTML."""
        found = [
            {"n": each.number, "text": each.paper.text, "html": paper_html(each.paper)}
            for each in _printer(devices, printer).papers(after)
        ]
        return _json({"papers": found})

    @router.get("/drawer")
    async def drawer(printer: Which = "") -> Response:
        """Return how often the drawer was opened since the box started, and whether it is open."""
        found = _printer(devices, printer)
        return _json({"opened": found.drawer_opened, "is_open": found.is_drawer_open})


def _printer(devices: VirtualDevices, printer_id: str) -> VirtualPrinter:
    wanted = printer_id or next(iter(devices.printers), "")
    if wanted not in devices.printers:
        raise MissingError("printer.not_virtual")
    return devices.printers[wanted]


def _page_file(name: str) -> Response:
    source = _PAGE / name
    if not source.is_file():
        raise MissingError("page.unknown", name=name)
    kind = _TYPES[name.rpartition(".")[2]]
    return Response(source.read_bytes(), media_type=kind, headers=_PAGE_HEADERS)


def _json(value: dict[str, Any]) -> Response:
    return Response(json.dumps(value, ensure_ascii=False), media_type="application/json")
