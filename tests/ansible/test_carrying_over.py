"""A box whose root becomes read only keeps what it wrote: it is copied once, wholly, never back."""

from __future__ import annotations

import subprocess
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


def test_what_lies_there_already_is_put_aside_and_never_mixed(place: Path, tmp_path: Path) -> None:
    home = tmp_path / "data/tillbox"
    home.mkdir(parents=True)
    (home / "journal.db-wal").write_text("of another journal")
    CARRY.carry(place, home)
    assert [each.name for each in home.iterdir()] == ["identity.json"]
    assert (tmp_path / "data/tillbox.before-1/journal.db-wal").read_text() == "of another journal"
    CARRY.carry(place, home)
    assert (tmp_path / "data/tillbox.before-2/identity.json").exists()


def test_a_folder_that_this_box_lacks_is_made_empty(tmp_path: Path) -> None:
    home = tmp_path / "data/system/NetworkManager"
    CARRY.carry(tmp_path / "var/lib/NetworkManager", home)
    assert list(home.iterdir()) == []


def test_the_data_partition_counts_from_the_moment_that_the_table_names_it(tmp_path: Path) -> None:
    table = tmp_path / "fstab"
    table.write_text("UUID=1 / ext4 rw 0 1\n")
    assert not CARRY.is_in_force(FSTAB, table)
    CARRY.exchange(FSTAB, table)
    assert CARRY.is_in_force(FSTAB, table)
    assert table.read_text() == FSTAB.read_text()
    assert (tmp_path / "fstab.before-tillbox").read_text() == "UUID=1 / ext4 rw 0 1\n"


def test_a_move_that_fails_leaves_the_box_selling_from_its_root(
    place: Path, tmp_path: Path, monkeypatch
) -> None:
    table, ran = tmp_path / "fstab", []
    table.write_text("UUID=1 / ext4 rw 0 1\n")

    def run(*command: str) -> None:
        ran.append(command)
        if command[:2] == ("mount", "--bind") and command[2].endswith("releases"):
            raise subprocess.CalledProcessError(32, command)

    monkeypatch.setattr(CARRY, "run", run)
    shown = {str(place)}
    monkeypatch.setattr(CARRY.os.path, "ismount", lambda path: str(path) in shown)
    second = tmp_path / "opt/tillbox"
    folders = [
        (tmp_path / "data/tillbox", place, "bind"),
        (tmp_path / "data/releases", second, "bind"),
    ]
    with pytest.raises(subprocess.CalledProcessError):
        CARRY.move(folders, FSTAB, table)
    assert ran[-2:] == [("umount", "--lazy", str(place)), ("systemctl", "start", CARRY.SERVICE)]
    assert table.read_text() == "UUID=1 / ext4 rw 0 1\n"
    assert (place / "identity.json").read_text() == "who"
