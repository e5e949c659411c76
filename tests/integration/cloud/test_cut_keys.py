"""Keys and certificates when the power goes at any step, and the command or the box runs again."""

from __future__ import annotations

import os
import shutil
import ssl
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from cloud.pki.authority import DAY_MS, proven_key
from cloud.pki.folder import KINDS, CaFolder
from edge.clock import SystemClock
from edge.https.store import TillFiles
from edge.tls import BoxKeys
from shared.kernel.errors import RefusedError
from tests.lab.cuts import every_cut

NOW_MS = SystemClock().now_ms()
LATER_MS = NOW_MS + 100 * DAY_MS
Verb = Callable[[CaFolder], object]


def init(ca: CaFolder) -> object:
    return ca.init("shops.example", NOW_MS)


def roll(ca: CaFolder) -> object:
    return ca.roll("device", NOW_MS)


def switch(ca: CaFolder) -> object:
    return ca.switch("device", LATER_MS)


def retire(ca: CaFolder) -> object:
    return ca.retire("device")


def is_sound(ca: CaFolder) -> bool:
    """Everybody is told of exactly the CAs that there are, and no key lies about half written."""
    told = all((ca.path / f"{kind}-ca.pem").read_text() == ca.bundle(kind) for kind in KINDS)
    keys = list(ca.path.glob("*.key")) + list(ca.path.glob(".*.key*"))
    return told and all(stat.S_IMODE(key.stat().st_mode) == 0o600 for key in keys)


@pytest.mark.parametrize(
    ("before", "verb", "done"),
    [
        ((), init, "ca.exists"),
        ((init,), roll, "ca.rolling"),
        ((init, roll), switch, "ca.no_next"),
        ((init, roll, switch), retire, "ca.no_old"),
    ],
    ids=["init", "roll", "switch", "retire"],
)
def test_a_command_on_the_cas_that_was_killed_at_any_step_is_run_again(
    tmp_path: Path, before: tuple[Verb, ...], verb: Verb, done: str
) -> None:
    start = tmp_path / "start"
    start.mkdir()
    for each in before:
        each(CaFolder(start, os.urandom))

    def begun(step: int) -> Path:
        return Path(shutil.copytree(start, tmp_path / str(step)))

    wanted = CaFolder(begun(0), os.urandom)
    verb(wanted)
    files = {path.name for path in wanted.path.iterdir()}
    cut = 0
    for folder in every_cut(begun, lambda folder: verb(CaFolder(folder, os.urandom))):
        ca = CaFolder(folder, os.urandom)
        try:
            verb(ca)
        except RefusedError as error:  # it was cut after its last word
            if error.code != done:
                raise
        assert is_sound(ca)
        assert {path.name for path in folder.iterdir() if not path.name.startswith(".d")} >= files
        assert [len(ca.authorities(kind)) for kind in KINDS] == [
            len(wanted.authorities(kind)) for kind in KINDS
        ]
        cut += 1
    assert cut > 3


def test_a_ca_whose_key_is_gone_is_not_made_anew(tmp_path: Path) -> None:
    ca = CaFolder(tmp_path, os.urandom)
    init(ca)
    (tmp_path / "device-ca.key").unlink()
    with pytest.raises(RefusedError, match=r"ca\.exists"):
        init(ca)
    (tmp_path / "chain-ca.pem").unlink()
    with pytest.raises(Exception, match=r"ca\.missing"):
        init(ca)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> CaFolder:
    made = CaFolder(tmp_path_factory.mktemp("ca"), os.urandom)
    init(made)
    return made


def answer(office: CaFolder, csr: str) -> dict[str, Any]:
    made = office.device(proven_key(csr.encode()), "d-" + "a" * 16, NOW_MS)
    return {
        "certificate": made.public_bytes(Encoding.PEM).decode(),
        "trust": office.bundle("chain"),
        "broker": {"host": "127.0.0.1", "port": 8883},
    }


def rotate(office: CaFolder, data: Path) -> None:
    """The next certificate: asked for, kept, taken by a broker."""
    keys = BoxKeys(data)
    keys.accept(answer(office, keys.request()))
    upcoming = keys.upcoming()
    assert upcoming is not None
    keys.broker_context(upcoming)
    keys.proved(upcoming)


def test_a_box_that_is_killed_at_any_step_of_a_renewal_always_has_a_way_in(
    tmp_path: Path, office: CaFolder
) -> None:
    start = tmp_path / "start"
    keys = BoxKeys(start)
    keys.accept(answer(office, keys.request()), is_first=True)

    def begun(step: int) -> Path:
        return Path(shutil.copytree(start, tmp_path / str(step)))

    first = (start / "tls" / "box.pem").read_bytes()
    for folder in every_cut(begun, lambda folder: rotate(office, folder)):
        box = BoxKeys(folder)
        ways = [each for each in (box.current(), box.upcoming()) if each is not None]
        assert ways
        for way in ways:
            box.broker_context(way)  # key and certificate are a pair
        rotate(office, folder)
        assert (box.upcoming(), box.current() is not None) == (None, True)
        assert (folder / "tls" / "box.pem").read_bytes() != first


def test_a_box_that_is_killed_while_its_till_pages_get_a_certificate_serves_with_one(
    tmp_path: Path,
) -> None:
    def begun(step: int) -> Path:
        folder = tmp_path / str(step)
        (folder / "tls").mkdir(parents=True)
        return folder

    for folder in every_cut(
        begun, lambda folder: TillFiles(folder).ready(frozenset({"localhost"}), NOW_MS)
    ):
        files = TillFiles(folder)
        files.ready(frozenset({"localhost"}), NOW_MS)
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(files.certificate, files.key)
