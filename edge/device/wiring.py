"""The devices of a box, as its settings name them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from edge.device.drawer import PrinterDrawer
from edge.device.ports import (
    DeviceReport,
    DrawerPort,
    PrinterPort,
    Reporting,
    ScannerPort,
)
from edge.device.virtual import VirtualPrinter, VirtualScanner
from edge.device.wiring_printer import build_printer
from edge.device.wiring_scale import Counter, build_counter
from edge.device.wiring_scanner import build_scanners
from edge.settings import Settings
from shared.kernel.clock import Clock


@dataclass(frozen=True, slots=True)
class VirtualDevices:
    """The virtual ones among the devices; `scanners` by lane, `printer` None when it is real."""

    scanners: dict[int, VirtualScanner]
    printer: VirtualPrinter | None
    counter: Counter = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Devices:
    """All devices of a box; `scanners` by lane, one printer and its drawer for all lanes."""

    scanners: dict[int, ScannerPort]
    printer: PrinterPort
    drawer: DrawerPort
    virtual: VirtualDevices | None
    reporting: tuple[Reporting, ...] = ()
    counter: Counter = field(default_factory=Counter)

    def reports(self) -> tuple[DeviceReport, ...]:
        """What is known of every device, from memory."""
        return tuple(device.report() for device in self.reporting)

    def start(self, on_scan: Callable[[int, str], None]) -> None:
        """Start everything; `on_scan` gets lane and code.

        Raises UnavailableError `device.port_in_use` for a virtual device whose port is taken.
        """
        if self.virtual is not None and self.virtual.printer is not None:
            self.virtual.printer.start()
        self.printer.start()
        self.counter.start()
        for lane, scanner in self.scanners.items():
            scanner.start(_on_lane(on_scan, lane))

    def stop(self) -> None:
        """Stop everything; safe to call twice."""
        for scanner in self.scanners.values():
            scanner.stop()
        self.counter.stop()
        self.printer.stop()
        if self.virtual is not None and self.virtual.printer is not None:
            self.virtual.printer.stop()


def build_devices(settings: Settings, clock: Clock) -> Devices:
    """Make the devices without touching them.

    Raises RefusedError `settings.value` when a setting names nothing known.
    """
    scanners, virtual_scanners = build_scanners(settings, clock)
    printer, virtual_printer = build_printer(settings.printer, clock)
    drawer = PrinterDrawer(
        printer, settings.drawer.pin, is_realtime=settings.printer.drawer_realtime
    )
    counter = build_counter(settings, clock)
    is_virtual = bool(virtual_scanners) or virtual_printer is not None or counter.is_virtual
    virtual = VirtualDevices(virtual_scanners, virtual_printer, counter) if is_virtual else None
    return Devices(scanners, printer, drawer, virtual, counter.reporting, counter)


def _on_lane(on_scan: Callable[[int, str], None], lane: int) -> Callable[[str], None]:
    return lambda code: on_scan(lane, code)
