"""Runs the API: one process, uvicorn with uvloop and httptools."""

from __future__ import annotations

import errno
import socket
from typing import Any

import uvicorn
from fastapi import FastAPI

from shared.kernel.errors import RefusedError

GRACE_S = 2
"""Open event streams would hold the end for ever."""
BACKLOG = 512
PORT_MAX = 65_535


def open_socket(host: str, port: int) -> socket.socket:
    """A listening socket; RefusedError `server.port_in_use` or `server.address`."""
    if not 0 <= port <= PORT_MAX:
        because = f"a port is a number from 0 to {PORT_MAX}"
        raise RefusedError("server.address", host=host, port=port, because=because)
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return _bound(family, address)
    except OSError as error:
        code = "server.port_in_use" if error.errno == errno.EADDRINUSE else "server.address"
        raise RefusedError(code, host=host, port=port, because=str(error)) from None


def _bound(family: int, address: tuple[Any, ...]) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def server_of(app: FastAPI) -> uvicorn.Server:
    """A server for the app; `run(sockets=[...])` answers until it is told to stop."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            loop="uvloop",
            http="httptools",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
        )
    )
