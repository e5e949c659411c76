"""The printers of a box, as its settings name them."""

from __future__ import annotations

from typing import cast, get_args

from edge.device.escpos import Cut, Encoding, PrinterProfile
from edge.device.printer import AbsentPrinter, Completion, NetworkPrinter, NetworkPrinterConfig
from edge.device.virtual import VirtualPrinter
from edge.device.wiring_scanner import LOOPBACK
from edge.settings import PrinterSettings, one_of
from shared.kernel.clock import Clock


def build_printer(
    settings: PrinterSettings, clock: Clock
) -> tuple[NetworkPrinter | AbsentPrinter, VirtualPrinter | None]:
    """The printer, and the virtual one that it talks to in training.

    Raises RefusedError `settings.value` when a setting names nothing known.
    """
    virtual = None
    if settings.kind == "virtual":
        virtual = VirtualPrinter(LOOPBACK, settings.port, settings.width_chars)
    return _printer(settings, virtual, clock), virtual


def profile_of(settings: PrinterSettings) -> PrinterProfile:
    """How print-outs must be encoded for the configured printer."""
    one_of("printer.encoding", settings.encoding, get_args(Encoding))
    one_of("printer.cut", settings.cut, get_args(Cut))
    return PrinterProfile(
        settings.width_chars, cast("Encoding", settings.encoding), cast("Cut", settings.cut)
    )


def _printer(
    settings: PrinterSettings, virtual: VirtualPrinter | None, clock: Clock
) -> NetworkPrinter | AbsentPrinter:
    if settings.kind == "none":
        return AbsentPrinter(clock)
    one_of("printer.completion", settings.completion, get_args(Completion))
    host, port = settings.host, settings.port
    config = NetworkPrinterConfig(
        address=(lambda: virtual.address) if virtual else (lambda: (host, port)),
        completion=cast("Completion", settings.completion),
    )
    return NetworkPrinter(config, clock)
