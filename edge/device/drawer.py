"""The cash drawer on the printer's drawer socket."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Protocol

import structlog

from edge.device.ports import DeviceReport, DrawerCapability, PrinterStatus, RawSender
from edge.device.supervisor import StateBoard
from shared.kernel.clock import Clock

PULSE_OPENS_WITHIN_MS = 10_000
"""A drawer that is still closed this long after our pulse is not opened by it any more."""
_PULSE_ON_2MS, _PULSE_OFF_2MS = 50, 50
_PULSE_100MS = 2
_log = structlog.get_logger(__name__)


def pulse(pin: int, *, is_realtime: bool = False) -> bytes:
    """Command that energises `pin` (2 or 5) for 100 or 200 ms.

    `ESC p` waits in the printer's buffer, `DLE DC4 1` is obeyed at once, even without paper, by
    printers that know it.  Only the configured pin is pulsed: the other may open another till.
    """
    connector = 1 if pin == 5 else 0  # noqa: PLR2004 - the socket's pin number is its name
    if is_realtime:
        return bytes((0x10, 0x14, 1, connector, _PULSE_100MS))
    return bytes((0x1B, 0x70, connector, _PULSE_ON_2MS, _PULSE_OFF_2MS))


class DrawerSocket(RawSender, Protocol):
    """A printer as its drawer sees it."""

    def status(self) -> PrinterStatus:
        """Answer at once with the last known status."""


@dataclass(frozen=True, slots=True)
class DrawerConfig:
    """Which drawer this is; `left_open_s` seconds are allowed to it, 0 for ever."""

    id: str = "drawer-1"
    lane: int = 0
    pin: int = 2
    is_realtime: bool = False
    left_open_s: int = 60


class PrinterDrawer:
    """DrawerPort: opens the drawer through the printer it is plugged into, and watches it.

    Where the printer tells of the switch, a drawer that stays open, or opens without a pulse of
    ours (by its key, or by force), is degraded until it is closed.  One that was never heard to be
    closed, or that nobody can see for now, is not accused of anything new.  Behind a printer that
    is away it cannot be opened but by its key.
    """

    def __init__(self, printer: DrawerSocket, config: DrawerConfig, clock: Clock) -> None:
        self._printer = printer
        self._config = config
        self.left_open_s = config.left_open_s
        """How long it may stay open from now on; 0 for ever."""
        self._clock = clock
        self._command = pulse(config.pin, is_realtime=config.is_realtime)
        self._board = StateBoard(clock)
        self._board.write("ready")
        self._lock = threading.Lock()
        self._pulsed_at_ms: int | None = None
        self._open_since_ms: int | None = None
        self._is_forced = False

    @property
    def pin(self) -> int:
        """The pin that is pulsed."""
        return self._config.pin

    def open(self) -> bool:
        """Send the pulse; False when the printer could not be reached."""
        # Before the bytes: the switch may tell of it before the sending returns.
        self._pulsed_at_ms = self._clock.mono_ms()
        is_sent = self._printer.send(self._command)
        self._board.count("pulses" if is_sent else "pulses_lost")
        if not is_sent:
            _log.warning("drawer.not_opened", drawer=self._config.id)
        return is_sent

    def is_open(self) -> bool | None:
        """What the printer's status tells of the drawer's switch."""
        return self._printer.status().is_drawer_open

    def report(self) -> DeviceReport:
        """What is known of the drawer; each call looks at its switch."""
        with self._lock:
            status = self._printer.status()
            is_open = status.is_drawer_open
            self._look(status)
            return DeviceReport(
                id=self._config.id,
                kind="drawer",
                lane=self._config.lane,
                adapter="printer",
                address=f"pin {self._config.pin}",
                capability=DrawerCapability(self._config.pin, has_switch=is_open is not None),
                state=self._board.read(),
                counters=self._board.counters(),
            )

    def self_test(self) -> str:
        """Closed, where it can be seen: "passed", or the code of what is wrong. Opens nothing."""
        state = self.report().state
        if state.state in {"degraded", "failed"} and state.last_fault is not None:
            return state.last_fault
        return "drawer.open" if self.is_open() else "passed"

    def _look(self, status: PrinterStatus) -> None:
        if status.is_drawer_open is None and self._open_since_ms is not None:
            return  # whoever unplugs the printer has not closed the drawer
        if not status.is_drawer_open:
            self._open_since_ms = None
            if status.state == "offline":
                self._board.write("failed", "drawer.no_printer")
            else:
                self._board.write("ready")
            return
        now_ms = self._clock.mono_ms()
        if self._open_since_ms is None:
            self._open_since_ms = now_ms
            self._is_forced = self._is_without_pulse(status.drawer_closed_at_ms)
            self._board.count("opened_without_pulse" if self._is_forced else "opened")
        limit_ms = self.left_open_s * 1000
        if self._is_forced:
            self._board.write("degraded", "drawer.forced")
        elif limit_ms and now_ms - self._open_since_ms >= limit_ms:
            self._board.write("degraded", "drawer.left_open")

    def _is_without_pulse(self, closed_at_ms: int | None) -> bool:
        """Whether no pulse of ours can have opened it since it was last heard to be closed."""
        if closed_at_ms is None:
            return False
        pulsed_at_ms = self._pulsed_at_ms
        return pulsed_at_ms is None or closed_at_ms - pulsed_at_ms > PULSE_OPENS_WITHIN_MS
