"""What every scanner of a lane does alike: be there or come back, deliver codes, tell troubles."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import structlog

from edge.device.framing import KEYS_LOST, PARTIAL, REPEATED, TYPED, Framer, Heard, ScannerLayout
from edge.device.metrics import DEVICE_FAULTS, SCAN_QUEUE_SECONDS, SCANS
from edge.device.ports import (
    USABLE,
    Connection,
    DeviceReport,
    DeviceState,
    ScannerCapability,
)
from edge.device.supervisor import DeviceFaultError, StateBoard, Supervisor
from shared.kernel.clock import Clock

LOOK_UP_S = 0.1
"""How often a silent device is left for a look at what else there is to do."""
PASSED = "passed"
NO_END = "scanner.no_end"
ENDLESS = 3
"""So many codes in a row without an end: the scanner was not told to send one."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a scanner is to be opened.

    `model` ("vendor:product", lower-case hex) and `phys` are checked once it is open, where given:
    the kernel may have given the node to a keyboard since.  `is_grabbed` False only listens.
    """

    path: str
    address: str = ""
    model: str = ""
    phys: str = ""
    is_grabbed: bool = True

    def is_told_more_of(self, other: Place) -> bool:
        """The same node as `other`, of which udev has only told more: nothing to open anew."""
        return other in {self, replace(self, phys="")}


@dataclass(frozen=True, slots=True)
class ScannerName:
    """Its id in reports and facts, and its lane; 0 while it belongs to none."""

    id: str
    lane: int = 0


class BaseScanner(ABC):
    """ScannerPort on one device; `move_to` says where it is now."""

    connection: Connection
    kind: str
    """Label of its codes in the metrics."""

    def __init__(self, place: Place | str | None, layout: ScannerLayout, clock: Clock) -> None:
        self._place = Place(place) if isinstance(place, str) else place
        self.address = "" if self._place is None else self._place.address or self._place.path
        self.layout = layout
        self.name = ScannerName(self.address)
        self._board = StateBoard(clock)
        self._supervisor = Supervisor(f"scanner {self.address}", self._work, self._board)
        self._moved = threading.Event()
        self._unended = 0
        self._pulled_out = 0
        self._opened_after = 0
        self._on_scan: Callable[[str], None] = _nobody
        self._on_trouble: Callable[[str], None] = _nobody

    def start(
        self, on_scan: Callable[[str], None], on_trouble: Callable[[str], None] | None = None
    ) -> None:
        """Open the device, now or whenever it appears, and deliver its codes."""
        self._on_scan = on_scan
        self._on_trouble = on_trouble or _nobody
        self._supervisor.start()

    def stop(self) -> None:
        """Let the device go; safe to call twice."""
        self._supervisor.stop()

    def state(self) -> DeviceState:
        """Ready while the device is open, and for key strokes grabbed."""
        return self._board.read()

    def report(self) -> DeviceReport:
        """What is known of it, from memory."""
        name = self.name
        return DeviceReport(
            id=name.id,
            kind="scanner",
            lane=name.lane,
            adapter=type(self).__name__,
            address=self.address,
            capability=ScannerCapability(self.connection, self.layout.aim),
            state=self._board.read(),
            counters=self._board.counters(),
        )

    def self_test(self) -> str:
        """Whether a code scanned now would arrive; "passed" or the code of a fault."""
        state, place = self._board.read(), self._place
        if state.state not in USABLE or place is None:
            return state.last_fault or "scanner.absent"
        try:
            return self._probe(place)
        except OSError:
            return "scanner.not_readable"

    def move_to(self, place: Place | None) -> None:
        """Say where the device is now; None when it was pulled out."""
        if place is None:
            self._pulled_out += 1
        self._place = place
        if place is not None:
            self.address = place.address or place.path
        self._moved.set()
        self._supervisor.hurry()

    def hurry(self) -> None:
        """Look for the device at once."""
        self._supervisor.hurry()

    @abstractmethod
    def _listen(self, place: Place, stop: threading.Event, framer: Framer) -> None:
        """Open the device, call `_opened`, read until `_is_over`; OSError when it is gone."""

    @abstractmethod
    def _probe(self, place: Place) -> str:
        """Try the open device from beside; OSError when that is not possible."""

    def _work(self, stop: threading.Event) -> None:
        place = self._place
        if place is None:
            self._board.write("absent", self._board.read().last_fault or "scanner.absent")
            while self._place is None and not stop.is_set():
                self._moved.wait(LOOK_UP_S)
                self._moved.clear()
            return
        framer = Framer(self._framing())
        self._opened_after = self._pulled_out
        try:
            self._listen(place, stop, framer)
        except OSError as error:
            raise DeviceFaultError("scanner.unplugged", is_absent=True) from error
        finally:
            # A code that the cable ended must not be the beginning of the next one.
            self._heard(framer.cut_off(), time.monotonic())

    def _framing(self) -> ScannerLayout:
        return self.layout

    def _opened(self) -> None:
        self._board.count("opened")
        self._board.write("ready")

    def _is_over(self, place: Place, stop: threading.Event) -> bool:
        now = self._place
        is_same = now is not None and now.is_told_more_of(place)
        return stop.is_set() or not is_same or self._pulled_out != self._opened_after

    def _wait_s(self) -> float:
        """How long to wait for the device; a pause that ends a code must be noticed in time."""
        is_by_pause = self.layout.terminator == "none"
        return min(LOOK_UP_S, self.layout.gap_ms / 4000) if is_by_pause else LOOK_UP_S

    def _heard(self, heard: Iterable[Heard], at_s: float) -> None:
        """Deliver; `at_s` is the `time.monotonic` of the event that made it, as near as known."""
        for each in heard:
            if each.trouble:
                self._troubled(each.trouble)
            else:
                self._deliver(each.code, at_s)

    def _deliver(self, code: str, at_s: float) -> None:
        SCANS.labels(self.kind).inc()
        self._board.count("scans")
        self._unended = 0
        if self._board.read().state == "degraded":
            self._board.write("ready")
        self._on_scan(code)
        SCAN_QUEUE_SECONDS.observe(max(0.0, time.monotonic() - at_s))

    def _troubled(self, trouble: str) -> None:
        self._board.count(trouble.removeprefix("scanner."))
        if trouble in {REPEATED, TYPED}:
            return
        DEVICE_FAULTS.labels(self.name.id, trouble).inc()
        _log.warning(trouble, device=self.name.id, address=self.address)
        self._unended += trouble == PARTIAL
        if trouble == KEYS_LOST:
            self._board.write("degraded", trouble)
        elif self._unended >= ENDLESS and self._board.read().state in USABLE:
            self._board.write("degraded", NO_END)
        self._on_trouble(trouble)


def _nobody(_: str) -> None:
    """Nobody listens yet."""
