"""A barcode scanner on a serial line: USB-CDC, a USB converter, or RS-232.

pyserial is imported late, as evdev is.
"""

from __future__ import annotations

import errno
import select
import termios
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edge.device.framing import Framer, Heard, ScannerLayout
from edge.device.ports import Connection
from edge.device.scanner_base import PASSED, BaseScanner, Place
from edge.device.supervisor import DeviceFaultError
from shared.kernel.clock import Clock

if TYPE_CHECKING:
    from serial import Serial

BAUD = 9600
_CHUNK = 4096
_SYS_TTY = Path("/sys/class/tty")
_LEVELS_UP = 4


class SerialScanner(BaseScanner):
    """ScannerPort on a serial port; `baud` matters on RS-232 only.

    Codes are bytes in UTF-8, or in GB 18030 where they are not.
    """

    connection: Connection = "serial"
    kind = "serial"

    def __init__(
        self, place: Place | str | None, layout: ScannerLayout, clock: Clock, baud: int = BAUD
    ) -> None:
        super().__init__(place, layout, clock)
        self._baud = baud

    def _framing(self) -> ScannerLayout:
        # Codes are cut as bytes, one character each, and decoded whole.
        given = self.layout
        return replace(
            given,
            prefix=_as_bytes(given.prefix),
            suffix=_as_bytes(given.suffix),
            separator=_as_bytes(given.separator),
        )

    def _listen(self, place: Place, stop: threading.Event, framer: Framer) -> None:
        port = self._open(place)
        try:
            self._opened()
            while not self._is_over(place, stop):
                readable, _, _ = select.select([port.fileno()], [], [], self._wait_s())
                at_s = time.monotonic()
                if readable:
                    text = port.read(_CHUNK).decode("latin-1")
                    heard = framer.feed(text, int(at_s * 1000), is_exact=False)
                else:
                    heard = framer.pause(int(at_s * 1000))
                self._heard(map(_decoded, heard), at_s)
        finally:
            port.close()

    def _open(self, place: Place) -> Serial:
        from serial import Serial as OpenSerial  # noqa: PLC0415 - not for training, see above
        from serial import SerialException  # noqa: PLC0415 - the same

        if not Path(place.path).exists():
            raise DeviceFaultError("scanner.absent", is_absent=True)
        if place.model and usb_model(place.path) not in {"", place.model}:
            raise DeviceFaultError("scanner.absent", is_absent=True)
        try:
            return OpenSerial(place.path, self._baud, timeout=0, exclusive=True)
        except termios.error as error:  # pulled out while it is opened
            raise DeviceFaultError("scanner.not_readable") from error
        except SerialException as error:
            is_taken = error.errno in {errno.EAGAIN, errno.EBUSY}
            code = "scanner.in_use" if is_taken else "scanner.not_readable"
            raise DeviceFaultError(code) from error

    def _probe(self, place: Place) -> str:
        return PASSED if Path(place.path).exists() else "scanner.absent"


def usb_model(path: str) -> str:
    """The "vendor:product" of the USB device behind a serial port; "" when there is none."""
    folder = (_SYS_TTY / Path(path).resolve().name / "device").resolve()
    for parent in (folder, *folder.parents[:_LEVELS_UP]):
        try:
            vendor = (parent / "idVendor").read_text(encoding="ascii").strip()
            return f"{vendor}:{(parent / 'idProduct').read_text(encoding='ascii').strip()}"
        except OSError:
            continue
    return ""


def _as_bytes(text: str) -> str:
    return text.encode().decode("latin-1")


def _decoded(heard: Heard) -> Heard:
    data = heard.code.encode("latin-1")
    try:
        return replace(heard, code=data.decode())
    except UnicodeDecodeError:
        return replace(heard, code=data.decode("gb18030", errors="replace"))
