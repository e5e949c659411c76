"""How bytes reach a printer and come back: one port, whatever the plug.

Network, serial, file and USB transports stand behind it, each in a module of its own, the only
users of python-escpos, pyserial and pyusb for printing.  python-escpos opens and sets up the
device; its text functions guess code pages and lose Chinese currency signs, so what is printed
comes ready from `edge.device.escpos`, and its writes wait for ever, so bytes are handed over here.
Importing python-escpos takes 0.3 s on a desktop, seconds on a small board, and 10 MB: it is
imported when a printer is first opened, never by a box without one.
"""

from __future__ import annotations

import errno
from typing import Any, Protocol

from tenacity.wait import wait_base

from edge.device.ports import PrinterCondition

CHUNK = 4096
"""Most bytes of one write: what is taken is counted this finely where the driver counts."""
_CODE_OF_ERRNO = {
    errno.EACCES: "printer.no_access",
    errno.EPERM: "printer.no_access",
    errno.EBUSY: "printer.in_use",
    errno.EAGAIN: "printer.in_use",
}


class LineError(Exception):
    """The line to a printer failed: `code` says how.

    `taken` bytes of what was being sent may have arrived; 0 is certain that none has.
    `is_absent` when there is nothing at the other end.
    """

    def __init__(self, code: str, *, taken: int = 0, is_absent: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.taken = taken
        self.is_absent = is_absent


class Conversation(Protocol):
    """Bytes to and from a printer that is connected; used by one thread at a time."""

    def send(self, data: bytes, stall_s: float) -> None:
        """Hand over all of `data`; raises LineError when nothing is taken for `stall_s`."""

    def receive(self, within_s: float) -> bytes:
        """What has come in; b"" when nothing does in time.  LineError when the line is gone."""

    def port_condition(self) -> PrinterCondition | None:
        """What the wires tell without a question; None where they tell nothing."""

    def close(self) -> None:
        """Let the device go, and forget what it has not taken; never raises, never waits."""


class Transport(Protocol):
    """Opens conversations with one printer.

    `address` tells a person where it is; one that `is_kept` stays open between conversations;
    `pauses` is how long to wait between two tries.
    """

    @property
    def address(self) -> str:
        """Where the printer is plugged in."""

    @property
    def is_kept(self) -> bool:
        """Whether a conversation is kept for the next job: opening would reset the printer."""

    @property
    def pauses(self) -> wait_base:
        """How long to wait between two tries to reach it."""

    def open(self) -> Conversation:
        """Begin a conversation; raises LineError."""


def take_over(printer: Any) -> Any:  # noqa: ANN401 - what python-escpos opened is untyped
    """The device that python-escpos opened, from now on ours.

    It would close it once more whenever the garbage is collected, by a number that may be another
    file's by then.
    """
    device = printer.device
    printer.device = False
    return device


def line_error(error: OSError, taken: int = 0) -> LineError:
    """The LineError for what the system said; what is merely gone is absent."""
    code = _CODE_OF_ERRNO.get(error.errno or 0, "printer.unreachable")
    return LineError(code, taken=taken, is_absent=code == "printer.unreachable")
