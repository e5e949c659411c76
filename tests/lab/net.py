"""Ports of this machine."""

from __future__ import annotations

import socket
import time

LOOPBACK = "127.0.0.1"
POLL_SECONDS = 0.02


def free_port() -> int:
    """Return a TCP port on the loopback address that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def accepts(port: int) -> bool:
    """Tell whether something listens on a loopback port."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1):
            return True
    except OSError:
        return False


def sleep_briefly() -> None:
    """Wait between two looks at a thing that is starting."""
    time.sleep(POLL_SECONDS)
