"""The printer's own end of the cable: takes bytes, answers questions, runs out of paper, stalls.

It knows Epson's status bytes by itself: with the box's own tables a wrong bit would never show.
"""

from __future__ import annotations

import fcntl
import os
import re
import select
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Literal, Self

from tests.hardware.inside.listening import PATIENCE_S

Condition = Literal["ok", "paper_low", "paper_out", "cover_open"]
# What is answered to DLE EOT 1, 2 and 4, and to GS r 1.
_ANSWERS: dict[Condition, dict[bytes, int]] = {
    "ok": {b"\x10\x04\x01": 0x12, b"\x10\x04\x02": 0x12, b"\x10\x04\x04": 0x12, b"\x1dr\x01": 0},
    "paper_low": {b"\x10\x04\x04": 0x1E, b"\x1dr\x01": 0x03},
    "paper_out": {b"\x10\x04\x01": 0x1A, b"\x10\x04\x02": 0x32, b"\x10\x04\x04": 0x7E},
    "cover_open": {b"\x10\x04\x01": 0x1A, b"\x10\x04\x02": 0x16},
}
_QUESTION = re.compile(rb"\x10\x04[\x01\x02\x04]|\x1dr\x01")
# The status byte of a printer port, set at the gadget (linux/usb/g_printer.h): what the kernel's
# own driver then tells on LPGETSTATUS.
SET_PORT_STATUS = 0xC0016722
PORT_OK, PORT_PAPER_OUT, PORT_ERROR = 0x18, 0x38, 0x10
_LOOK_S = 0.05
# More than the gadget keeps (ten times 8 KiB): Linux 6.1 forgets to forget a buffer that was read
# in part when the plug is pulled, and the kernel falls over it when the plug is back.
_ALL = 1 << 17


class PaperEnd:
    """Works the printer's end on a thread of its own until it is closed or the plug is out."""

    def __init__(self, open_end: Callable[[], int]) -> None:
        self._descriptor = _opened(open_end)
        self.condition: Condition = "ok"
        self.received = b""
        self.limit: int | None = None
        self._answered = 0
        self._is_closing = False
        self._thread = threading.Thread(target=self._work, name="paper end", daemon=True)
        self._thread.start()

    def stall(self, after: int) -> Self:
        """Take so many bytes more, and then nothing: a printer that hangs."""
        self.limit = len(self.received) + after
        return self

    def resume(self) -> None:
        """Take everything again."""
        self.limit = None

    def port_status(self, status: int) -> None:
        """Set the wires of the port."""
        fcntl.ioctl(self._descriptor, SET_PORT_STATUS, status)

    def close(self) -> None:
        """Let the end go; the plug comes out after this."""
        self._is_closing = True
        self._thread.join()
        os.close(self._descriptor)

    def _work(self) -> None:
        while not self._is_closing:
            if self.limit is not None and len(self.received) >= self.limit:
                time.sleep(_LOOK_S)
            elif select.select([self._descriptor], [], [], _LOOK_S)[0]:
                with suppress(OSError):  # nothing yet, a reset of the bus, or the plug is out
                    self._take()
                    continue
                time.sleep(0.01)

    def _take(self) -> None:
        self.received += os.read(self._descriptor, _ALL)
        while found := _QUESTION.search(self.received, self._answered):
            self._answered = found.end()
            answers = _ANSWERS["ok"] | _ANSWERS[self.condition]
            os.write(self._descriptor, bytes([answers[found[0]]]))


def _opened(open_end: Callable[[], int]) -> int:
    """The kernel gives the end out only once the box's side has set the device up."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return open_end()
        except OSError:
            assert time.monotonic() < deadline, "the printer was never set up"
            time.sleep(0.01)
