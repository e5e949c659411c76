"""What the rooms see of a device: Protocols and the values that cross them.

Real adapters (`scanner`, `printer`, `drawer`) and virtual ones (`virtual`) satisfy the same ports
and are held to the same contract tests.  Constructors do nothing; `start` and `stop` do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

DeviceKind = Literal["scanner", "printer", "drawer", "scale", "display", "shelf_sensor"]
DeviceCondition = Literal["absent", "connecting", "ready", "degraded", "failed"]
PrinterCondition = Literal["ok", "paper_out", "paper_low", "cover_open", "error", "offline"]
PrintOutcome = Literal["printed", "not_printed", "unknown"]
Connection = Literal["keyboard", "serial", "virtual"]
WeightCondition = Literal["stable", "moving", "zero", "under", "over", "unknown"]

USABLE: frozenset[DeviceCondition] = frozenset({"ready", "degraded"})


@dataclass(frozen=True, slots=True)
class DeviceState:
    """How a device is, since when (UTC ms), and the code of its last fault.

    `degraded` still does its work, with something to mend: paper low, keys lost.
    """

    state: DeviceCondition
    since_ms: int
    last_fault: str | None = None


@dataclass(frozen=True, slots=True)
class ScannerCapability:
    """`has_symbology_ids`: codes arrive with AIM prefixes, so symbols are told apart."""

    connection: Connection = "keyboard"
    has_symbology_ids: bool = False


@dataclass(frozen=True, slots=True)
class PrinterCapability:
    """What a printer can do and tell; `reports_drawer`: its status has the drawer's switch."""

    width_chars: int = 48
    has_cutter: bool = True
    reports_status: bool = True
    reports_drawer: bool = False
    pushes_status: bool = False


@dataclass(frozen=True, slots=True)
class DrawerCapability:
    """`pin` of the socket it is pulsed on; `has_switch`: its being open is seen."""

    pin: int = 2
    has_switch: bool = False


@dataclass(frozen=True, slots=True)
class ScaleCapability:
    """`max_milli` is the most it weighs, `division_milli` its step; thousandths of its unit."""

    max_milli: int = 15_000
    division_milli: int = 5
    can_zero: bool = False


@dataclass(frozen=True, slots=True)
class DisplayCapability:
    """A customer display of so many half-width characters."""

    columns: int = 20
    rows: int = 2


@dataclass(frozen=True, slots=True)
class SensorCapability:
    """What a shelf sensor measures: `weight`, `temperature` or `door`."""

    measures: tuple[str, ...] = ()


Capability = (
    ScannerCapability
    | PrinterCapability
    | DrawerCapability
    | ScaleCapability
    | DisplayCapability
    | SensorCapability
)


@dataclass(frozen=True, slots=True)
class DeviceReport:
    """All that the watch, the health page and the metrics see of one device.

    `id` stays over restarts ("scanner-1", "printer-2"); `lane` is 0 for the whole store; `address`
    tells a person where it is plugged in; `counters` only grow while the box runs.
    """

    id: str
    kind: DeviceKind
    lane: int
    adapter: str
    address: str
    capability: Capability
    state: DeviceState
    counters: Mapping[str, int] = field(default_factory=dict)


class Reporting(Protocol):
    """Every adapter answers for itself, at once, from any thread, without touching the device."""

    def report(self) -> DeviceReport:
        """Tell what is known now."""


@runtime_checkable
class SelfTesting(Protocol):
    """An adapter that can try its device without a person and without paper."""

    def self_test(self) -> str:
        """Try it; "passed" or the code of a fault.  May take seconds; never raises."""


@dataclass(frozen=True, slots=True)
class PrinterStatus:
    """The printer's own word on itself, as last heard; `since_ms` is UTC ms of the last change.

    `is_drawer_open` is None where the printer does not tell.  `drawer_closed_at_ms` (monotonic) is
    when the drawer was last heard to be closed, as of the last change; None never.
    """

    state: PrinterCondition
    since_ms: int
    is_drawer_open: bool | None = None
    drawer_closed_at_ms: int | None = None

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
    """A source of codes.  Both calls run on the adapter's thread; blocking is back-pressure."""

    def start(
        self, on_scan: Callable[[str], None], on_trouble: Callable[[str], None] | None = None
    ) -> None:
        """Begin delivering each scanned code, without terminator, to `on_scan`.

        `on_trouble` gets the reason (`scanner.keys_lost`, ...) when a code was scanned and lost.
        """

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
        """Send the opening pulse on the configured pin; False when it was not handed over."""

    def is_open(self) -> bool | None:
        """Whether its switch says open, as last heard; None where nothing tells."""


class RawSender(Protocol):
    """Carries bytes to a printer outside a print job, such as the drawer pulse."""

    def send(self, data: bytes) -> bool:
        """Hand `data` over; False when the device could not be reached."""


@dataclass(frozen=True, slots=True)
class Weight:
    """One reading of a scale: `weight_milli` (thousandths of its unit) when `stable`.

    `at_ms` is the machine clock's monotonic time of the reading; `is_net` says that the scale
    has taken a tare of its own off.
    """

    condition: WeightCondition
    weight_milli: int
    at_ms: int
    is_net: bool = False


class ScalePort(Protocol):
    """A scale.  Nothing here waits for a customer's hand to leave the pan."""

    @property
    def unit(self) -> str:
        """What it weighs in: kg or lb."""

    def start(self) -> None:
        """Begin reading."""

    def stop(self) -> None:
        """Let the device go; safe to call twice."""

    def state(self) -> DeviceState:
        """Answer at once with what is known of the device."""

    def weight(self) -> Weight | None:
        """The newest reading; None when there is none that is fresh enough to trust."""

    def zero(self) -> bool:
        """Take the empty pan as zero; False when the device cannot or did not."""


@dataclass(frozen=True, slots=True)
class ShelfReading:
    """What a sensor measured at `at_ms` (machine clock, monotonic); None for what it does not."""

    at_ms: int
    grams: int | None = None
    celsius_milli: int | None = None
    is_open: bool | None = None


class ShelfSensorPort(Protocol):
    """A sensor of a shelf, a cooled place or a door; it speaks when it likes."""

    def state(self) -> DeviceState:
        """Answer at once with what is known of the device."""

    def reading(self) -> ShelfReading | None:
        """The newest values while they can be trusted; None otherwise."""


class DisplayPort(Protocol):
    """A customer display that shows a few short rows."""

    def start(self) -> None:
        """Open it, now or whenever it appears."""

    def stop(self) -> None:
        """Let it go; safe to call twice."""

    def show(self, rows: tuple[str, ...]) -> None:
        """Show these rows soon; the newest wins, never waits, never raises."""
