"""A Debian mirror for the lab: passes on what this machine's own mirror has, and keeps packages.

The lab's hosts have no way to the internet.  Packages and indexes that are named by their hash
never change, so they are fetched once for this user; what may change is asked for each time.
"""

from __future__ import annotations

import http.client
import os
import shutil
import tempfile
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import IO

FETCH_S = 60
_LASTING = ("/pool/", "/by-hash/")


class _Relay(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = FETCH_S
    upstream = ""
    kept: Path

    def do_GET(self) -> None:
        if ".." in self.path:
            self.send_error(404)
            return
        is_lasting = any(part in self.path for part in _LASTING)
        file = self.kept / self.path.strip("/").replace("/", "_")
        if is_lasting and file.is_file():
            self._send(file)
            return
        try:
            part = self._fetch()
        except urllib.error.HTTPError as error:
            self.send_error(error.code)
            return
        except (OSError, http.client.HTTPException) as error:
            self.send_error(502, str(error))
            return
        if is_lasting:
            self._send(part.replace(file))
            return
        # Each asker has a file of its own: two hosts may look at one index at the same time.
        try:
            self._send(part)
        finally:
            part.unlink()

    def _fetch(self) -> Path:
        """A new file with the whole answer; nothing is left of half of one."""
        address = self.upstream + self.path
        with tempfile.NamedTemporaryFile(dir=self.kept, delete=False) as part:
            try:
                _copy(address, part)
            except BaseException:
                Path(part.name).unlink()
                raise
        return Path(part.name)

    def _send(self, file: Path) -> None:
        with file.open("rb") as body:
            self.send_response(200)
            self.send_header("Content-Length", str(os.fstat(body.fileno()).st_size))
            self.end_headers()
            shutil.copyfileobj(body, self.wfile)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


def _copy(address: str, part: IO[bytes]) -> None:
    with urllib.request.urlopen(address, timeout=FETCH_S) as answer:  # noqa: S310 - http mirror
        shutil.copyfileobj(answer, part)
        if answer.length:  # the line was cut, and what is kept is kept for good
            raise http.client.IncompleteRead(b"", answer.length)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A machine was switched off while it fetched; nobody reads it either."""


class Mirror:
    """The mirror on one address of this machine, from `start` to `stop`."""

    def __init__(self, upstream: str, kept: Path) -> None:
        kept.mkdir(parents=True, exist_ok=True)
        handler = type("Relay", (_Relay,), {"upstream": upstream, "kept": kept})
        self._handler = handler
        self._server: ThreadingHTTPServer | None = None

    def start(self, host: str) -> str:
        """The address that `apt` is to use, without a trailing slash."""
        self._server = _Server((host, 0), self._handler)
        Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://{host}:{self._server.server_address[1]}"

    def stop(self) -> None:
        """Answer nobody any more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
