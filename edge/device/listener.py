"""A small TCP server for the virtual devices: bounded connections, one thread each."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import structlog

from shared.kernel.errors import UnavailableError

_CONNECTIONS_MAX = 8
_JOIN_S = 3.0
_log = structlog.get_logger(__name__)


class TcpListener:
    """Accepts on `host:port` (0 picks a free port) and gives each connection to `serve`."""

    def __init__(
        self, name: str, host: str, port: int, serve: Callable[[socket.socket], None]
    ) -> None:
        self._name = name
        self._address = (host, port)
        self._serve = serve
        self._listening: socket.socket | None = None
        self._open: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.refused = 0

    @property
    def is_open(self) -> bool:
        """True between `start` and `stop`."""
        return self._listening is not None

    @property
    def port(self) -> int:
        """The port in use, known after `start`."""
        listening = self._listening
        return listening.getsockname()[1] if listening else self._address[1]

    def start(self) -> None:
        """Listen; raises UnavailableError `device.port_in_use` when the port is taken."""
        if self._listening is not None:
            return
        try:
            self._listening = socket.create_server(self._address, backlog=_CONNECTIONS_MAX)
        except OSError as error:
            raise UnavailableError(
                "device.port_in_use", device=self._name, port=self._address[1]
            ) from error
        self._thread = threading.Thread(
            target=self._accept, args=(self._listening,), name=f"{self._name}-accept", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and hang up on everybody; safe to call twice."""
        listening, self._listening = self._listening, None
        if listening is None:
            return
        _hang_up(listening)
        if self._thread is not None:
            self._thread.join(_JOIN_S)
        listening.close()
        self.hang_up()

    def hang_up(self) -> None:
        """End every open connection and wait for its thread."""
        with self._lock:
            connections = dict(self._open)
        for connection in connections:
            _hang_up(connection)
        for thread in connections.values():
            if thread is not threading.current_thread():
                thread.join(_JOIN_S)

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with self._lock:
                is_full = len(self._open) >= _CONNECTIONS_MAX
                if not is_full:
                    thread = threading.Thread(
                        target=self._converse, args=(connection,), name=self._name, daemon=True
                    )
                    self._open[connection] = thread
                    thread.start()
            if is_full:
                self.refused += 1
                connection.close()

    def _converse(self, connection: socket.socket) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._serve(connection)
        except OSError:
            _log.debug("device.peer_left", device=self._name)
        except Exception:  # noqa: BLE001 - one bad guest must not close the door
            _log.exception("device.connection_failed", device=self._name)
        finally:
            with self._lock:
                self._open.pop(connection, None)
            connection.close()


def _hang_up(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the other side was faster
