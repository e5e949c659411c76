"""A serial line: a terminal device, or `socket://host:port` of a converter or a virtual device."""

from __future__ import annotations

import errno
import termios
from dataclasses import dataclass
from typing import Literal

import serial

from edge.device.supervisor import DeviceFaultError

Parity = Literal["none", "even", "odd"]
_PARITIES: dict[Parity, str] = {
    "none": serial.PARITY_NONE,
    "even": serial.PARITY_EVEN,
    "odd": serial.PARITY_ODD,
}
_WRITE_S = 1.0
_SOCKET = "socket://"
_FAULT_OF_ERRNO = {
    errno.EACCES: "not_readable",
    errno.EPERM: "not_readable",
    errno.EBUSY: "in_use",
    errno.EAGAIN: "in_use",
}


@dataclass(frozen=True, slots=True)
class LineConfig:
    """`path` of the device or a `socket://` address; `read_s` is how long a read waits."""

    path: str
    baud: int = 9600
    data_bits: int = 8
    parity: Parity = "none"
    read_s: float = 0.1


def open_line(config: LineConfig, kind: str) -> serial.Serial:
    """Open it, for this process alone.

    Raises DeviceFaultError `<kind>.absent`, `.not_readable` or `.in_use`; `kind` is the device's.
    """
    own = {} if config.path.startswith(_SOCKET) else {"exclusive": True}
    try:
        line = serial.serial_for_url(
            config.path,
            baudrate=config.baud,
            bytesize=config.data_bits,
            parity=_PARITIES[config.parity],
            timeout=config.read_s,
            write_timeout=_WRITE_S,
            **own,
        )
        if config.parity != "none":
            _check_parity(line)
    except termios.error as error:  # pulled out while it is opened
        raise DeviceFaultError(f"{kind}.absent", is_absent=True) from error
    except (OSError, ValueError) as error:  # SerialException is an OSError
        code = _FAULT_OF_ERRNO.get(getattr(error, "errno", None) or 0, "absent")
        raise DeviceFaultError(f"{kind}.{code}", is_absent=code == "absent") from error
    return line


def _check_parity(line: serial.SerialBase) -> None:
    """A byte with a wrong parity is read as NUL, so that no frame with it is taken."""
    descriptor = getattr(line, "fd", None)
    if descriptor is None:  # a socket carries whole bytes
        return
    settings = termios.tcgetattr(descriptor)
    settings[0] |= termios.INPCK
    settings[0] &= ~(termios.IGNPAR | termios.PARMRK)
    termios.tcsetattr(descriptor, termios.TCSANOW, settings)
