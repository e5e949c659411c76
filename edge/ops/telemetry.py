"""Tells head office how the box feels: at most once in a period, and lost ones stay lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from edge.device.ports import DeviceReport
from edge.ops.latency import Stopwatches
from edge.ops.machine import Machine
from shared.kernel.clock import Clock
from shared.wire.message import DeviceTelemetry, Telemetry, message_bytes

EVERY_S_MIN, EVERY_S_MAX, EVERY_S = 10, 3600, 60
DEVICES_MAX = 64
_ID_MAX, _WORD_MAX = 64, 40
_JOIN_S = 5.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ClockState:
    """Trust in the clock as in ClockQuality, and how far it is off (ms), None for not known."""

    quality: int
    off_ms: int | None = None


@dataclass(frozen=True, slots=True)
class TelemetryParts:
    """What is told, and how: `tell` hands a message over and says whether it could.

    `jitter` gives uniform numbers in [0, 1): boxes that start together must not speak together.
    """

    machine: Machine
    clock: Clock
    clock_state: Callable[[], ClockState]
    queue: Callable[[], int]
    reports: Callable[[], tuple[DeviceReport, ...]]
    watches: Stopwatches
    tell: Callable[[bytes], bool]
    jitter: Callable[[], float]
    certificate_days: Callable[[], int | None] = lambda: None
    extra: Callable[[], tuple[DeviceTelemetry, ...]] = tuple
    """What is no device and yet has its state, such as the settings."""


class TelemetrySender:
    """The thread that tells."""

    def __init__(self, parts: TelemetryParts) -> None:
        self._parts = parts
        self._every_s = EVERY_S
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Tell from now on, first at a random moment of the period."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="telemetry", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Tell no more."""
        self._stopping.set()
        self._wake.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(_JOIN_S)

    def every(self, seconds: int) -> None:
        """How often head office wants to hear, from now on."""
        wanted_s = min(max(seconds, EVERY_S_MIN), EVERY_S_MAX)
        if wanted_s != self._every_s:
            self._every_s = wanted_s
            self._wake.set()

    def now(self) -> Telemetry:
        """How the box feels; takes the latencies of the period with it."""
        parts, machine = self._parts, self._parts.machine
        free_mb, size_mb = machine.disk_mb()
        clock, scans, sync = parts.clock_state(), parts.watches.scans, parts.watches.sync
        scanned, synced = scans.take(), sync.take()
        return Telemetry(
            t=parts.clock.now_ms(),
            uptime_s=machine.uptime_s(),
            disk_free_mb=free_mb,
            disk_size_mb=size_mb,
            clk=clock.quality,
            queue=parts.queue(),
            wear_percent=machine.wear_percent(),
            temperature_mc=machine.temperature_mc(),
            is_undervolted=machine.is_undervolted(),
            clock_off_ms=clock.off_ms,
            memory_mb=machine.memory_mb(),
            load_milli=machine.load_milli(),
            certificate_days=parts.certificate_days(),
            scan_p50_ms=scanned.p50_ms,
            scan_p99_ms=scanned.p99_ms,
            sync_p50_ms=synced.p50_ms,
            sync_p99_ms=synced.p99_ms,
            scans=scanned.count,
            devices=(*map(_device, parts.reports()), *parts.extra())[-DEVICES_MAX:],
        )

    def send(self) -> bool:
        """Tell once; False while there is no line."""
        return self._parts.tell(message_bytes(self.now()))

    def _run(self) -> None:
        wait_s = self._every_s * self._parts.jitter()
        while not self._stopping.is_set():
            if self._wake.wait(wait_s):  # another period: all boxes hear of it at once
                self._wake.clear()
                wait_s = self._every_s * self._parts.jitter()
                continue
            try:
                self.send()
            except Exception:  # noqa: BLE001 - outermost loop: a broken gauge must not end it
                _log.exception("telemetry.failed")
            wait_s = self._every_s


def _device(report: DeviceReport) -> DeviceTelemetry:
    state = report.state
    fault = None if state.last_fault is None else state.last_fault[:_WORD_MAX]
    return DeviceTelemetry(report.id[:_ID_MAX], report.kind[:_WORD_MAX], state.state, fault)
