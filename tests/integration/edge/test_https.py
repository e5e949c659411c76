"""The till over HTTPS: a box process, and head office's signer over real HTTP."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from cloud.pki import authority
from cloud.pki.authority import Authority
from edge.https.store import MAKESHIFT, TillFiles
from edge.https.trust_api import fingerprint
from edge.tls import FOLDER, SERVERS
from tests.integration.edge.boxes import MANAGER, MANAGER_PIN
from tests.integration.edge.running_box import RunningBox, a_running_box, until
from tests.lab.net import LOOPBACK, free_port

NAME = "343.shops.example"
SERIAL = bytes(range(1, 21))


@dataclass
class Signer:
    """Head office's endpoint with a real CA; `is_open` False answers 503."""

    root: Authority
    server: ThreadingHTTPServer
    is_open: bool = False

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.server.server_address[1]}"

    @property
    def pem(self) -> str:
        return self.root.certificate.public_bytes(Encoding.PEM).decode()

    def sign(self, asked: dict[str, object]) -> str:
        key = authority.proven_key(str(asked["csr"]).encode())
        addresses = asked["addresses"]
        assert isinstance(addresses, list)
        made = authority.server_certificate(
            self.root, key, [NAME, *addresses], authority.serial_of(SERIAL), now_ms()
        )
        return made.public_bytes(Encoding.PEM).decode()


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture(scope="module")
def signer() -> Iterator[Signer]:
    root = authority.chain_ca(
        authority.new_key(), authority.serial_of(SERIAL), now_ms(), "shops.example"
    )

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            is_asked = self.path == "/v1/device/till-certificate" and made.is_open
            answer = json.dumps({"certificate": made.sign(json.loads(body))} if is_asked else {})
            self.send_response(200 if is_asked else 503)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer.encode())

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    made = Signer(root, server)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join(10)


@dataclass
class SecureBox:
    """A box, its HTTPS port, and clients that trust it or look away."""

    box: RunningBox
    port: int
    pem: str

    def trusting(self, method: str, path: str, **more: object) -> httpx.Response:
        context = ssl.create_default_context(cadata=self.pem)
        url = f"https://{LOOPBACK}:{self.port}{path}"
        with httpx.Client(verify=context, timeout=20) as client:
            return client.request(method, url, extensions={"sni_hostname": NAME}, **more)

    def plain(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.box.url}{path}", timeout=20)

    def shown(self) -> x509.Certificate:
        pem = ssl.get_server_certificate((LOOPBACK, self.port), timeout=20)
        return x509.load_pem_x509_certificate(pem.encode())


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory, signer: Signer) -> Iterator[SecureBox]:
    port = free_port()

    def prepare(data: Path) -> None:
        settings = data / "edge.toml"
        text = settings.read_text(encoding="utf-8")
        changed = text.replace("[box]\n", f"[box]\nhttps_port = {port}\n")
        settings.write_text(changed, encoding="utf-8")
        (data / FOLDER).mkdir()
        (data / FOLDER / SERVERS).write_text(signer.pem, encoding="ascii")

    # Its plain port has no /healthz any more: the trust page says that it serves.
    folder = tmp_path_factory.mktemp("https")
    box = a_running_box(folder, prepare=prepare, health="/trust", cloud_url=signer.url)
    yield SecureBox(box, port, signer.pem)
    box.stop()


def test_a_box_serves_encrypted_before_and_after_head_office_certified_it(
    secure: SecureBox, signer: Signer
) -> None:
    """Without a restart; until then with one of its own that no tablet trusts."""
    first = secure.shown()
    assert MAKESHIFT in first.subject.rfc4514_string()
    with pytest.raises(httpx.ConnectError):
        secure.trusting("GET", "/healthz")
    signer.is_open = True
    until(lambda: secure.shown() != first, within_s=60)
    assert secure.trusting("GET", "/healthz").json()["state"] == "ok"
    key = TillFiles(secure.box.data).key
    assert key.stat().st_mode & 0o777 == 0o600
    assert first.public_key() == secure.shown().public_key()


def test_the_session_of_an_encrypted_till_never_travels_in_the_clear(secure: SecureBox) -> None:
    until(lambda: MAKESHIFT not in secure.shown().subject.rfc4514_string(), within_s=60)
    body = {"operator": MANAGER, "pin": MANAGER_PIN}
    answer = secure.trusting("POST", "/v1/lanes/1/session", json=body)
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("secure", "httponly", "samesite=strict"))


def test_another_sites_page_changes_nothing(secure: SecureBox) -> None:
    until(lambda: MAKESHIFT not in secure.shown().subject.rfc4514_string(), within_s=60)
    body = {"operator": MANAGER, "pin": MANAGER_PIN}
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        answer = secure.trusting("POST", "/v1/lanes/1/session", json=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "session.cross_site")
    own = {"Origin": f"https://{LOOPBACK}:{secure.port}", "Sec-Fetch-Site": "same-origin"}
    answer = secure.trusting("POST", "/v1/lanes/1/session", json=body, headers=own)
    assert answer.status_code == 200


def test_the_plain_port_shows_how_to_trust_the_box_and_nothing_else(
    secure: SecureBox, signer: Signer
) -> None:
    page = secure.plain("/trust?lang=en")
    assert fingerprint(signer.root.certificate).split()[0] in page.text
    assert "Android tablet" in page.text
    assert f"https://{LOOPBACK}:{secure.port}/" in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]
    given = secure.plain("/trust/tillbox-1.crt")
    assert given.headers["content-type"] == "application/x-x509-ca-cert"
    assert x509.load_der_x509_certificate(given.content) == signer.root.certificate
    assert secure.plain("/trust/tillbox-2.crt").status_code == 404
    for path in ("/", "/display/1"):
        answer = secure.plain(path)
        assert (answer.status_code, answer.headers["location"]) == (
            307,
            f"https://{LOOPBACK}:{secure.port}/",
        )
    for path in ("/v1/lanes", "/v1/items?q=a", "/healthz", "/metrics"):
        assert secure.plain(path).status_code == 404


def test_an_address_in_a_link_cannot_write_into_the_page(secure: SecureBox) -> None:
    answer = httpx.get(
        f"{secure.box.url}/trust", headers={"Host": 'x"><script>alert(1)</script>'}, timeout=20
    )
    assert "<script" not in answer.text
