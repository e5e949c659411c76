"""Copies of what is published, and head office's keys beside the base backup."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloud.archive.objects import FileObjects
from cloud.archive.stash import FileStash, writing
from cloud.backup.base import bring_back_keys, seal_keys
from cloud.backup.names import Base, object_name
from cloud.backup.objects import bring_back, copies_of, copy_objects, open_copy
from cloud.backup.sealed_files import Vault
from cloud.recovery.object_drill import damaged_copies
from cloud.seal_cipher import CIPHER
from shared.kernel.canonical import sha256
from shared.kernel.errors import CorruptError, MissingError
from shared.wire.sealed import writer_key
from tests.lab.cloud_api import SettableClock

PRIVATE = bytes(range(32))
PROOFS = ((CIPHER.public_of(PRIVATE), writer_key(PRIVATE)),)
DAY_MS = 86_400_000


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(1_790_000_000_000)


@pytest.fixture
def vault(tmp_path: Path, clock: SettableClock) -> Vault:
    return Vault(FileStash(tmp_path / "stash"), PROOFS, clock)


@pytest.fixture
def objects(tmp_path: Path) -> FileObjects:
    return FileObjects(tmp_path / "objects")


def test_each_object_is_copied_once_sealed_and_comes_back(
    vault: Vault, objects: FileObjects
) -> None:
    names = {objects.put(data) for data in (b"prices", b"a picture", b"")}
    told = copy_objects(vault, objects, DAY_MS)
    assert (told.objects, told.bytes, told.deleted, told.damaged) == (3, 15, 0, [])
    assert copies_of(vault) == names
    assert copy_objects(vault, objects, DAY_MS).objects == 0
    assert b"prices" not in b"".join(vault.stash.chunks(object_name(sha256(b"prices").hex())))
    for name in names:
        objects.delete(name)
    assert bring_back(vault, PRIVATE, objects) == 3
    assert set(objects.names()) == names
    assert bring_back(vault, PRIVATE, objects) == 0


def test_an_object_that_has_gone_bad_gets_no_copy_and_is_told(
    vault: Vault, objects: FileObjects
) -> None:
    name = objects.put(b"prices")
    path = objects.path(name)
    assert path is not None
    path.write_bytes(b"praces")
    assert copy_objects(vault, objects, DAY_MS).damaged == [name]
    assert copies_of(vault) == set()


def test_a_copy_of_another_object_or_a_forged_one_never_comes_back(
    vault: Vault, objects: FileObjects
) -> None:
    one, other = objects.put(b"prices"), objects.put(b"all free")
    copy_objects(vault, objects, DAY_MS)
    swap = b"".join(vault.stash.chunks(object_name(other)))
    with writing(vault.stash, object_name(one)) as write:
        write(swap)
    with pytest.raises(CorruptError, match=r"backup\.swapped"):
        open_copy(vault, PRIVATE, one)
    with vault.sealing(object_name(one), "object") as (writer, _):
        writer.write(b"made by head office, of other bytes")
    with pytest.raises(CorruptError, match=r"backup\.swapped"):
        open_copy(vault, PRIVATE, one)
    objects.delete(one)
    with pytest.raises(CorruptError, match=r"backup\.swapped"):
        bring_back(vault, PRIVATE, objects)
    assert damaged_copies(vault, PRIVATE, {one, other}, 0) == [(one, "backup.swapped")]
    with pytest.raises(MissingError, match=r"backup\.missing"):
        open_copy(vault, PRIVATE, "0" * 64)


def test_a_copy_outlives_its_object_for_as_long_as_a_restore_may_ask_for_it(
    tmp_path: Path, objects: FileObjects
) -> None:
    clock = SettableClock(1_790_000_000_000)
    vault = Vault(FileStash(tmp_path / "stash"), PROOFS, clock)
    name = objects.put(b"prices")
    copy_objects(vault, objects, DAY_MS)
    copied_ms = next(iter(vault.stash.files("object/"))).at_ms
    objects.delete(name)
    clock.at_ms = copied_ms + DAY_MS
    assert copy_objects(vault, objects, DAY_MS).deleted == 0
    clock.at_ms = copied_ms + DAY_MS + 1
    assert copy_objects(vault, objects, DAY_MS).deleted == 1
    assert copies_of(vault) == set()


def test_keys_come_back_for_their_owner_alone_and_over_nothing(
    vault: Vault, tmp_path: Path
) -> None:
    lost = (tmp_path / "hq.key", tmp_path / "ca" / "device-ca.key", tmp_path / "none.key")
    lost[1].parent.mkdir()
    for path in lost[:2]:
        path.write_bytes(path.name.encode())
    assert seal_keys(vault, lost) == 2
    lost[1].unlink()
    lost[0].write_bytes(b"a newer one")
    assert bring_back_keys(vault, PRIVATE, lost) == [lost[1]]
    assert lost[1].read_bytes() == b"device-ca.key"
    assert lost[1].stat().st_mode & 0o777 == 0o600
    assert lost[0].read_bytes() == b"a newer one"


def test_a_key_from_before_the_newest_backup_is_an_old_one_that_was_put_back(
    vault: Vault, tmp_path: Path, clock: SettableClock
) -> None:
    path = tmp_path / "hq.key"
    path.write_bytes(b"old")
    seal_keys(vault, (path,))
    path.unlink()
    begun_ms = clock.now_ms() // 1000 * 1000 + 60_000
    base = Base(begun_ms, begun_ms + 1000, "000000010000000000000001")
    with vault.sealing(base.mark, "mark") as (writer, _):
        writer.write(base.name.encode())
    with pytest.raises(CorruptError, match=r"backup\.keys_old"):
        bring_back_keys(vault, PRIVATE, (path,))
    assert bring_back_keys(vault, PRIVATE, (), (path,)) == [], "one that was there for some weeks"
    assert not path.exists()
