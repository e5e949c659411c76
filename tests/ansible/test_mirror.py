"""The lab's mirror keeps what never changes, whole, and nothing else."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.ansible.mirror import Mirror
from tests.lab.net import LOOPBACK

PACKAGE, INDEX, CUT = "/pool/a.deb", "/dists/InRelease", "/pool/cut.deb"


class Upstream(BaseHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "9" if self.path == CUT else "4")
        self.end_headers()
        self.wfile.write(b"body")

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture
def address(tmp_path: Path, asked: list[str]) -> Iterator[str]:
    handler = type("Handler", (Upstream,), {"asked": asked})
    upstream = ThreadingHTTPServer((LOOPBACK, 0), handler)
    Thread(target=upstream.serve_forever, daemon=True).start()
    mirror = Mirror(f"http://{LOOPBACK}:{upstream.server_address[1]}", tmp_path)
    yield mirror.start(LOOPBACK)
    mirror.stop()
    upstream.shutdown()
    upstream.server_close()


def fetched(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310 - this test's own
        body: bytes = answer.read()
    return body


def test_a_package_is_fetched_once_and_an_index_each_time(address, asked, tmp_path) -> None:
    for path in (PACKAGE, INDEX, PACKAGE, INDEX):
        assert fetched(address + path) == b"body"
    assert asked == [PACKAGE, INDEX, INDEX]
    assert "pool_a.deb" in {each.name for each in tmp_path.iterdir()}


def test_a_package_whose_line_was_cut_is_not_kept(address, asked, tmp_path) -> None:
    for _ in range(2):
        with pytest.raises(urllib.error.HTTPError) as refused:
            fetched(address + CUT)
        refused.value.close()
    assert asked == [CUT, CUT]
    assert list(tmp_path.iterdir()) == []
