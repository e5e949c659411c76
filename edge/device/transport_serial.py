"""A printer on a serial line, or on a USB cable that shows itself as one (CDC-ACM, FTDI)."""

from __future__ import annotations

import errno
import termios
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from tenacity.wait import wait_base

from edge.device.supervisor import REPLUGGED
from edge.device.transport import LineError, line_error, take_over
from edge.device.transport_descriptor import DescriptorConversation

Flow = Literal["none", "rts", "dsr", "xon"]
Parity = Literal["none", "even", "odd"]
_CLOSE_S = 0.2


@dataclass(frozen=True, slots=True)
class SerialLine:
    """What is set on the printer's switches; `flow` is how it says that its buffer is full."""

    baud: int = 9600
    parity: Parity = "none"
    flow: Flow = "none"


@dataclass(frozen=True, slots=True)
class SerialTransport:
    """The terminal device at `path`, open for this process alone; opening may reset a printer."""

    path: str
    line: SerialLine = SerialLine()

    @property
    def address(self) -> str:
        """The device's path."""
        return self.path

    @property
    def is_kept(self) -> bool:
        """Always."""
        return True

    @property
    def pauses(self) -> wait_base:
        """Found again at once."""
        return REPLUGGED

    def open(self) -> DescriptorConversation:
        """Open the line and set it up."""
        from escpos.exceptions import DeviceNotFoundError  # noqa: PLC0415 - see edge.device.transport
        from escpos.printer import Serial  # noqa: PLC0415

        line = self.line
        printer = Serial(
            self.path,
            line.baud,
            timeout=0,
            parity=line.parity[0].upper(),
            xonxoff=line.flow == "xon",
            dsrdtr=line.flow == "dsr",
        )
        try:
            printer.open()
            device = take_over(printer)
            device.rtscts = line.flow == "rts"
            device.exclusive = True
        except DeviceNotFoundError as error:
            raise _not_opened(error.__context__) from error
        except (OSError, termios.error) as error:  # SerialException is the first
            raise _not_opened(error) from error
        return DescriptorConversation(device.fileno(), _letting_go(device), _counting(device))


def _not_opened(cause: object) -> LineError:
    number = getattr(cause, "errno", None)
    if "lock" in str(cause):  # pyserial tells it in words only
        number = errno.EBUSY
    return line_error(OSError(number or errno.ENODEV, str(cause)))


def _letting_go(device: Any) -> Callable[[], None]:  # noqa: ANN401 - what python-escpos opened
    def let_go() -> None:
        with suppress(OSError, termios.error):
            device.reset_output_buffer()
        with suppress(OSError, termios.error):
            device.close()

    def begin() -> None:
        # Some drivers wait half a minute for a stalled printer to take the rest.  Until it is
        # closed, nobody can open the line: it is in use.
        thread = threading.Thread(target=let_go, name="printer-close", daemon=True)
        thread.start()
        thread.join(_CLOSE_S)

    return begin


def _counting(device: Any) -> Callable[[], int]:  # noqa: ANN401 - see above
    return lambda: int(device.out_waiting)
