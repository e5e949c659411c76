"""A small file that unpacks to more than any disk or memory has is stopped, and nothing stays."""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from edge.backup import unpack as unpacking
from edge.backup.unpack import unpack
from edge.seal_cipher import CIPHER
from shared.kernel.errors import CorruptError, RefusedError
from shared.wire.sealed import Sealed, SealingWriter, by_private

PRIVATE = bytes(range(32))
PUBLIC = CIPHER.public_of(PRIVATE)


def sealed(path: Path, fill: Callable[[tarfile.TarFile], object]) -> Path:
    """A sealed file as a box makes it, with a tar that a stranger filled."""
    with path.open("wb") as out:
        writer = SealingWriter(CIPHER, Sealed("box", "d", 1), [PUBLIC], bytes(64), out.write)
        with tarfile.open(mode="w|", fileobj=writer) as tar:  # type: ignore[call-overload]
            fill(tar)
        writer.close()
    return path


def member(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = size
    return info


def refused(file: Path, into: Path, code: str) -> None:
    with pytest.raises((CorruptError, RefusedError), match=code):
        unpack(file, by_private(CIPHER, PRIVATE), into)
    assert list(into.parent.glob(f"{into.name}*")) == []


def test_a_file_of_noughts_is_stopped_long_before_its_end(tmp_path: Path) -> None:
    size = 80 << 20
    file = sealed(
        tmp_path / "x.tbk",
        lambda tar: tar.addfile(member("journal.db", size), io.BytesIO(bytes(size))),
    )
    assert file.stat().st_size < 64 * 1024
    refused(file, tmp_path / "out", r"backup\.bomb")


def test_a_file_that_calls_itself_sparse_is_no_member(tmp_path: Path) -> None:
    info = member("journal.db", 0)
    info.pax_headers = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.name": "journal.db",
        "GNU.sparse.realsize": str(1 << 50),
    }
    info.size = 512
    file = sealed(
        tmp_path / "x.tbk", lambda tar: tar.addfile(info, io.BytesIO(b"0\n".ljust(512, b"\0")))
    )
    refused(file, tmp_path / "out", r"backup\.member")


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_longer_than_any_is_never_read_into_memory(tmp_path: Path, kind: bytes) -> None:
    info = member("x", 1 << 40)
    info.type = kind
    file = sealed(tmp_path / "x.tbk", lambda tar: tar.fileobj.write(info.tobuf()))  # type: ignore[union-attr]
    refused(file, tmp_path / "out", r"backup\.damaged")


def test_more_files_than_a_box_has_are_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "MEMBERS_MAX", 3)

    def fill(tar: tarfile.TarFile) -> None:
        for number in range(4):
            tar.addfile(member(f"settings/{number}", 0))

    refused(sealed(tmp_path / "x.tbk", fill), tmp_path / "out", r"backup\.bomb")


def test_a_disk_is_never_filled_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1 << 20))
    size = 20 << 20
    file = sealed(
        tmp_path / "x.tbk",
        lambda tar: tar.addfile(member("journal.db", size), io.BytesIO(bytes(size))),
    )
    refused(file, tmp_path / "out", r"backup\.no_room")
