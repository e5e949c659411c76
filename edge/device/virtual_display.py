"""A virtual customer display: takes the bytes of a real one over TCP, for the training page."""

from __future__ import annotations

import re
import socket
import threading

from edge.device.listener import TcpListener

_CHUNK = 4096
_WAITING_MAX = 1024
_ROWS = 2
_COMMAND = re.compile(
    rb"(?P<clear>\x1b@|\x0c)"
    rb"|\x1f\$(?P<column>.)(?P<row>.)"
    rb"|\x1bQ(?P<line>[AB])(?P<text>[^\r]*)\r"
    rb"|(?P<plain>[^\x1b\x1f\x0c\r]+)"
    rb"|(?P<other>[\s\S])",
    re.DOTALL,
)
_HALF = re.compile(rb"(?:\x1b(?:Q(?:[AB][^\r]*)?)?|\x1f(?:\$.?)?)\Z", re.DOTALL)


class VirtualDisplay:
    """Listens on `host:port` (0 picks one) and keeps what it was told to show."""

    def __init__(self, address: tuple[str, int], columns: int = 20) -> None:
        self._listener = TcpListener("virtual-display", *address, self._serve)
        self._host = address[0]
        self._columns = columns
        self._lock = threading.Lock()
        self._rows = [b""] * _ROWS
        self._at = (0, 0)
        self.unknown = 0
        """Bytes that are no command it knows."""

    @property
    def url(self) -> str:
        """Its address for a serial line; the port is known after `start`."""
        return f"socket://{self._host}:{self._listener.port}"

    def start(self) -> None:
        """Listen; raises UnavailableError `device.port_in_use`."""
        self._listener.start()

    def stop(self) -> None:
        """Stop listening; what was shown stays readable."""
        self._listener.stop()

    def hang_up(self) -> None:
        """Pull the cable out and put it in again."""
        self._listener.hang_up()

    def rows(self) -> tuple[str, ...]:
        """What stands on it."""
        with self._lock:
            return tuple(row.decode("gb18030", "replace").rstrip() for row in self._rows)

    def take(self, data: bytes) -> bytes:
        """Obey; gives back the beginning of a command that is not whole yet."""
        half = _HALF.search(data)
        end = half.start() if half else len(data)
        with self._lock:
            for found in _COMMAND.finditer(data[:end]):
                self._obey(found)
        return data[end:][:_WAITING_MAX]

    def _serve(self, connection: socket.socket) -> None:
        waiting = b""
        while chunk := connection.recv(_CHUNK):
            waiting = self.take(waiting + chunk)

    def _obey(self, found: re.Match[bytes]) -> None:
        if found["clear"]:
            self._rows, self._at = [b""] * _ROWS, (0, 0)
        elif found["column"]:
            self._at = (found["row"][0] - 1) % _ROWS, found["column"][0] - 1
        elif found["line"]:
            self._rows[found["line"] == b"B"] = found["text"][: self._columns]
        elif found["plain"]:
            row, column = self._at
            before = self._rows[row].ljust(column)[:column]
            self._rows[row] = (before + found["plain"])[: self._columns]
            self._at = row, column + len(found["plain"])
        else:
            self.unknown += 1
