"""What a machine installs: only what a trusted key signed, only by its hash, never half."""

from __future__ import annotations

import importlib.util
import os
import pwd
import subprocess
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

from tests.fakes.releases import a_wheel
from tests.lab import wheelhouse
from tests.lab.python_env import ROOT

ROLES = ROOT / "ansible" / "roles"
VERSION = "1.2.3"
ME = pwd.getpwuid(os.getuid()).pw_name


def program(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


INSTALL = program(ROLES / "tillbox_release/files/install_release.py")
PASSWORD = program(ROLES / "tillbox_broker/files/set_password.py")


@pytest.fixture(scope="module")
def keys(tmp_path_factory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("keys")
    for name in ("ours", "theirs"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(command, check=True)
    return folder / "ours", folder / "theirs"


@pytest.fixture
def work(tmp_path, keys) -> Path:
    """What the role brings to a machine: one signed wheel, and whose signature is trusted."""
    home = tmp_path / "out" / "edge"
    a_wheel(home, VERSION)
    wheelhouse.seal(home, keys[0])
    folder = tmp_path / "work"
    folder.mkdir()
    (home.with_suffix(".tar")).rename(folder / "wheels.tar")
    signer = " ".join(keys[0].with_suffix(".pub").read_text().split()[:2])
    (folder / "signers").write_text(f"release {signer}\n")
    return folder


def repacked(work: Path, **changed: bytes) -> None:
    """Exchange files of the archive on the way, as somebody on the line would."""
    folder = work / "tampered"
    folder.mkdir()
    with tarfile.open(work / "wheels.tar") as packed:
        packed.extractall(folder, filter="data")
    for name, content in changed.items():
        (folder / name.replace("__", ".")).write_bytes(content)
    with tarfile.open(work / "wheels.tar", "w") as packed:
        for path in folder.iterdir():
            packed.add(path, path.name)


def test_a_release_is_built_from_what_is_signed(work, tmp_path, monkeypatch) -> None:
    [pip] = [INSTALL.PIP_PLACE] if INSTALL.PIP_PLACE.is_dir() else [_bundled_pip()]
    monkeypatch.setattr(INSTALL, "PIP_PLACE", pip)
    assert INSTALL.main(work, tmp_path, VERSION, ME) == 0
    folder = tmp_path / "releases" / VERSION
    said = subprocess.run([folder / "bin/tillbox-edge"], capture_output=True, text=True, check=True)
    assert said.stdout == f"{VERSION}\n"
    assert len((folder / ".complete").read_text()) == 64


def _bundled_pip() -> Path:
    spec = importlib.util.find_spec("ensurepip")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "_bundled"


def test_a_list_that_was_changed_after_it_was_signed_installs_nothing(work, tmp_path) -> None:
    repacked(work, requirements__txt=b"tillbox==1.2.3 --hash=sha256:" + b"0" * 64 + b"\n")
    with pytest.raises(SystemExit):
        INSTALL.main(work, tmp_path, VERSION, ME)
    assert not (tmp_path / "releases").exists()


def test_a_strangers_signature_installs_nothing(work, tmp_path, keys) -> None:
    stranger = " ".join(keys[1].with_suffix(".pub").read_text().split()[:2])
    (work / "signers").write_text(f"release {stranger}\n")
    with pytest.raises(SystemExit):
        INSTALL.main(work, tmp_path, VERSION, ME)
    assert not (tmp_path / "releases").exists()


def test_wheels_without_a_signature_install_nothing(work, tmp_path) -> None:
    repacked(work)
    folder = work / "tampered"
    (folder / "SIGNATURE").unlink()
    with tarfile.open(work / "wheels.tar", "w") as packed:
        for path in folder.iterdir():
            packed.add(path, path.name)
    with pytest.raises(SystemExit):
        INSTALL.main(work, tmp_path, VERSION, ME)
    assert not (tmp_path / "releases").exists()


def test_wheels_of_another_version_are_not_installed_under_this_name(work, tmp_path) -> None:
    assert INSTALL.main(work, tmp_path, "9.9.9", ME) == 1
    assert not (tmp_path / "releases").exists()


def test_wheels_for_another_processor_are_named_as_that(tmp_path, monkeypatch, capsys) -> None:
    folder = tmp_path / "wheels"
    folder.mkdir()
    for tag in ("any", "manylinux2014_aarch64.manylinux_2_17_aarch64"):
        (folder / f"part-1.0-py3-none-{tag}.whl").touch()
    monkeypatch.setattr(INSTALL.platform, "machine", lambda: "aarch64")
    INSTALL.check_processor(folder)
    monkeypatch.setattr(INSTALL.platform, "machine", lambda: "x86_64")
    with pytest.raises(SystemExit):
        INSTALL.check_processor(folder)
    assert "another processor than this machine's x86_64" in capsys.readouterr().err


def test_an_archive_writes_nowhere_but_into_its_folder(tmp_path) -> None:
    evil = tmp_path / "evil"
    evil.write_text("x")
    with tarfile.open(tmp_path / "wheels.tar", "w") as packed:
        packed.add(evil, "../../escaped")
    INSTALL.unpack(tmp_path / "wheels.tar", tmp_path / "wheels")
    assert not (tmp_path.parent / "escaped").exists()
    assert (tmp_path / "wheels" / "escaped").read_text() == "x"


def test_the_brokers_password_is_written_once_and_known(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("BROKER_USER", "ingest")
    monkeypatch.setenv("BROKER_PASSWORD", "first")
    monkeypatch.setattr(PASSWORD.grp, "getgrnam", lambda _: type("", (), {"gr_gid": os.getgid()}))
    monkeypatch.setattr(PASSWORD.os, "chown", lambda *_: None)
    file = tmp_path / "internal.passwd"
    PASSWORD.main(file)
    PASSWORD.main(file)
    assert capsys.readouterr().out == "changed\n"
    kept = file.read_text()
    monkeypatch.setenv("BROKER_PASSWORD", "second")
    monkeypatch.setenv("IS_CHECK", "1")
    PASSWORD.main(file)
    assert (capsys.readouterr().out, file.read_text()) == ("changed\n", kept)
    assert "first" not in kept
    assert file.stat().st_mode & 0o777 == 0o640
