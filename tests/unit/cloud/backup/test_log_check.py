"""What a restored set of files must be: of one server, in its place, without a gap."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from cloud.backup.log_check import (
    check_no_gap,
    check_one_server,
    on_the_way,
    timeline_for,
)
from shared.kernel.errors import CorruptError

SERVER, SIZE = 7_512_345_678_901_234_567, 1 << 20
SEGMENTS_EACH = (1 << 32) // SIZE


def name(number: int, timeline: int = 1) -> str:
    return f"{timeline:08X}{number // SEGMENTS_EACH:08X}{number % SEGMENTS_EACH:08X}"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A server's folder that holds segment 5 of its log."""
    folder = tmp_path / "data"
    for each in ("global", "pg_wal"):
        (folder / each).mkdir(parents=True)
    (folder / "global" / "pg_control").write_bytes(SERVER.to_bytes(8, "little") + bytes(100))
    segment(folder / "pg_wal", 5)
    return folder


@pytest.fixture
def wal(tmp_path: Path) -> Path:
    folder = tmp_path / "wal"
    folder.mkdir()
    return folder


def segment(
    folder: Path, number: int, server: int = SERVER, called: int | None = None, timeline: int = 1
) -> str:
    file = name(number if called is None else called, timeline)
    with (folder / file).open("wb") as out:
        out.write(struct.pack("<HHIQI4xQI", 0xD110, 2, 1, number * SIZE, 0, server, SIZE))
        out.truncate(SIZE)
    return file


def test_the_pieces_of_one_server_pass(data: Path, wal: Path) -> None:
    segment(wal, 5)
    segment(wal, SEGMENTS_EACH + 3)
    (wal / "00000002.history").write_text("1\t0/500000\tno recovery target specified\n")
    assert check_one_server(data, wal) == SERVER


def test_a_piece_of_another_server_is_refused(data: Path, wal: Path) -> None:
    segment(wal, 5)
    foreign = segment(wal, 6, server=SERVER + 1)
    with pytest.raises(CorruptError, match=r"backup\.foreign") as caught:
        check_one_server(data, wal)
    assert caught.value.params["file"] == foreign


def test_a_piece_under_the_name_of_another_is_refused(data: Path, wal: Path) -> None:
    segment(wal, 7, called=6)
    with pytest.raises(CorruptError, match=r"backup\.foreign"):
        check_one_server(data, wal)


@pytest.mark.parametrize("content", [b"", b"\0" * 64, b"\0" * SIZE, b"MZ" * 300])
def test_what_is_no_piece_of_a_log_is_refused(data: Path, wal: Path, content: bytes) -> None:
    (wal / name(6)).write_bytes(content)
    with pytest.raises(CorruptError, match=r"backup\.foreign"):
        check_one_server(data, wal)


def test_a_piece_that_was_cut_is_refused(data: Path, wal: Path) -> None:
    with (wal / segment(wal, 6)).open("r+b") as file:
        file.truncate(SIZE - 1)
    with pytest.raises(CorruptError, match=r"backup\.foreign"):
        check_one_server(data, wal)


def test_a_folder_without_a_server_is_refused(tmp_path: Path, wal: Path) -> None:
    with pytest.raises(CorruptError, match=r"backup\.control"):
        check_one_server(tmp_path, wal)


@pytest.mark.parametrize("missing", [6, 7, SEGMENTS_EACH - 1, SEGMENTS_EACH])
def test_a_gap_is_named_wherever_it_is(data: Path, missing: int) -> None:
    every = {name(number): SIZE for number in range(5, SEGMENTS_EACH + 2)}
    check_no_gap(name(5), data, every)
    del every[name(missing)]
    with pytest.raises(CorruptError, match=r"backup\.wal_gap") as caught:
        check_no_gap(name(5), data, every)
    assert caught.value.params["file"] == name(missing)[8:]


def test_what_the_base_backup_has_itself_need_not_be_in_the_archive(data: Path) -> None:
    check_no_gap(name(5), data, {name(6): SIZE, name(7): SIZE})
    check_no_gap(name(5), data, {})
    with pytest.raises(CorruptError, match=r"backup\.wal_gap"):
        check_no_gap(name(5), data, {name(7): SIZE})


def test_the_newest_timeline_that_goes_on_from_a_backup_is_followed(wal: Path) -> None:
    (wal / "00000002.history").write_text("1\t0/5A00000\treason\n")
    (wal / "00000003.history").write_text("1\t0/5A00000\tr\n2\t0/6000000\tr\n")
    every = ("00000002.history", "00000003.history")
    begin = "000000010000000000000004"
    assert timeline_for(begin, wal, every) == 3
    assert timeline_for(begin, wal, every[:1]) == 2
    assert timeline_for(begin, wal, ()) is None


def test_of_a_timeline_that_was_left_only_what_came_before_counts(data: Path, wal: Path) -> None:
    """What it went on with could hide a gap in the one that is followed."""
    (wal / "00000002.history").write_text("1\t0/680000\treason\n")
    files = [segment(wal, number) for number in range(5, 10)]
    files += [segment(wal, number, timeline=2) for number in (6, 8)]
    begin = name(5)
    assert on_the_way(begin, None, wal, files) == files[:5]
    followed = on_the_way(begin, 2, wal, files)
    assert followed == [name(5), name(6), name(6, 2), name(8, 2)]
    with pytest.raises(CorruptError, match=r"backup\.wal_gap"):
        check_no_gap(begin, data, dict.fromkeys(followed, SIZE))


@pytest.mark.parametrize("content", ["1\tnonsense\n", "x\t0/1\n", "1\t0/zz\n"])
def test_a_history_that_cannot_be_read_is_damage(wal: Path, content: str) -> None:
    (wal / "00000002.history").write_text(content)
    with pytest.raises(CorruptError, match=r"backup\.damaged"):
        timeline_for(name(5), wal, ["00000002.history"])


def test_a_timeline_that_was_left_before_a_backup_began_is_not_its_own(wal: Path) -> None:
    (wal / "00000002.history").write_text("1\t0/5A00000\treason\n")
    assert timeline_for("000000010000000100000000", wal, ["00000002.history"]) is None
    assert timeline_for("000000030000000000000004", wal, ["00000002.history"]) is None
