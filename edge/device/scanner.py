"""A USB barcode scanner in keyboard mode, read from its own input device.

The device is grabbed, so that scans never arrive as key strokes in whatever field has the focus,
and opened again after it was pulled out.  evdev is imported late: only Linux has it, and training
needs no scanner.
"""

from __future__ import annotations

import errno
import fcntl
import select
import struct
import threading
import time
from collections.abc import Callable, Iterable
from typing import Protocol, cast

from edge.device.framing import Framer, ScannerLayout
from edge.device.keymap import KeyDecoder
from edge.device.ports import Connection
from edge.device.scanner_base import PASSED, BaseScanner, Place
from edge.device.supervisor import DeviceFaultError
from shared.kernel.clock import Clock

_EV_SYN, _EV_KEY = 0, 1
_SYN_REPORT, _SYN_DROPPED = 0, 3
_EVIOCSCLOCKID = 0x400445A0
_US_PER_S = 1_000_000
_WAITED_MAX_S = 600
"""Longer no key waits in the kernel for a lane that is busy."""


class KeyEvent(Protocol):
    """`struct input_event` of `linux/input.h`."""

    sec: int
    usec: int
    type: int
    code: int
    value: int


class KeySource(Protocol):
    """An open input device, as `evdev.InputDevice` is."""

    fd: int
    phys: str

    def grab(self) -> None:
        """Keep its events from everybody else; OSError when somebody has it."""

    def read(self) -> Iterable[KeyEvent]:
        """What has come; OSError when the device is gone."""

    def active_keys(self) -> list[int]:
        """Codes of the keys that are held."""

    def close(self) -> None:
        """Let it go."""


class EvdevScanner(BaseScanner):
    """ScannerPort on an input device: a `Place`, or a name that stays such as a udev link."""

    connection: Connection = "keyboard"
    kind = "evdev"

    def __init__(
        self,
        place: Place | str | None,
        layout: ScannerLayout,
        clock: Clock,
        open_source: Callable[[str], KeySource] | None = None,
    ) -> None:
        super().__init__(place, layout, clock)
        self._open_source = open_source or open_input_device

    def _listen(self, place: Place, stop: threading.Event, framer: Framer) -> None:
        source = self._open(place)
        try:
            keys = _Keys(source, self.layout, framer, has_kernel_time=_use_monotonic(source.fd))
            self._opened()
            while not self._is_over(place, stop):
                readable, _, _ = select.select([source.fd], [], [], self._wait_s())
                for event in source.read() if readable else ():
                    keys.take(event, self._heard)
                if not readable:
                    now_s = time.monotonic()
                    self._heard(framer.pause(int(now_s * 1000)), now_s)
        finally:
            source.close()

    def _open(self, place: Place) -> KeySource:
        try:
            source = self._open_source(place.path)
        except FileNotFoundError as error:
            raise DeviceFaultError("scanner.absent", is_absent=True) from error
        except OSError as error:
            is_gone = error.errno in {errno.ENODEV, errno.ENXIO}
            code = "scanner.absent" if is_gone else "scanner.not_readable"
            raise DeviceFaultError(code, is_absent=is_gone) from error
        if place.phys and source.phys and source.phys != place.phys:
            # The node is another device's by now, perhaps a keyboard's: hands off.
            source.close()
            raise DeviceFaultError("scanner.absent", is_absent=True)
        try:
            if place.is_grabbed:
                source.grab()
        except OSError as error:
            source.close()
            raise DeviceFaultError("scanner.in_use") from error
        return source

    def _probe(self, place: Place) -> str:
        """A second reader must be refused: only then do scans go nowhere else."""
        if not place.is_grabbed:
            return PASSED
        source = self._open_source(place.path)
        try:
            source.grab()
        except OSError as error:
            return PASSED if error.errno == errno.EBUSY else "scanner.not_readable"
        finally:
            source.close()
        return "scanner.silent_grab"


class _Keys:
    """The events of one opened device on their way to the framer."""

    def __init__(
        self, source: KeySource, layout: ScannerLayout, framer: Framer, *, has_kernel_time: bool
    ) -> None:
        self._source = source
        self._decoder = KeyDecoder(layout.keyboard, layout.separator_key)
        self._framer = framer
        self._has_kernel_time = has_kernel_time
        self._is_resuming = False

    def take(self, event: KeyEvent, heard: Callable[..., None]) -> None:
        """Take one event; after lost ones everything up to the next report is stale."""
        at_s, is_exact = self._time_of(event)
        at_ms = int(at_s * 1000)
        if event.type == _EV_SYN and event.code == _SYN_DROPPED:
            self._is_resuming = True
            heard(self._framer.spoil(at_ms), at_s)
        elif self._is_resuming:
            if event.type == _EV_SYN and event.code == _SYN_REPORT:
                self._is_resuming = False
                self._decoder.resume(self._source.active_keys())
        elif event.type == _EV_KEY:
            character = self._decoder.key(event.code, event.value)
            if character:
                heard(self._framer.feed(character, at_ms, is_exact=is_exact), at_s)

    def _time_of(self, event: KeyEvent) -> tuple[float, bool]:
        """When it happened, by `time.monotonic`; False where only its reading is known.

        A driver that took the clock and stamps by another one would make every code look stale.
        """
        now_s, stamped_s = time.monotonic(), event.sec + event.usec / _US_PER_S
        is_exact = self._has_kernel_time and 0 <= now_s - stamped_s <= _WAITED_MAX_S
        return (stamped_s if is_exact else now_s), is_exact


def open_input_device(path: str) -> KeySource:
    """Open `/dev/input/event...`; OSError when that is not possible."""
    from evdev import InputDevice  # noqa: PLC0415 - Linux only, see above

    return cast("KeySource", InputDevice(path))


def _use_monotonic(fd: int) -> bool:
    """Have events stamped with the clock of `time.monotonic`; False where that is refused."""
    try:
        fcntl.ioctl(fd, _EVIOCSCLOCKID, struct.pack("i", time.CLOCK_MONOTONIC))
    except OSError:
        return False
    return True
