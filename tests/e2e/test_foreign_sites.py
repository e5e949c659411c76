"""A tablet's browser trusts the chain's CA; it is not fooled about any other site by it."""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from playwright.sync_api import Browser, Error, Page

from cloud.pki import authority
from cloud.pki.folder import CaFolder
from edge.clock import SystemClock
from tests.lab.chromium import FLAGS, executable
from tests.lab.net import LOOPBACK
from tests.lab.nss import trust

SUFFIX = "shops.example"
NOW_MS = SystemClock().now_ms()
Serve = Callable[[tuple[str, ...]], int]


class Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<p>in</p>")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> CaFolder:
    made = CaFolder(tmp_path_factory.mktemp("ca"), os.urandom)
    made.init(SUFFIX, NOW_MS)
    return made


@pytest.fixture(scope="module")
def tablet(
    browser: Browser, ca: CaFolder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Page]:
    """A browser that trusts the chain's CA, and for which every name is this machine."""
    home = tmp_path_factory.mktemp("home")
    trust(home, ca.signer("chain").certificate.public_bytes(Encoding.DER))
    opened = browser.browser_type.launch(
        executable_path=executable(),
        args=[*FLAGS, f"--host-resolver-rules=MAP * {LOOPBACK}"],
        env={**os.environ, "HOME": str(home)},
    )
    yield opened.new_page()
    opened.close()


def signed_by_a_thief(ca: CaFolder, names: tuple[str, ...], file: Path) -> Path:
    """Key and certificate for any names: made with the CA's key, without asking the product."""
    issuer, key = ca.signer("chain"), authority.new_key()
    alternatives = [
        x509.IPAddress(ip_address(name)) if name[-1].isdigit() else x509.DNSName(name)
        for name in names
    ]
    own, ours = key.public_key(), issuer.certificate
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(ours.subject)
        .public_key(own)
        .serial_number(authority.serial_of(os.urandom(20)))
        .not_valid_before(ours.not_valid_before_utc)
        .not_valid_after(ours.not_valid_before_utc + timedelta(days=authority.SERVER_DAYS))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=True)
        .sign(issuer.key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(pem + made.public_bytes(Encoding.PEM))
    return file


@pytest.fixture
def serve(ca: CaFolder, tmp_path: Path) -> Iterator[Serve]:
    """Opens a site with a certificate for some names; its port."""
    opened: list[ThreadingHTTPServer] = []

    def open_site(names: tuple[str, ...]) -> int:
        site = ThreadingHTTPServer((LOOPBACK, 0), Site)
        opened.append(site)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(signed_by_a_thief(ca, names, tmp_path / "site.pem"))
        site.socket = context.wrap_socket(site.socket, server_side=True)
        threading.Thread(target=site.serve_forever, args=(0.02,), daemon=True).start()
        return int(site.server_address[1])

    yield open_site
    for each in opened:
        each.shutdown()
        each.server_close()


@pytest.mark.parametrize(
    ("host", "names", "problem"),
    [
        (f"s17.{SUFFIX}", (f"s17.{SUFFIX}",), ""),
        (LOOPBACK, (LOOPBACK,), ""),
        ("bank.example", ("bank.example",), "ERR_CERT_INVALID"),
        (f"{SUFFIX}.evil.example", (f"{SUFFIX}.evil.example",), "ERR_CERT_INVALID"),
        ("93.184.216.34", ("93.184.216.34",), "ERR_CERT_INVALID"),
        (f"s17.{SUFFIX}", (f"s17.{SUFFIX}", "bank.example"), "ERR_CERT_INVALID"),
    ],
)
def test_the_chains_ca_vouches_for_the_chains_own_sites_alone(
    tablet: Page, serve: Serve, host: str, names: tuple[str, ...], problem: str
) -> None:
    port, told = serve(names), ""
    try:
        tablet.goto(f"https://{host}:{port}/")
    except Error as error:
        told = error.message
    assert problem in told
    assert (told == "") is (problem == "")
