"""Which servers a box takes for its broker, with its clock right and wrong."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from cloud.pki.authority import DAY_MS, SERVER_DAYS, proven_key
from cloud.pki.folder import CaFolder
from edge.clock import SystemClock
from edge.tls import BoxKeys

NAME = "hq.shops.example"
NOW_MS = SystemClock().now_ms()
LONG_AGO_MS = NOW_MS - 2 * SERVER_DAYS * DAY_MS


def a_ca(folder: Path) -> CaFolder:
    ca = CaFolder(folder, os.urandom)
    ca.init("shops.example", LONG_AGO_MS)
    return ca


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> CaFolder:
    return a_ca(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def box(ca: CaFolder, tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    keys = BoxKeys(tmp_path_factory.mktemp("box"))
    made = ca.device(proven_key(keys.request().encode()), "d-" + "a" * 16, NOW_MS)
    answer = {
        "certificate": made.public_bytes(Encoding.PEM).decode(),
        "trust": ca.bundle("chain"),
        "broker": {"host": NAME, "port": 8883},
    }
    keys.accept(answer, is_first=True)
    current = keys.current()
    assert current is not None
    return keys.broker_context(current)


def meets(client: ssl.SSLContext, ca: CaFolder, folder: Path, at_ms: int) -> str:
    """What a box says to a server with a certificate of that day; "" for welcome."""
    key, pem = ca.server([NAME], at_ms)
    (folder / "server.pem").write_text(key + pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "server.pem")
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(down, up, server_hostname=NAME)
    theirs = server.wrap_bio(up, down, server_side=True)
    for _ in range(4):
        for side in (ours, theirs):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as error:
                return error.verify_message
    return "" if ours.version() else "no end"


@pytest.mark.parametrize(
    ("at_ms", "said"),
    [
        (NOW_MS, ""),
        (NOW_MS + 240_000, ""),
        (NOW_MS - (SERVER_DAYS - 1) * DAY_MS, ""),
        (NOW_MS + DAY_MS, "certificate is not yet valid"),
        (NOW_MS - (SERVER_DAYS + 1) * DAY_MS, "certificate has expired"),
    ],
    ids=["now", "four-minutes-ahead", "last-day", "a-day-ahead", "over"],
)
def test_a_broker_is_believed_only_while_its_certificate_counts(
    box: ssl.SSLContext, ca: CaFolder, tmp_path: Path, at_ms: int, said: str
) -> None:
    assert meets(box, ca, tmp_path, at_ms) == said


def test_a_broker_of_another_chain_is_none(box: ssl.SSLContext, tmp_path: Path) -> None:
    said = meets(box, a_ca(tmp_path / "other"), tmp_path, NOW_MS)
    assert said == "self-signed certificate in certificate chain"
