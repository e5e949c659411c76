"""The status strip of the till: box, cloud, printer, scanner, clock. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from edge.device.ports import USABLE, DeviceState, PrinterStatus
from edge.device.scanner_hub import UNBOUND
from shared.kernel.clock import ClockQuality


@dataclass(frozen=True, slots=True)
class CloudContact:
    """Whether the cloud is reached, since when (UTC ms), how many entries wait to be sent."""

    online: bool
    since_ms: int
    unsynced: int
    was_ever_online: bool


@dataclass(frozen=True, slots=True)
class Conditions:
    """Everything that the strip tells; `last_scan_at_ms` None before the first scan."""

    at_ms: int
    software: str
    cloud: CloudContact
    printer: PrinterStatus
    print_queue: int
    """Of this lane."""
    scanner: DeviceState | None
    last_scan_at_ms: int | None
    clock: ClockQuality
    is_training: bool
    is_secure: bool
    is_retiring: bool = False
    print_helper: str = ""
    """The printer that prints for this lane while its own cannot."""
    copies: Mapping[str, Any] = field(default_factory=dict)
    """`journal` and `copies` of the status, as the copy room tells them."""
    devices: Mapping[str, Any] = field(default_factory=dict)
    """`revision`, `troubled`, `others` and `self_test`, as the care of the devices tells them."""
    shelf: Mapping[str, int] = field(default_factory=dict)
    """Tasks of the shelf room: `tasks`, `warm`, `unseen` and `silent`."""


def status_of(conditions: Conditions) -> dict[str, Any]:
    """The Status that is pushed with every heartbeat."""
    cloud, scanner = conditions.cloud, conditions.scanner
    reached = "ok" if cloud.online else ("offline" if cloud.was_ever_online else "never")
    return {
        "t": conditions.at_ms,
        "box": {
            "state": "retiring" if conditions.is_retiring else "ok",
            "sw": conditions.software,
        },
        "cloud": {"state": reached, "since_ms": cloud.since_ms, "unsynced": cloud.unsynced},
        "printer": {
            "state": conditions.printer.state,
            "since_ms": conditions.printer.since_ms,
            "queued": conditions.print_queue,
            "helper": conditions.print_helper,
        },
        "scanner": {
            "state": _scanner_state(scanner),
            "last_at_ms": conditions.last_scan_at_ms,
        },
        "clock": {"state": "unsynced" if conditions.clock == ClockQuality.UNSYNCED else "ok"},
        "training": conditions.is_training,
        "secure": conditions.is_secure,
        "devices": dict(conditions.devices),
        "shelf": dict(conditions.shelf),
        **conditions.copies,
    }


def _scanner_state(scanner: DeviceState | None) -> str:
    """Absent, ok, or unpaired: one is plugged in, and no lane has it yet."""
    if scanner is None:
        return "absent"
    if scanner.state in USABLE:
        return "ok"
    return "unpaired" if scanner.last_fault == UNBOUND else "absent"
