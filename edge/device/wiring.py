"""The devices of a box, as its settings name them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast, get_args

from edge.device.drawer import PrinterDrawer
from edge.device.escpos import Cut, Encoding, PrinterProfile
from edge.device.keymap import TERMINATORS, ScannerLayout
from edge.device.ports import DrawerPort, PrinterPort, ScannerPort
from edge.device.printer import AbsentPrinter, Completion, NetworkPrinter, NetworkPrinterConfig
from edge.device.scanner import EvdevScanner
from edge.device.virtual import VirtualPrinter, VirtualScanner
from edge.settings import PrinterSettings, ScannerSettings, Settings
from shared.kernel.clock import Clock
from shared.kernel.errors import RefusedError

_LOOPBACK = "127.0.0.1"
"""Virtual scanners ask for no password, so they listen to this machine only."""


@dataclass(frozen=True, slots=True)
class VirtualDevices:
    """The virtual ones among the devices; `scanners` by lane, `printer` None when it is real."""

    scanners: dict[int, VirtualScanner]
    printer: VirtualPrinter | None


@dataclass(frozen=True, slots=True)
class Devices:
    """All devices of a box; `scanners` by lane, one printer and its drawer for all lanes."""

    scanners: dict[int, ScannerPort]
    printer: PrinterPort
    drawer: DrawerPort
    virtual: VirtualDevices | None

    def start(self, on_scan: Callable[[int, str], None]) -> None:
        """Start everything; `on_scan` gets lane and code.

        Raises UnavailableError `device.port_in_use` for a virtual device whose port is taken.
        """
        if self.virtual is not None and self.virtual.printer is not None:
            self.virtual.printer.start()
        self.printer.start()
        for lane, scanner in self.scanners.items():
            scanner.start(_on_lane(on_scan, lane))

    def stop(self) -> None:
        """Stop everything; safe to call twice."""
        for scanner in self.scanners.values():
            scanner.stop()
        self.printer.stop()
        if self.virtual is not None and self.virtual.printer is not None:
            self.virtual.printer.stop()


def build_devices(settings: Settings, clock: Clock) -> Devices:
    """Make the devices without touching them.

    Raises RefusedError `settings.value` when a setting names nothing known.
    """
    scanners, virtual_scanners = _scanners(settings, clock)
    virtual_printer = _virtual_printer(settings.printer)
    printer = _printer(settings.printer, virtual_printer, clock)
    drawer = PrinterDrawer(
        printer, settings.drawer.pin, is_realtime=settings.printer.drawer_realtime
    )
    is_virtual = bool(virtual_scanners) or virtual_printer is not None
    virtual = VirtualDevices(virtual_scanners, virtual_printer) if is_virtual else None
    return Devices(scanners, printer, drawer, virtual)


def profile_of(settings: PrinterSettings) -> PrinterProfile:
    """How print-outs must be encoded for the configured printer."""
    encoding = _known("printer.encoding", settings.encoding, get_args(Encoding))
    cut = _known("printer.cut", settings.cut, get_args(Cut))
    return PrinterProfile(settings.width_chars, cast("Encoding", encoding), cast("Cut", cut))


def _on_lane(on_scan: Callable[[int, str], None], lane: int) -> Callable[[str], None]:
    return lambda code: on_scan(lane, code)


def _scanners(
    settings: Settings, clock: Clock
) -> tuple[dict[int, ScannerPort], dict[int, VirtualScanner]]:
    if settings.scanner.kind == "virtual":
        first = settings.scanner.port
        virtual = {
            lane: VirtualScanner(_LOOPBACK, first + lane - 1 if first else 0, clock)
            for lane in settings.lane_numbers()
        }
        return dict(virtual), virtual
    layout = _layout(settings.scanner)
    path = settings.scanner.path
    lanes = settings.lane_numbers()
    return {lane: EvdevScanner(path.format(lane=lane), layout, clock) for lane in lanes}, {}


def _layout(settings: ScannerSettings) -> ScannerLayout:
    _known("scanner.terminator", settings.terminator, tuple(TERMINATORS))
    return ScannerLayout(settings.prefix, settings.terminator)


def _virtual_printer(settings: PrinterSettings) -> VirtualPrinter | None:
    if settings.kind != "virtual":
        return None
    return VirtualPrinter(_LOOPBACK, settings.port, settings.width_chars)


def _printer(
    settings: PrinterSettings, virtual: VirtualPrinter | None, clock: Clock
) -> NetworkPrinter | AbsentPrinter:
    if settings.kind == "none":
        return AbsentPrinter(clock)
    completion = _known("printer.completion", settings.completion, get_args(Completion))
    host, port = settings.host, settings.port
    config = NetworkPrinterConfig(
        address=(lambda: virtual.address) if virtual else (lambda: (host, port)),
        completion=cast("Completion", completion),
    )
    return NetworkPrinter(config, clock)


def _known(field: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise RefusedError("settings.value", field=field, allowed=", ".join(allowed))
    return value
