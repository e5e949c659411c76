"""The scanners of a box, as its settings name them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from edge.device.binding_store import BindingStore
from edge.device.framing import ScannerLayout
from edge.device.pairing import PAIRING_CODE, TOKEN_LENGTH, is_pairing_code, token_of
from edge.device.place import path_of
from edge.device.ports import Connection, DeviceReport, ScannerPort
from edge.device.scanner import EvdevScanner
from edge.device.scanner_base import BaseScanner, Place, ScannerName
from edge.device.scanner_hub import HubParts, LaneScanner, ScannerHub
from edge.device.scanner_serial import SerialScanner
from edge.device.udev import Discovery, UdevDiscovery
from edge.device.virtual import VirtualScanner
from edge.ids import Ids
from edge.settings import ScannerSettings, Settings
from shared.journal.event import Event
from shared.kernel.clock import Clock

LOOPBACK = "127.0.0.1"
"""Virtual devices ask for no password, so they listen to this machine only."""
Facts = Callable[[Event], None]
Hear = Callable[[int, str], None]
"""Lane, and a code or what went wrong."""


def nobody(_: int, __: str) -> None:
    """Nobody hears it."""


def no_facts(_: Event) -> None:
    """Nobody keeps it."""


@dataclass(frozen=True, slots=True)
class Scanners:
    """All scanners; by lane what the lane hears, beside it the virtual ones and the hub."""

    by_lane: dict[int, ScannerPort] = field(default_factory=dict)
    virtual: dict[int, VirtualScanner] = field(default_factory=dict)
    real: tuple[BaseScanner, ...] = ()
    hub: ScannerHub | None = None

    def start(self, on_scan: Hear, on_trouble: Hear) -> None:
        """Start all; a code that pairs is nothing to sell, whichever scanner reads it."""
        for lane, scanner in self.by_lane.items():
            scanner.start(_taken(lane, on_scan, on_trouble), partial(on_trouble, lane))

    def adapters(self) -> tuple[BaseScanner | VirtualScanner, ...]:
        """Every adapter that there is now; discovery finds more."""
        found = self.hub.scanners() if self.hub is not None else ()
        return (*self.real, *self.virtual.values(), *found)

    def reports(self) -> tuple[DeviceReport, ...]:
        """What is known of every scanner, from memory."""
        if self.hub is not None:
            return self.hub.reports()
        return tuple(each.report() for each in self.adapters())


def build_scanners(
    settings: Settings, clock: Clock, facts: Facts, discovery: Discovery | None = None
) -> Scanners:
    """All scanners, untouched."""
    scanner, lanes = settings.scanner, settings.lane_numbers()
    if scanner.kind == "virtual":
        first = scanner.port
        virtual = {
            lane: VirtualScanner(LOOPBACK, first + lane - 1 if first else 0, clock, lane)
            for lane in lanes
        }
        return Scanners(dict(virtual), virtual)
    layout = layout_of(scanner)
    if scanner.kind == "auto":
        hub = ScannerHub(_hub_parts(settings, clock, facts, discovery))
        return Scanners({lane: LaneScanner(hub, lane) for lane in lanes}, hub=hub)
    real = {}
    for lane in lanes:
        place = Place(path_of(scanner.path, lane))
        connection: Connection = "serial" if scanner.kind == "serial" else "keyboard"
        real[lane] = _make(connection, place, layout, clock, scanner.baud)
        real[lane].name = ScannerName(f"scanner-{lane}", lane)
    return Scanners(dict(real), real=tuple(real.values()))


def _taken(lane: int, on_scan: Hear, on_trouble: Hear) -> Callable[[str], None]:
    def take(code: str) -> None:
        if is_pairing_code(code):
            on_trouble(lane, PAIRING_CODE)
        else:
            on_scan(lane, code)

    return take


def layout_of(settings: ScannerSettings) -> ScannerLayout:
    """How scanners were set up."""
    given = asdict(settings)
    names = set(ScannerLayout.__dataclass_fields__)
    return ScannerLayout(**{name: value for name, value in given.items() if name in names})


def _hub_parts(
    settings: Settings, clock: Clock, facts: Facts, discovery: Discovery | None
) -> HubParts:
    scanner, ids = settings.scanner, Ids(clock)
    layout = layout_of(scanner)
    return HubParts(
        lanes=settings.lane_numbers(),
        layout=layout,
        clock=clock,
        store=BindingStore(settings.data_dir),
        discovery=discovery or UdevDiscovery(clock),
        token=lambda: token_of(tuple(ids.jitter() for _ in range(TOKEN_LENGTH))),
        make=lambda connection, place: _make(connection, place, layout, clock, scanner.baud),
        facts=facts,
        path=scanner.path,
        is_elsewhere=lambda node: _is_elsewhere(settings, node),
    )


def _make(
    connection: Connection, place: Place | None, layout: ScannerLayout, clock: Clock, baud: int
) -> BaseScanner:
    if connection == "serial":
        return SerialScanner(place, layout, clock, baud)
    return EvdevScanner(place, layout, clock)


def _is_elsewhere(settings: Settings, node: str) -> bool:
    """Whether another kind of device is set to that node: a scale must not be read as a scanner."""
    paths = {
        path_of(value, lane)
        for name, section in asdict(settings).items()
        if isinstance(section, dict) and name != "scanner"
        for value in section.values()
        if isinstance(value, str) and value.startswith("/dev/")
        for lane in settings.lane_numbers()
    }
    return any(Path(path).resolve() == Path(node) for path in paths)
