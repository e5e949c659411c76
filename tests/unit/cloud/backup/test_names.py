"""What backups are called, which are needed for a time, and which may go."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.archive.stash import checked_name
from cloud.backup.names import (
    Base,
    base_for,
    box_name,
    is_needed,
    is_wal_file,
    outdated,
    place_of,
    read_mark,
    wal_file,
    wal_name,
)
from cloud.backup.restore import Prepared, forget_recovery, require_reach
from shared.kernel.errors import CorruptError, MissingError

DAY_MS = 86_400_000
SECONDS = st.integers(1_600_000_000, 4_000_000_000)
SEGMENTS = st.integers(1, 2**32).map(lambda n: f"0000000100000000{n:08X}"[:24])


def bases(*days: int) -> list[Base]:
    """One base backup for each day, an hour long."""
    return [
        Base(day * DAY_MS, day * DAY_MS + 3_600_000, f"{1:08X}{0:08X}{day:08X}") for day in days
    ]


@given(SECONDS, st.integers(0, 100_000), SEGMENTS)
def test_a_mark_says_what_its_backup_is(begin_s: int, took_s: int, wal: str) -> None:
    base = Base(begin_s * 1000, (begin_s + took_s) * 1000, wal)
    assert read_mark(base.mark) == base
    assert checked_name(base.name) == base.name
    assert read_mark(base.name) is None


@pytest.mark.parametrize("name", ["mark/x.tbk", "base/20200101T000000Z-x.tbk", "", "mark/"])
def test_what_is_no_mark_is_none(name: str) -> None:
    assert read_mark(name) is None


@given(st.sets(st.integers(1, 400), min_size=1), st.integers(0, 500))
def test_a_time_starts_from_the_newest_backup_that_had_ended_by_then(
    days: set[int], day: int
) -> None:
    every = bases(*days)
    at_ms = day * DAY_MS + DAY_MS // 2
    found = base_for(every, at_ms)
    ended = [each for each in every if each.end_ms <= at_ms]
    assert found == (max(ended, key=lambda each: each.end_ms) if ended else None)
    assert base_for(every, None) == max(every, key=lambda each: each.end_ms)


@given(st.sets(st.integers(1, 400)), st.integers(0, 500), st.integers(1, 5))
def test_pruning_keeps_every_time_that_is_promised(days: set[int], day: int, least: int) -> None:
    every = bases(*days)
    gone = outdated(every, day * DAY_MS, least)
    left = [each for each in every if each not in gone]
    assert len(left) >= min(least, len(every))
    reachable = base_for(every, day * DAY_MS)
    if reachable is not None:
        assert base_for(left, day * DAY_MS) == reachable
    assert outdated(left, day * DAY_MS, least) == []


@pytest.mark.parametrize(
    ("file", "is_one"),
    [
        ("000000010000000A000000FF", True),
        ("000000010000000A000000FF.partial", True),
        ("000000010000000A000000FF.00000028.backup", True),
        ("00000002.history", True),
        ("000000010000000A000000F", False),
        ("../000000010000000A000000FF", False),
        ("postgresql.conf", False),
        ("", False),
    ],
)
def test_only_wal_files_are_taken(file: str, *, is_one: bool) -> None:
    assert is_wal_file(file) is is_one
    if is_one:
        assert wal_file(wal_name(file)) == file
        assert checked_name(wal_name(file))


@pytest.mark.parametrize(
    ("file", "is_wanted"),
    [
        ("000000020000000000000005", True),
        ("000000020000000000000006", True),
        ("000000030000000000000007", True),
        ("000000020000000000000004", False),
        ("000000010000000000000009", False),
        ("00000003.history", True),
        ("000000020000000000000005.00000028.backup", False),
    ],
)
def test_a_restore_fetches_what_lies_behind_its_beginning(file: str, *, is_wanted: bool) -> None:
    assert is_needed(file, "000000020000000000000005") is is_wanted


def test_where_a_piece_lies_has_no_timeline() -> None:
    assert place_of("00000002000000000000000A") == place_of("00000007000000000000000A")
    assert place_of("00000002.history") == ""


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "box/../../x", "box/.hidden", "Box/x", "box", "box/a/b/c/d"]
)
def test_no_path_gets_into_a_name(name: str) -> None:
    with pytest.raises(MissingError, match=r"backup\.missing"):
        checked_name(name)


def test_a_log_must_reach_to_the_last_sign_of_life() -> None:
    base = Base(0, 0, "000000010000000000000001")
    prepared = Prepared(Path(), Path(), base, 0, 0, reaches_ms=10 * DAY_MS)
    require_reach(prepared, 10 * DAY_MS + 3_600_000)
    with pytest.raises(CorruptError, match=r"backup\.rolled_back"):
        require_reach(prepared, 11 * DAY_MS)


def test_a_server_that_was_restored_before_is_told_one_target_alone(tmp_path: Path) -> None:
    config = tmp_path / "postgresql.auto.conf"
    config.write_text(
        "work_mem = '8MB'\n# Restored by tillbox-cloud.\nrestore_command = 'cp a b'\n"
        "recovery_target_time = '2026-11-22'\nrecovery_target_action = 'promote'\n"
    )
    forget_recovery(tmp_path)
    assert config.read_text() == "work_mem = '8MB'\n"


def test_a_boxs_backups_lie_apart() -> None:
    assert box_name("d-abcdefghijklmnop", 0) == "box/d-abcdefghijklmnop/19700101T000000Z.tbk"
