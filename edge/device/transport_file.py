"""A printer at a device file: `/dev/usb/lp0`, or the name that a udev rule gave it.

The kernel's own driver for USB printers; `LPGETSTATUS` tells paper and error by the wires of the
port, also for printers that answer no question.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from dataclasses import dataclass

from tenacity.wait import wait_base

from edge.device.ports import PrinterCondition
from edge.device.supervisor import REPLUGGED
from edge.device.transport import line_error, take_over
from edge.device.transport_descriptor import DescriptorConversation

LPGETSTATUS = 0x060B
_IS_PAPER_OUT, _IS_SELECTED, _IS_FREE_OF_ERROR = 0x20, 0x10, 0x08
_STATUS_BYTES = 4


@dataclass(frozen=True, slots=True)
class FileTransport:
    """The device file at `path`."""

    path: str

    @property
    def address(self) -> str:
        """The file's path."""
        return self.path

    @property
    def is_kept(self) -> bool:
        """Closing drops what the driver still holds."""
        return True

    @property
    def pauses(self) -> wait_base:
        """Found again at once."""
        return REPLUGGED

    def open(self) -> DescriptorConversation:
        """Open it for both ways, never waiting."""
        from escpos.printer import File  # noqa: PLC0415 - see edge.device.transport

        printer = File(self.path, auto_flush=False)
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError as error:
            raise line_error(error) from error
        # Without a buffer: what it holds is what the printer has not got.
        printer.device = os.fdopen(descriptor, "r+b", buffering=0)
        return DescriptorConversation(
            descriptor, take_over(printer).close, condition=_port_condition(descriptor)
        )


def condition_of_port(status: int) -> PrinterCondition:
    """What the status byte of a printer port says."""
    if status & _IS_PAPER_OUT:
        return "paper_out"
    if not status & _IS_SELECTED:
        return "offline"
    return "ok" if status & _IS_FREE_OF_ERROR else "error"


def _port_condition(descriptor: int) -> Callable[[], PrinterCondition | None]:
    def ask() -> PrinterCondition | None:
        status = bytearray(_STATUS_BYTES)
        try:
            fcntl.ioctl(descriptor, LPGETSTATUS, status)
        except OSError:
            return None  # no printer port, or gone; reading and writing will tell
        return condition_of_port(status[0])

    return ask
