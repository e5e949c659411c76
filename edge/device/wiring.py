"""The devices of a box, as its settings name them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from edge.device.ports import (
    DeviceReport,
    Reporting,
    ScannerPort,
)
from edge.device.reports import Ask, Reports, self_tests_of
from edge.device.store_printer import StorePrinters
from edge.device.virtual import VirtualScanner
from edge.device.virtual_printer import VirtualPrinter
from edge.device.virtual_shelf import VirtualShelf
from edge.device.wiring_printer import build_printers
from edge.device.wiring_scale import Counter, build_counter
from edge.device.wiring_scanner import Facts, Hear, Scanners, build_scanners, no_facts, nobody
from edge.device.wiring_shelf import Shelves, build_shelves
from edge.settings import Settings
from shared.kernel.clock import Clock


@dataclass(frozen=True, slots=True)
class VirtualDevices:
    """The virtual ones among the devices; `scanners` by lane, `printers` by id."""

    scanners: dict[int, VirtualScanner]
    printers: dict[str, VirtualPrinter]
    counter: Counter = field(default_factory=Counter)
    shelf: VirtualShelf | None = None

    @property
    def is_any(self) -> bool:
        """Whether anything is virtual."""
        has_shelf = self.shelf is not None
        return bool(self.scanners or self.printers) or has_shelf or self.counter.is_virtual


@dataclass(frozen=True, slots=True)
class Devices:
    """All devices of a box; `scanners` by lane, printers with their drawers."""

    scanners: dict[int, ScannerPort]
    printers: StorePrinters
    virtual: VirtualDevices | None
    reporting: tuple[Reporting, ...] = ()
    counter: Counter = field(default_factory=Counter)
    found: Scanners = field(default_factory=Scanners)
    shelves: Shelves = field(default_factory=Shelves)
    asked: Reports = field(default_factory=Reports)

    def reports(self) -> tuple[DeviceReport, ...]:
        """What is known of every device, from memory."""
        known = (*self.reporting, *self.shelves.reporting)
        return self.asked.of((self.found.reports, *map(_asking, known)))

    def self_tests(self) -> dict[str, Callable[[], str]]:
        """By device id, the test of each adapter that has one; a test may take seconds."""
        return self_tests_of((*self.found.adapters(), *self.reporting))

    def start(self, on_scan: Hear, on_trouble: Hear = nobody) -> None:
        """Start everything; `on_scan` gets lane and code, `on_trouble` lane and what went wrong.

        Raises UnavailableError `device.port_in_use` for a virtual device whose port is taken.
        """
        self.printers.start()
        self.counter.start()
        self.shelves.start()
        self.found.start(on_scan, on_trouble)

    def stop(self) -> None:
        """Stop everything; safe to call twice."""
        for scanner in self.scanners.values():
            scanner.stop()
        self.counter.stop()
        self.shelves.stop()
        self.printers.stop()


def _asking(device: Reporting) -> Ask:
    return lambda: (device.report(),)


def build_devices(settings: Settings, clock: Clock, facts: Facts = no_facts) -> Devices:
    """Make the devices without touching them; `facts` takes what becomes of them.

    Raises RefusedError `settings.value` when a setting names nothing known.
    """
    scanners = build_scanners(settings, clock, facts)
    printers = build_printers(settings, clock)
    counter = build_counter(settings, clock)
    shelves = build_shelves(settings, clock)
    pretended = VirtualDevices(scanners.virtual, printers.virtual, counter, shelves.virtual)
    return Devices(
        scanners=scanners.by_lane,
        printers=printers,
        virtual=pretended if pretended.is_any else None,
        reporting=(*printers.reporting, *counter.reporting),
        counter=counter,
        found=scanners,
        shelves=shelves,
    )
