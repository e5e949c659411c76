"""A box whose root becomes read only keeps what it wrote: it is copied once, wholly, never back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ansible.test_installing import program
from tests.lab.python_env import ROOT

CARRY = program(ROOT / "ansible/roles/tillbox_readonly/files/carry_over.py")
FSTAB = ROOT / "firmware-config/box/root/etc/fstab"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "var/lib/tillbox"
    folder.mkdir(parents=True)
    (folder / "identity.json").write_text("who")
    (folder / "identity.json").chmod(0o600)
    folder.chmod(0o700)
    return folder


def test_the_table_names_where_a_box_keeps_its_journal_and_its_software() -> None:
    found = {str(place): str(home) for home, place in CARRY.binds_of(FSTAB)}
    assert found["/var/lib/tillbox"] == "/data/tillbox"
    assert found["/opt/tillbox"] == "/data/releases"
    assert not found.keys() & {"/", "/data", "/tmp"}  # noqa: S108 - mounted, not bound


def test_what_was_there_comes_along_with_its_rights(place: Path, tmp_path: Path) -> None:
    home = tmp_path / "data/tillbox"
    CARRY.carry(place, home)
    assert (home / "identity.json").read_text() == "who"
    assert (home / "identity.json").stat().st_mode & 0o777 == 0o600
    assert home.stat().st_mode & 0o777 == 0o700


def test_what_the_box_wrote_since_is_never_overwritten(place: Path, tmp_path: Path) -> None:
    home = tmp_path / "data/tillbox"
    CARRY.carry(place, home)
    (home / "identity.json").write_text("who, later")
    CARRY.carry(place, home)
    assert (home / "identity.json").read_text() == "who, later"


def test_a_copy_that_was_cut_off_is_made_anew(place: Path, tmp_path: Path) -> None:
    home = tmp_path / "data/tillbox"
    home.mkdir(parents=True)
    (home / "identity.json").write_text("w")
    CARRY.carry(place, home)
    assert (home / "identity.json").read_text() == "who"


def test_a_folder_that_this_box_lacks_is_made_empty(tmp_path: Path) -> None:
    home = tmp_path / "data/system/NetworkManager"
    CARRY.carry(tmp_path / "var/lib/NetworkManager", home)
    assert [each.name for each in home.iterdir()] == [".carried"]
