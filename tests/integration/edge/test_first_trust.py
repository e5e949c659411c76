"""A box that knows only its claim finds head office, and nobody who stands in between."""

from __future__ import annotations

import hashlib
import os
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest

from cloud.pki.folder import CaFolder
from edge.__main__ import main
from edge.clock import SystemClock
from edge.sync.trust import first_trust
from edge.tls import https_context
from shared.kernel.errors import RefusedError, UnavailableError
from shared.wire.claim import Claim
from tests.lab.net import LOOPBACK, free_port

TOKEN = "A" * 26


def a_ca(folder: Path) -> CaFolder:
    made = CaFolder(folder, os.urandom)
    made.init("shops.example", SystemClock().now_ms())
    return made


def fingerprint(pem: str) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


class Office:
    """An HTTPS server of a chain, which tells its CA to everybody."""

    def __init__(self, ca: CaFolder, folder: Path) -> None:
        told = ca.bundle("chain").encode()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200 if self.path == "/v1/pki/chain-ca.pem" else 404)
                self.end_headers()
                self.wfile.write(told)

            def log_message(self, *_: object) -> None:
                pass

        key, pem = ca.server([LOOPBACK], SystemClock().now_ms())
        pair = folder / "pair.pem"
        pair.write_text(key + pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair)
        self._server = HTTPServer((LOOPBACK, 0), Handler)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.url = f"https://{LOOPBACK}:{self._server.server_address[1]}"

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> CaFolder:
    return a_ca(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def office(ca: CaFolder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    running = Office(ca, tmp_path_factory.mktemp("office"))
    yield running
    running.stop()


def test_the_fingerprint_of_a_claim_finds_the_chains_ca(office: Office, ca: CaFolder) -> None:
    with pytest.raises(httpx.ConnectError):
        httpx.get(office.url)
    trust = first_trust(Claim(office.url, TOKEN, fingerprint(ca.bundle("chain"))), None)
    assert trust == ca.bundle("chain")
    assert httpx.get(office.url, verify=https_context(trust)).status_code == 404


def test_who_answers_with_another_ca_is_not_believed(office: Office, tmp_path: Path) -> None:
    other = fingerprint(a_ca(tmp_path / "other").bundle("chain"))
    with pytest.raises(RefusedError, match=r"enrol\.ca"):
        first_trust(Claim(office.url, TOKEN, other), None)


def test_without_a_fingerprint_public_certificates_alone_count(tmp_path: Path) -> None:
    assert first_trust(Claim("https://hq.example", TOKEN), None) == ""
    with pytest.raises(UnavailableError, match=r"enrol\.unreachable"):
        first_trust(Claim(f"https://{LOOPBACK}:{free_port()}", TOKEN, "ab" * 32), None)
    nothing = tmp_path / "no.pem"
    nothing.write_bytes(b"\xff no certificate")
    with pytest.raises(RefusedError, match=r"enrol\.ca"):
        first_trust(Claim("https://hq.example", TOKEN), nothing)


def test_the_command_says_what_is_missing_or_wrong(
    office: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ["--data", str(tmp_path)]
    assert main(["enrol", *data, "--cloud", office.url]) == 1
    assert "--claim" in capsys.readouterr().err
    assert main(["enrol", *data, "--claim", "tillbox://claim?token=x"]) == 1
    assert "no claim as the console shows it" in capsys.readouterr().err
    claim = f"tillbox://claim?cloud={office.url}&token={TOKEN}&ca={'ab' * 32}"
    assert main(["enrol", *data, "--claim", claim]) == 1
    assert "in between" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"
