"""The till's two ports when it is served over HTTPS, from settings and identity."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import uvicorn

from edge.https.service import CertificateKeeper
from edge.https.signers import HqSigners
from edge.https.store import TillFiles
from edge.https.trust_api import trust_app
from edge.identity import Identity
from edge.settings import Settings
from edge.tls import BoxKeys
from shared.kernel.errors import RefusedError


class TillPages:
    """What a server needs to speak HTTPS; nothing happens before `start`."""

    def __init__(self, settings: Settings, identity: Identity, now_ms: Callable[[], int]) -> None:
        self._settings = settings
        self._files = TillFiles(settings.data_dir)
        own = settings.box.certificate
        self.certificate = Path(own) if own else self._files.certificate
        self.key = Path(settings.box.certificate_key or own) if own else self._files.key
        signers = HqSigners(identity, BoxKeys(settings.data_dir).https_trust)
        self._keeper = None if own else CertificateKeeper(self._files, signers, now_ms)

    def start(self) -> None:
        """Have a certificate on disk, and look after it where it is head office's."""
        if self._keeper is not None:
            self._keeper.start()

    def stop(self) -> None:
        """Look after it no more."""
        if self._keeper is not None:
            self._keeper.stop()

    def encrypt(self, config: uvicorn.Config) -> None:
        """Let a server speak HTTPS. RefusedError `box.certificate` for files that do not fit."""
        config.ssl_certfile, config.ssl_keyfile = self.certificate, str(self.key)
        try:
            config.load()
        except (OSError, ValueError) as error:  # an SSLError is an OSError
            raise RefusedError(
                "box.certificate", path=str(self.certificate), because=str(error)
            ) from error
        if self._keeper is not None:
            assert config.ssl is not None
            self._keeper.serve_with(config.ssl)

    def plain(self, listener: socket.socket, https_port: int) -> PlainPort:
        """The port without encryption, which only shows how a tablet comes to trust the box."""
        app = trust_app(self._files, self._settings.box.locale, lambda: https_port)
        return PlainPort(app, listener)


class PlainPort:
    """A second server on the event loop of the first."""

    def __init__(self, app: Callable[..., Any], listener: socket.socket) -> None:
        config = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=1,
        )
        self._server = _Quiet(config)
        self._listener = listener
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Serve; only from within the event loop."""
        self._task = asyncio.create_task(self._server.serve(sockets=[self._listener]))

    async def stop(self) -> None:
        """Serve no more."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task


class _Quiet(uvicorn.Server):
    """Signals are the first server's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield
