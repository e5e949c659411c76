"""A printer on the network, by a raw TCP port (9100 on most)."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tenacity.wait import wait_base

from edge.device.supervisor import NETWORKED
from edge.device.transport import LineError, take_over
from edge.device.transport_descriptor import DescriptorConversation


@dataclass(frozen=True, slots=True)
class NetworkTransport:
    """`where` is asked before each conversation.

    Cheap printers serve a single client and forget idle ones, so that a connection is kept only
    for a printer that pushes its status.
    """

    where: Callable[[], tuple[str, int]]
    is_kept: bool = False
    connect_s: float = 2.0

    @property
    def address(self) -> str:
        """Host and port."""
        host, port = self.where()
        return f"{host}:{port}"

    @property
    def pauses(self) -> wait_base:
        """Up to a quarter of a minute."""
        return NETWORKED

    def open(self) -> DescriptorConversation:
        """Connect.  The socket is made here: Network.open() leaks it when nobody listens."""
        from escpos.printer import Network  # noqa: PLC0415 - see edge.device.transport

        host, port = self.where()
        network = Network(host, port, timeout=self.connect_s)
        try:
            network.device = socket.create_connection((host, port), self.connect_s)
            line = take_over(network)
        except (OSError, UnicodeError) as error:  # the second is what a misspelt name gives
            raise LineError("printer.unreachable", is_absent=True) from error
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.setblocking(False)  # noqa: FBT003 - the socket's own spelling
        return DescriptorConversation(line.fileno(), partial(_hang_up, line), is_stream=True)


def _hang_up(line: socket.socket) -> None:
    """In order: closed with an answer unread, the system would drop what is still on its way."""
    try:
        line.shutdown(socket.SHUT_RDWR)
    finally:
        line.close()
