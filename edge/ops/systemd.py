"""Tells systemd that the box is up and alive (sd_notify), so that one that hangs is restarted.

The sign of life is given by the event loop itself: a thread would go on telling that all is well
while no till page is answered.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

READY, ALIVE, STOPPING = b"READY=1", b"WATCHDOG=1", b"STOPPING=1"
_SHARE = 3
"""A sign of life comes three times in the time that systemd waits for one."""


class Notifier:
    """Writes to the socket that systemd named; where it named none, nothing is told."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        named = os.environ if environment is None else environment
        self._address = named.get("NOTIFY_SOCKET", "")
        self.period_s = _period_s(named)

    def tell(self, what: bytes) -> bool:
        """Tell it, never waiting; False when nobody listens."""
        if not self._address:
            return False
        # A name that begins with @ stands for an abstract socket.
        address = "\0" + self._address[1:] if self._address[0] == "@" else self._address
        kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
        try:
            with socket.socket(socket.AF_UNIX, kind) as there:
                there.sendto(what, address)
        except OSError:
            return False
        return True


def _period_s(named: Mapping[str, str]) -> float | None:
    """How often to give a sign of life, None for never."""
    wanted = named.get("WATCHDOG_USEC", "")
    # It may be meant for the process that started this one.
    is_ours = named.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    if not is_ours or not wanted.isdecimal() or int(wanted) == 0:
        return None
    return int(wanted) / 1_000_000 / _SHARE
