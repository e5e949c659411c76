"""The till pages' files: a box always has something to serve with."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.https.store import TillFiles

NOW_MS = 1_795_000_000_000
NAMES = frozenset({"localhost", "192.168.7.20"})


def another_key(files: TillFiles) -> None:
    """The power went between a new key and its certificate."""
    other = TillFiles(files.key.parent / "other")
    other.ready(NAMES, NOW_MS)
    files.key.write_bytes(other.key.read_bytes())


@pytest.mark.parametrize(
    "spoil",
    [
        another_key,
        lambda files: files.key.write_bytes(b"half"),
        lambda files: files.key.unlink(),
        lambda files: files.certificate.write_bytes(b""),
    ],
)
def test_a_key_and_a_certificate_that_do_not_fit_are_made_anew(
    tmp_path: Path, spoil: Callable[[TillFiles], object]
) -> None:
    files = TillFiles(tmp_path)
    files.ready(NAMES, NOW_MS)
    spoil(files)
    files.ready(NAMES, NOW_MS)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(files.certificate, files.key)
    kept = files.certificate.read_bytes()
    files.ready(NAMES, NOW_MS)
    assert files.certificate.read_bytes() == kept
