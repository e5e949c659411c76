"""The printers of a box, as its settings name them."""

from __future__ import annotations

from typing import cast, get_args

from edge.device.escpos_profile import profile_of
from edge.device.printer import AbsentPrinter, Completion, NetworkPrinter, NetworkPrinterConfig
from edge.device.virtual import VirtualPrinter
from edge.device.wiring_scanner import LOOPBACK
from edge.settings import PrinterSettings, one_of
from shared.kernel.clock import Clock

__all__ = ["build_printer", "profile_of"]


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
