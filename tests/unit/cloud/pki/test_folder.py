"""The CAs' files: whole or not there, for their owner only, replaced one after the other."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from cryptography import x509

from cloud.pki import authority
from cloud.pki.authority import DAY_MS, Revoked
from cloud.pki.folder import CaFolder, ca_of, replace_file
from cloud.settings import Settings
from shared.kernel.errors import CorruptError, RefusedError, UnavailableError

NOW_MS = 1_795_000_000_000


@pytest.fixture
def ca(tmp_path: Path) -> CaFolder:
    made = CaFolder(tmp_path / "ca", os.urandom)
    made.init("shops.example", NOW_MS)
    return made


def certificates(pem: str) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(pem.encode())


def test_keys_are_for_their_owner_and_certificates_for_all(ca: CaFolder) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in ca.path.iterdir()}
    assert {name: mode for name, mode in modes.items() if name.endswith(".key")} == {
        "device-ca.key": 0o600,
        "chain-ca.key": 0o600,
    }
    assert (modes["device-ca.pem"], modes["chain-ca.pem"]) == (0o644, 0o644)
    assert "PRIVATE" not in (ca.path / "chain-ca.pem").read_text()


def test_cas_are_never_overwritten(ca: CaFolder) -> None:
    with pytest.raises(RefusedError, match=r"ca\.exists"):
        ca.init("other.example", NOW_MS)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda key: key.unlink(), "ca.missing"),
        (lambda key: key.chmod(0o640), "ca.readable"),
        (lambda key: key.write_text("half"), "ca.damaged"),
        (
            lambda key: key.write_text(
                key.read_text().partition("-----BEGIN CERT")[0]
                + (key.parent / "chain-ca.pem").read_text()
            ),
            "ca.damaged",
        ),
    ],
)
def test_a_spoilt_key_is_told_as_what_it_is(ca: CaFolder, spoil: object, code: str) -> None:
    spoil(ca.path / "device-ca.key")  # type: ignore[operator]
    with pytest.raises((UnavailableError, RefusedError, CorruptError)) as problem:
        ca.signer("device")
    assert problem.value.code == code


def test_a_ca_is_replaced_while_both_count(ca: CaFolder) -> None:
    old = ca.signer("chain").certificate
    fresh = ca.roll("chain", NOW_MS).certificate
    assert ca.signer("chain").certificate == old
    assert certificates(ca.bundle("chain")) == [old, fresh]
    assert authority.dns_suffix_of(fresh) == "shops.example"
    with pytest.raises(RefusedError, match=r"ca\.rolling"):
        ca.roll("chain", NOW_MS)
    with pytest.raises(RefusedError, match=r"ca\.too_early") as problem:
        ca.switch("chain", NOW_MS + 89 * DAY_MS)
    assert problem.value.params["days"] == 1
    ca.switch("chain", NOW_MS + 90 * DAY_MS)
    assert certificates(ca.bundle("chain")) == [fresh, old]
    key, pem = ca.server(["10.0.0.1"], NOW_MS)
    certificates(pem)[0].verify_directly_issued_by(fresh)
    assert "PRIVATE" in key
    ca.retire("chain")
    assert certificates((ca.path / "chain-ca.pem").read_text()) == [fresh]
    with pytest.raises(RefusedError, match=r"ca\.no_old"):
        ca.retire("chain")
    with pytest.raises(RefusedError, match=r"ca\.no_next"):
        ca.switch("chain", NOW_MS)


def test_a_switch_that_was_cut_in_the_middle_goes_on(ca: CaFolder) -> None:
    fresh = ca.roll("device", NOW_MS).certificate
    (ca.path / "device-ca.key").rename(ca.path / "device-ca-old.key")
    assert ca.signer("device").certificate == fresh
    assert len(certificates(ca.bundle("device"))) == 2
    ca.switch("device", NOW_MS + 2 * DAY_MS)
    assert ca.signer("device").certificate == fresh


def test_two_workers_that_write_one_list_at_once_do_not_mix_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, fsync = tmp_path / "device.crl", os.fsync

    def meanwhile(handle: int) -> None:
        monkeypatch.setattr(os, "fsync", fsync)
        replace_file(path, "the other worker's", 0o644)
        assert path.read_text() == "the other worker's"
        fsync(handle)

    monkeypatch.setattr(os, "fsync", meanwhile)
    replace_file(path, "this worker's", 0o644)
    assert path.read_text() == "this worker's"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(tmp_path.iterdir()) == [path]


def test_every_ca_that_counts_has_a_list(ca: CaFolder) -> None:
    ca.roll("device", NOW_MS)
    lists = ca.revocation_lists([Revoked(7, NOW_MS)], NOW_MS)
    assert lists.count("BEGIN X509 CRL") == 2


def test_a_servers_certificate_is_made_only_when_it_is_due(ca: CaFolder, tmp_path: Path) -> None:
    key, pem = ca.server(["10.0.0.1", "hq.shops.example"], NOW_MS)
    files = (tmp_path / "server.pem", tmp_path / "server.key")
    files[0].write_text(pem)
    files[1].write_text(key)
    names = ["hq.shops.example", "10.0.0.1"]
    assert ca.good_until(*files, names, NOW_MS) == NOW_MS + authority.SERVER_DAYS * DAY_MS
    assert ca.good_until(*files, names, NOW_MS + 300 * DAY_MS) is None, "two thirds are over"
    assert ca.good_until(*files, [*names, "10.0.0.2"], NOW_MS) is None, "another name"
    assert ca.good_until(tmp_path / "none", files[1], names, NOW_MS) is None
    files[1].write_text(ca.server(names, NOW_MS)[0])
    assert ca.good_until(*files, names, NOW_MS) is None, "not its key"


def test_the_key_may_come_from_a_setting(ca: CaFolder, tmp_path: Path) -> None:
    pem = (ca.path / "device-ca.key").read_text()
    found = ca_of(Settings(ca_dir=str(tmp_path / "other"), ca_device_pem=pem), os.urandom)
    assert found is not None
    assert found.signer("device").certificate == ca.signer("device").certificate
    assert ca_of(Settings(), os.urandom) is None
