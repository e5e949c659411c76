"""Run a box: check the machine, take the port, start, serve until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import os
import signal
import socket
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from types import FrameType

import structlog
import uvicorn

from edge.box import Box
from edge.https.wiring import PlainPort, TillPages
from edge.journal.ballast import is_read_only
from edge.ops.heartbeat import Heartbeat
from edge.ops.systemd import READY, STOPPING, Notifier
from edge.settings import Settings
from shared.kernel.errors import RefusedError, UnavailableError

FREE_BYTES_MIN = 8 * 1024 * 1024
"""Little enough that a box whose disk became full in mid-day may be started again."""
_BACKLOG = 128
_SWITCH_INTERVAL_S = 0.001
_GRACE_S = 2
_log = structlog.get_logger("box")


class _Server(uvicorn.Server):
    """Tells the event streams to end before it waits; obeys signals of before its start."""

    def __init__(
        self, config: uvicorn.Config, box: Box, is_told_to_stop: Event, plain: PlainPort | None
    ) -> None:
        super().__init__(config)
        self._box = box
        self._plain = plain
        self._is_told_to_stop = is_told_to_stop
        self._notifier = Notifier()
        self._beat: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve; signals are this server's from here on."""
        await super().startup(sockets)
        if self._plain is not None:
            self._plain.start()
        self._beat = asyncio.create_task(Heartbeat(self._notifier).run())
        self._notifier.tell(READY)
        if self._is_told_to_stop.is_set():
            self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what is under way, then serve no more."""
        if self._beat is not None:
            self._beat.cancel()
        if self._plain is not None:
            await self._plain.stop()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal to stop came."""
        self._notifier.tell(STOPPING)
        self._box.closing.set()
        super().handle_exit(sig, frame)


def run_box(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises RetailError with what to do about it."""
    check_disk(settings.data_dir)
    ports = (settings.box.https_port,) if settings.box.https_port else ()
    # A signal may come before the server listens to them, and uvicorn raises it again once it has
    # stopped, when the box still has to be closed.
    told_to_stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told_to_stop.set())
    # The event loop must not wait the default 5 ms for a lane's thread that computes.
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    with contextlib.ExitStack() as held:
        listeners = [
            held.enter_context(contextlib.closing(take_port(settings.box.host, port)))
            for port in (*ports, settings.box.port)
        ]
        held.enter_context(disk_errors(settings.data_dir))
        box = Box(settings)
        box.start()
        try:
            _serve(box, listeners, told_to_stop)
        finally:
            box.stop()
            _log.info("stopped")


def check_disk(data_dir: Path) -> None:
    """RefusedError `box.disk_full` or `box.data_dir` before anything is touched."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        room = os.statvfs(data_dir)
    except OSError as error:
        raise RefusedError(
            "box.data_dir", path=str(data_dir), because=error.strerror or str(error)
        ) from error
    free = room.f_bavail * room.f_frsize
    if free < FREE_BYTES_MIN:
        raise _disk_full(data_dir)
    if not os.access(data_dir, os.W_OK) or is_read_only(data_dir):
        raise RefusedError("box.data_dir", path=str(data_dir), because="not writable")


def take_port(host: str, port: int) -> socket.socket:
    """Listen, or say who to ask: RefusedError `box.port_in_use`, `box.port`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        code = "box.port_in_use" if error.errno == errno.EADDRINUSE else "box.port"
        because = error.strerror or str(error)
        raise RefusedError(code, host=host, port=port, because=because) from error
    return listener


@contextlib.contextmanager
def disk_errors(data_dir: Path) -> Iterator[None]:
    """Say in one sentence what SQLite means by a full or read-only disk."""
    try:
        yield
    except sqlite3.OperationalError as error:
        full = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE}
        if getattr(error, "sqlite_errorcode", None) in full:
            raise _disk_full(data_dir) from error
        raise UnavailableError("box.data_dir", path=str(data_dir), because=str(error)) from error


def _serve(box: Box, listeners: list[socket.socket], told_to_stop: Event) -> None:
    """Serve the till on the first listener; a second one is the plain port beside HTTPS."""
    config = uvicorn.Config(
        box.app(),
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=_GRACE_S,
        timeout_keep_alive=60,
    )
    host, port = listeners[0].getsockname()[:2]
    pages = plain = None
    if len(listeners) > 1:
        pages = TillPages(box.settings, box.identity, box.time.now_ms)
        plain = pages.plain(listeners[1], port)
        pages.start()
        pages.encrypt(config)
    _log.info(
        "ready",
        url=f"{'http' if pages is None else 'https'}://{host}:{port}",
        store=box.identity.store_id,
        revision=box.replica.active_revision(),
    )
    # What was loaded by now stays: it need not be walked by each collection.
    gc.collect()
    gc.freeze()
    try:
        _Server(config, box, told_to_stop, plain).run(sockets=listeners[:1])
    finally:
        if pages is not None:
            pages.stop()


def _disk_full(data_dir: Path) -> RefusedError:
    return RefusedError(
        "box.disk_full", path=str(data_dir), needed_mb=FREE_BYTES_MIN // (1024 * 1024)
    )
