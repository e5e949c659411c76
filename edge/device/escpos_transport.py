"""The only user of python-escpos: one conversation with a network printer at a time.

Its text functions guess code pages and lose Chinese currency signs, so only its transport is
used; what is printed comes ready from `edge.device.escpos`.  Importing python-escpos reads its
capability file (0.3 s on a desktop, seconds on a small board): import this module late.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from escpos.printer import Network


class Conversation:
    """Bytes to and from a connected printer."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def send(self, data: bytes) -> None:
        """Hand over all of `data`; raises OSError, after which some of it may have arrived."""
        self._network._raw(data)  # noqa: SLF001 - the only way past its text encoder

    def answer(self, is_wanted: Callable[[int], bool], within_s: float) -> int | None:
        """Return the first byte that `is_wanted`; None when none comes in time."""
        self._network.device.settimeout(within_s)
        try:
            while data := self._network._read():  # noqa: SLF001 - see above
                for byte in data:
                    if is_wanted(byte):
                        return int(byte)
        except TimeoutError:
            return None
        return None


@contextmanager
def conversation(host: str, port: int, timeout_s: float) -> Iterator[Conversation]:
    """Connect, converse, hang up.  Raises OSError when the printer cannot be reached.

    The socket is opened here because Network.open() leaks it when the connection is refused.
    """
    network = Network(host, port, timeout=timeout_s)
    network.device = socket.create_connection((host, port), timeout_s)
    try:
        network.device.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield Conversation(network)
    finally:
        network.close()
