"""The disk model and the reader of system calls, on cases small enough to know the answer."""

import random
import sys
from pathlib import Path

import pytest

from tests.powerloss.campaign import LostError, Recording, cuts_of, replay
from tests.powerloss.disk import SECTOR_BYTES, STYLES, Disk, Style
from tests.powerloss.operations import (
    Make,
    Operation,
    Promise,
    Remove,
    Rename,
    Resize,
    Sync,
    Write,
)
from tests.powerloss.trace import STRACE_MISSING, TraceError, record, strace_missing

needs_strace = pytest.mark.skipif(bool(strace_missing()), reason=STRACE_MISSING)


def image(*operations: Operation, style: Style = "lose", seed: int = 0, **files: bytes):
    disk = Disk(files)
    for operation in operations:
        disk.apply(operation)
    return disk.image(style, random.Random(seed))  # noqa: S311 - repeatable


def test_what_was_not_synced_may_be_gone_and_what_was_is_there() -> None:
    written = (Write("a", 0, b"new"), Write("b", 1, b"new"), Sync("b"))
    assert image(*written, a=b"old", b=b"....") == {"a": b"old", "b": b".new"}
    assert image(*written, style="keep", a=b"old", b=b"....") == {"a": b"new", "b": b".new"}


def test_a_new_file_is_there_for_good_only_after_its_folder_was_synced() -> None:
    made = (Make("f"), Write("f", 0, b"x"), Sync("f"))
    assert image(*made) == {}
    assert image(*made, Sync(".")) == {"f": b"x"}


def test_a_removed_file_comes_back_unless_its_folder_was_synced() -> None:
    assert image(Remove("f"), f=b"x") == {"f": b"x"}
    assert image(Remove("f"), Sync("."), f=b"x") == {}
    assert image(Remove("f"), Make("f"), Sync("."), f=b"x") == {"f": b""}


def test_a_file_that_was_renamed_has_one_of_both_names() -> None:
    renamed = (Make("f.new"), Write("f.new", 0, b"2"), Sync("f.new"), Rename("f.new", "f"))
    found = {str(image(*renamed, style="subset", seed=seed, f=b"1")) for seed in range(40)}
    assert found == {str({"f": b"1"}), str({"f": b"1", "f.new": b"2"}), str({"f": b"2"})}
    assert image(*renamed, Sync("."), f=b"1") == {"f": b"2"}


def test_a_rename_before_the_sync_of_the_bytes_may_leave_an_empty_file() -> None:
    careless = (Make("f.new"), Write("f.new", 0, b"2"), Rename("f.new", "f"), Sync("."))
    assert image(*careless, f=b"1") == {"f": b""}


def test_a_torn_write_keeps_whole_sectors_as_the_disk_counts_them() -> None:
    start = SECTOR_BYTES - 10
    before, data = bytes(3 * SECTOR_BYTES), b"\xff" * (SECTOR_BYTES + 20)
    seen = set()
    for seed in range(60):
        content = image(Write("f", start, data), style="torn", seed=seed, f=before)["f"]
        pieces = (content[start : start + 10], content[start + 10 : start + 10 + SECTOR_BYTES])
        assert all(set(piece) in ({0}, {255}) for piece in pieces)
        assert content[:start] == before[:start]
        seen.add(tuple(piece[0] for piece in pieces))
    assert len(seen) == 4


def test_a_garbled_write_touches_nothing_beside_itself() -> None:
    rubbish = 0
    for seed in range(40):
        content = image(Write("f", 100, b"\xff" * 100), style="garbled", seed=seed, f=bytes(300))
        assert content["f"][:100] + content["f"][200:] == bytes(200)
        rubbish += content["f"][100:200] not in {bytes(100), b"\xff" * 100}
    assert rubbish


def test_a_file_may_have_its_size_without_its_bytes() -> None:
    grown = (Write("f", 4, b"more"),)
    found = {image(*grown, style="hollow", seed=seed, f=b"base")["f"] for seed in range(20)}
    assert found == {b"base" + bytes(4), b"basemore"}


def test_a_file_is_cut_and_grown() -> None:
    assert image(Resize("f", 2), Sync("f"), f=b"12345") == {"f": b"12"}
    assert image(Resize("f", 4), Sync("f"), f=b"12") == {"f": b"12\0\0"}


BUSY = """
import os, sqlite3, sys
from pathlib import Path
top = Path(sys.argv[1])
with open(top / "plain", "wb") as file:
    file.write(b"hello")
    file.flush()
    os.fsync(file.fileno())
    file.seek(1)
    file.write(b"E")
with open(top / "plain", "ab") as file:
    file.write(b"!")
os.write(1, b'promise {"told": 1}\\nanything else\\n')
os.replace(top / "plain", top / "other")
folder = os.open(top, os.O_RDONLY)
os.fsync(folder)
connection = sqlite3.connect(top / "data.db", isolation_level=None)
connection.execute("PRAGMA journal_mode=WAL")
connection.execute("CREATE TABLE t(x)")
connection.executemany("INSERT INTO t VALUES(?)", [(n,) for n in range(500)])
connection.close()
os.truncate(top / "old", 3)
os.unlink(top / "gone")
"""


@needs_strace
def test_the_recording_leads_to_the_very_files(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "old").write_bytes(b"12345")
    (folder / "gone").write_bytes(b"1")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    script = BUSY.replace('os.truncate(top / "old", 3)', 'os.truncate(os.open(top / "old", 2), 3)')
    operations = record(folder, [sys.executable, "-c", script, str(folder)], tmp_path / "trace")
    disk = Disk(before)
    for operation in operations:
        disk.apply(operation)
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert disk.image("keep", random.Random(0)) == after  # noqa: S311 - repeatable
    assert after["other"] == b"hEllo!"
    assert [each.facts for each in operations if isinstance(each, Promise)] == [{"told": 1}]


@needs_strace
def test_a_call_that_is_not_understood_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    script = f"import os; os.link({str(folder / 'a')!r}, {str(folder / 'b')!r})"
    (folder / "a").write_bytes(b"")
    with pytest.raises(TraceError, match="link is not understood"):
        record(folder, [sys.executable, "-c", script], tmp_path / "trace")


@needs_strace
def test_a_program_that_fails_is_not_a_recording(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="ZeroDivisionError"):
        record(tmp_path, [sys.executable, "-c", "1/0"], tmp_path / "trace")


def test_lost_promises_and_damage_are_counted_apart() -> None:
    operations: list[Operation] = [Make("f"), Write("f", 0, b"1"), Sync("f"), Promise({"f": 1})]
    recording = Recording("careless", {}, operations)

    def check(folder: Path, promises: list[dict[str, int]]) -> None:
        if promises and not (folder / "f").exists():
            raise LostError("f", len(promises))
        assert not (folder / "f").exists() or (folder / "f").read_bytes() == b"1"

    found = replay(recording, cuts_of(recording, None), check)
    assert (found.images, found.possible) == (len(STYLES) * 5, len(STYLES) * 5)
    assert found.lost > 0
    assert found.faulty > found.lost
    assert found.faults[-1].cut.done == 4


def test_a_sample_is_spread_over_the_run_and_is_always_the_same() -> None:
    recording = Recording("long", {}, [Make(str(number)) for number in range(199)])
    cuts = cuts_of(recording, 50)
    assert cuts == cuts_of(recording, 50)
    assert cuts == sorted(cuts, key=lambda cut: cut.done)
    assert (len(cuts), cuts[0].done < 8, cuts[-1].done > 190) == (50, True, True)
    assert {cut.style for cut in cuts} == set(STYLES)
