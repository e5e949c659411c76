"""Whoever stands between may answer the question for the time with anything, and for ever."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from edge.clock import SystemClock
from edge.sync.ask_time import TimeKeeper
from edge.trusted_time import TrustedTime
from shared.kernel.errors import CorruptError, RetailError, UnavailableError
from tests.integration.edge.boxes import an_identity

ENOUGH = 1 << 20


class _Endless(BaseHTTPRequestHandler):
    """Answers one byte after the other, or as fast as it is read."""

    pause_s = 0.0
    sent = 0
    over = threading.Event()

    def do_POST(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(ENOUGH * 64))
        self.end_headers()
        part = b" " if self.pause_s else b" " * 4096
        with suppress(OSError):
            while type(self).sent < ENOUGH * 64 and not self.over.wait(self.pause_s):
                self.wfile.write(part)
                type(self).sent += len(part)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    made = HTTPServer(("127.0.0.1", 0), _Endless)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    _Endless.sent, _Endless.pause_s = 0, 0.0
    _Endless.over.clear()
    thread.start()
    yield made
    _Endless.over.set()
    made.shutdown()
    made.server_close()
    thread.join()


def keeper(server: HTTPServer, folder: Path) -> TimeKeeper:
    time = TrustedTime(SystemClock(), folder / "time.json")
    time.open()
    identity = replace(an_identity(), cloud_url=f"http://127.0.0.1:{server.server_port}")
    return TimeKeeper(identity, time, lambda: 0.0, bytes)


def test_an_answer_without_an_end_is_not_read_to_it(server: HTTPServer, tmp_path: Path) -> None:
    with pytest.raises(CorruptError, match=r"time\.signature"):
        keeper(server, tmp_path).ask()
    assert _Endless.sent < ENOUGH * 32


def test_an_answer_that_drips_is_given_up(
    server: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.sync.ask_time.TAKES_MAX_MS", 200)
    _Endless.pause_s = 0.02
    found: list[RetailError] = []

    def ask() -> None:
        try:
            keeper(server, tmp_path).ask()
        except RetailError as error:
            found.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(20)
    assert not asking.is_alive(), "the thread that keeps the time on disk hangs"
    assert isinstance(found[0], UnavailableError)
    assert found[0].code == "time.slow"
