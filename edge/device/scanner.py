"""A USB barcode scanner read from its own input device, not from whatever field has the focus.

The device is grabbed, so that scans never arrive as key strokes elsewhere, and opened again after
it was pulled out.  evdev is imported late: only Linux has it, and training needs no scanner.
"""

from __future__ import annotations

import select
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from edge.device.keymap import KeyDecoder, ScannerLayout
from edge.device.metrics import DEVICE_FAULTS, SCANS
from edge.device.ports import DeviceState
from edge.device.supervisor import DeviceFaultError, StateBoard, Supervisor
from shared.kernel.clock import Clock

if TYPE_CHECKING:
    from evdev import InputDevice, InputEvent

_EV_SYN, _EV_KEY, _SYN_DROPPED = 0, 1, 3
_STOP_CHECK_S = 0.5
_log = structlog.get_logger(__name__)


class EvdevScanner:
    """ScannerPort on `path`, best a name that stays: `/dev/input/by-id/...` or a udev link."""

    def __init__(self, path: str, layout: ScannerLayout, clock: Clock) -> None:
        self._path = path
        self._layout = layout
        self._board = StateBoard(clock)
        self._supervisor = Supervisor(f"scanner {path}", self._read, self._board)
        self._on_scan: Callable[[str], None] | None = None

    def start(self, on_scan: Callable[[str], None]) -> None:
        """Open the device, now or whenever it appears, and deliver its codes."""
        self._on_scan = on_scan
        self._supervisor.start()

    def stop(self) -> None:
        """Let the device go."""
        self._supervisor.stop()

    def state(self) -> DeviceState:
        """Ready while the device is open and grabbed."""
        return self._board.read()

    def _read(self, stop: threading.Event) -> None:
        device = self._open()
        try:
            self._board.write("ready")
            decoder = KeyDecoder(self._layout)
            while not stop.is_set():
                readable, _, _ = select.select([device.fd], [], [], _STOP_CHECK_S)
                for event in device.read() if readable else ():
                    self._take(decoder, event)
        except OSError as error:
            raise DeviceFaultError("scanner.unplugged", is_absent=True) from error
        finally:
            device.close()

    def _open(self) -> InputDevice[str]:
        from evdev import InputDevice as OpenInputDevice  # noqa: PLC0415 - Linux only, see above

        try:
            device = OpenInputDevice(self._path)
        except FileNotFoundError as error:
            raise DeviceFaultError("scanner.absent", is_absent=True) from error
        except OSError as error:
            raise DeviceFaultError("scanner.not_readable") from error
        try:
            device.grab()
        except OSError as error:
            device.close()
            raise DeviceFaultError("scanner.in_use") from error
        return device

    def _take(self, decoder: KeyDecoder, event: InputEvent) -> None:
        if event.type == _EV_SYN and event.code == _SYN_DROPPED:
            DEVICE_FAULTS.labels("scanner", "scanner.keys_lost").inc()
            _log.warning("scanner.keys_lost", path=self._path)
            self._board.write("ready", "scanner.keys_lost")
            decoder.spoil()
        elif event.type == _EV_KEY and (code := decoder.key(event.code, event.value)):
            SCANS.labels("evdev").inc()
            if self._on_scan is not None:
                self._on_scan(code)
