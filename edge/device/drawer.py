"""The cash drawer on the printer's drawer socket."""

from __future__ import annotations

from typing import Protocol

import structlog

from edge.device.ports import PrinterStatus, RawSender

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


class PrinterDrawer:
    """DrawerPort: opens the drawer through the printer it is plugged into."""

    def __init__(self, printer: DrawerSocket, pin: int, *, is_realtime: bool = False) -> None:
        self._printer = printer
        self._command = pulse(pin, is_realtime=is_realtime)

    def open(self) -> bool:
        """Send the pulse; False when the printer could not be reached."""
        is_sent = self._printer.send(self._command)
        if not is_sent:
            _log.warning("drawer.not_opened")
        return is_sent

    def is_open(self) -> bool | None:
        """What the printer's status tells of the drawer's switch."""
        return self._printer.status().is_drawer_open
