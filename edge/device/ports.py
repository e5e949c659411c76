"""What the rooms see of a device: Protocols and the values that cross them.

Real adapters (`scanner`, `printer`, `drawer`) and virtual ones (`virtual`) satisfy the same ports
and are held to the same contract tests.  Constructors do nothing; `start` and `stop` do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

DeviceCondition = Literal["absent", "connecting", "ready", "degraded", "failed"]
PrinterCondition = Literal["ok", "paper_out", "paper_low", "cover_open", "offline"]
PrintOutcome = Literal["printed", "not_printed", "unknown"]


@dataclass(frozen=True, slots=True)
class DeviceState:
    """How a device is, since when (UTC ms), and the code of its last fault."""

    state: DeviceCondition
    since_ms: int
    last_fault: str | None = None


@dataclass(frozen=True, slots=True)
class PrinterStatus:
    """The printer's own word on itself, as last heard; `since_ms` is UTC ms of the last change."""

    state: PrinterCondition
    since_ms: int

    @property
    def can_print(self) -> bool:
        """True when a job sent now should come out on paper."""
        return self.state in {"ok", "paper_low"}


@dataclass(frozen=True, slots=True)
class PrintJob:
    """One print-out: `payload` is the finished ESC/POS byte string, `job_id` names it in logs."""

    job_id: str
    payload: bytes


class ScannerPort(Protocol):
    """A source of codes.  `on_scan` runs on the adapter's thread; its blocking is back-pressure."""

    def start(self, on_scan: Callable[[str], None]) -> None:
        """Begin delivering each scanned code, without terminator, to `on_scan`."""

    def stop(self) -> None:
        """Stop delivering and release the device; safe to call twice."""

    def state(self) -> DeviceState:
        """Answer at once with what is known of the device."""


class PrinterPort(Protocol):
    """A receipt printer; one job at a time, each with one of three outcomes."""

    def start(self) -> None:
        """Begin watching the printer's status."""

    def stop(self) -> None:
        """Stop watching; safe to call twice."""

    def print(self, job: PrintJob) -> PrintOutcome:
        """Print and say what is known about it; blocks until then, never raises.

        `unknown` means bytes went out and no proof of paper came back: a copy needs a person's
        eye, a blind retry could print twice.
        """

    def status(self) -> PrinterStatus:
        """Answer at once with the last known status; never talks to the device."""


class DrawerPort(Protocol):
    """A cash drawer."""

    def open(self) -> bool:
        """Send the opening pulse; False when it could not be handed over."""


class RawSender(Protocol):
    """Carries bytes to a printer outside a print job, such as the drawer pulse."""

    def send(self, data: bytes) -> bool:
        """Hand `data` over; False when the device could not be reached."""
