"""The scanners of a box, as its settings name them."""

from __future__ import annotations

from edge.device.keymap import TERMINATORS, ScannerLayout
from edge.device.ports import ScannerPort
from edge.device.scanner import EvdevScanner
from edge.device.virtual import VirtualScanner
from edge.settings import ScannerSettings, Settings, one_of
from shared.kernel.clock import Clock

LOOPBACK = "127.0.0.1"
"""Virtual devices ask for no password, so they listen to this machine only."""


def build_scanners(
    settings: Settings, clock: Clock
) -> tuple[dict[int, ScannerPort], dict[int, VirtualScanner]]:
    """All scanners by lane, and the virtual ones among them.

    Raises RefusedError `settings.value` when a setting names nothing known.
    """
    if settings.scanner.kind == "virtual":
        first = settings.scanner.port
        virtual = {
            lane: VirtualScanner(LOOPBACK, first + lane - 1 if first else 0, clock)
            for lane in settings.lane_numbers()
        }
        return dict(virtual), virtual
    layout = _layout(settings.scanner)
    path = settings.scanner.path
    lanes = settings.lane_numbers()
    return {lane: EvdevScanner(path.format(lane=lane), layout, clock) for lane in lanes}, {}


def _layout(settings: ScannerSettings) -> ScannerLayout:
    one_of("scanner.terminator", settings.terminator, tuple(TERMINATORS))
    return ScannerLayout(settings.prefix, settings.terminator)
