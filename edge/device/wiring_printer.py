"""The printers of a box and their drawers, as its settings name them."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from edge.device.drawer import DrawerConfig, PrinterDrawer
from edge.device.escpos_grammar import Charset
from edge.device.escpos_profile import Cut, profile_of
from edge.device.printer import AbsentPrinter, DrawerLevel, PrinterConfig, StatusPrinter
from edge.device.printer_talk import Completion, TalkConfig
from edge.device.store_printer import StorePrinter, StorePrinters
from edge.device.transport import Transport
from edge.device.transport_file import FileTransport
from edge.device.transport_network import NetworkTransport
from edge.device.transport_serial import Flow, Parity, SerialLine, SerialTransport
from edge.device.transport_usb import UsbAddress, UsbTransport
from edge.device.virtual_printer import VirtualPrinter
from edge.device.wiring_scanner import LOOPBACK
from edge.settings import PrinterSettings, Settings
from shared.kernel.clock import Clock

_SCRAP_ENDS: dict[Cut, bytes] = {
    "partial": b"\n\x1b@\x1dV\x42\x00",
    "full": b"\n\x1b@\x1dV\x41\x00",
    "none": b"\n\x1b@\x1bd\x06",
}
_COLUMN_DOTS = 12


def build_printers(settings: Settings, clock: Clock) -> StorePrinters:
    """Make the printers without touching them.

    Raises RefusedError `settings.value` when a setting names nothing known.
    """
    found = [_printer(settings, number, each, clock) for number, each in settings.printers()]
    if not found:
        port = AbsentPrinter(clock)
        drawer = PrinterDrawer(port, _drawer(settings, 1, settings.printer), clock)
        found = [StorePrinter("printer-1", port, drawer, profile=profile_of(settings.printer))]
    return StorePrinters(tuple(found))


def _printer(settings: Settings, number: int, each: PrinterSettings, clock: Clock) -> StorePrinter:
    profile, virtual = profile_of(each), None
    if each.kind == "virtual":
        own_set = cast("Charset", profile.encoding) if profile.is_wide else "gb18030"
        columns = profile.paper_dots // _COLUMN_DOTS
        virtual = VirtualPrinter(LOOPBACK, each.port, columns, own_set)
    config = PrinterConfig(
        id=f"printer-{number}",
        lane=_lane(each),
        talk=TalkConfig(cast("Completion", each.completion), each.pushes_status),
        drawer_open_level=cast("DrawerLevel", each.drawer_open_level),
        width_chars=each.width_chars,
        has_cutter=each.cut != "none",
        scrap_end=_SCRAP_ENDS[profile.cut],
    )
    port = StatusPrinter(config, _transport(each, virtual), clock)
    drawer = PrinterDrawer(port, _drawer(settings, number, each), clock)
    return StorePrinter(config.id, port, drawer, each.lanes, each.failover, profile, virtual)


def _transport(each: PrinterSettings, virtual: VirtualPrinter | None) -> Transport:
    made: dict[str, Callable[[], Transport]] = {
        "usb": lambda: UsbTransport(UsbAddress(each.vendor_id, each.product_id, each.serial)),
        "serial": lambda: SerialTransport(
            each.device,
            SerialLine(each.baud, cast("Parity", each.parity), cast("Flow", each.flow)),
        ),
        "file": lambda: FileTransport(each.device),
    }
    if each.kind in made:
        return made[each.kind]()
    if virtual is not None:
        return NetworkTransport(lambda: virtual.address, is_kept=each.pushes_status)
    return NetworkTransport(lambda: (each.host, each.port), is_kept=each.pushes_status)


def _drawer(settings: Settings, number: int, each: PrinterSettings) -> DrawerConfig:
    return DrawerConfig(
        id=f"drawer-{number}",
        lane=_lane(each),
        pin=settings.drawer.pin,
        is_realtime=each.drawer_realtime,
        left_open_s=settings.drawer.left_open_s,
    )


def _lane(each: PrinterSettings) -> int:
    """The lane that a printer belongs to; 0 when that is more than one."""
    return each.lanes[0] if len(each.lanes) == 1 else 0
