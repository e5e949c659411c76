"""The launcher as its own process, with nothing but Python: what it starts, and what it ends."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from edge.updater import launcher
from edge.updater.launcher import Note, Releases
from tests.fakes.releases import a_program

OLD, NEW = "1.0.0", "1.1.0"
SAYS = 'echo "$TILLBOX_RELEASE $*"; echo "$TILLBOX_RELEASES" >&2'


@pytest.fixture
def releases(tmp_path) -> Releases:
    made = Releases(tmp_path / "opt")
    made.folder.mkdir(parents=True)
    a_program(made, OLD, run=SAYS)
    made.point(OLD)
    return made


def launched(releases: Releases, *more: str) -> subprocess.CompletedProcess[str]:
    """As the box's unit does it: a copy of the file, isolated from everything installed."""
    copy = releases.root / "launcher.py"
    copy.write_text(Path(launcher.__file__).read_text(encoding="utf-8"), encoding="utf-8")
    command = [
        sys.executable,
        "-I",
        "-S",
        str(copy),
        *more,
        str(releases.root),
        "run",
        "--data",
        "x",
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_it_becomes_the_release_that_the_link_names(releases: Releases) -> None:
    done = launched(releases)
    assert done.stdout == f"{OLD} run --data x\n"
    assert done.stderr == f"{releases.root}\n"
    assert done.returncode == 0


def test_it_needs_the_standard_library_alone() -> None:
    tree = ast.parse(Path(launcher.__file__).read_text(encoding="utf-8"))
    names = {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    names |= {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names


def test_three_starts_that_do_not_hold_bring_the_old_release_back(releases: Releases) -> None:
    a_program(releases, NEW, run="exit 1")
    releases.try_out(NEW)
    ends = [launched(releases).returncode for _ in range(4)]
    assert ends == [1, 1, 1, 0]
    assert releases.note() == Note(
        OLD, failed=NEW, because="release.crashed", **_of(releases.note())
    )
    assert releases.current() == OLD


def test_a_crash_some_minutes_after_it_was_well_brings_the_old_release_back_within_seconds(
    releases: Releases,
) -> None:
    """The release marks itself healthy, runs on for its "three minutes", and dies."""
    healthy = f'sed -i \'s/"is_healthy": false/"is_healthy": true/\' {releases.root}/launcher.json'
    a_program(releases, NEW, run=f"{healthy}; sleep 0.1; exit 1")
    releases.try_out(NEW)
    assert launched(releases).returncode == 1
    crashed_s = time.monotonic()
    assert launched(releases).stdout == f"{OLD} run --data x\n"
    assert time.monotonic() - crashed_s < 180
    assert (releases.note().failed, releases.note().because) == (NEW, "release.crashed")


def test_a_release_that_hangs_is_ended_by_the_guard(releases: Releases) -> None:
    a_program(releases, NEW, run="exec sleep 60")
    releases.try_out(NEW)
    assert launched(releases, "--health-s", "0.3").returncode < 0
    assert launched(releases).stdout.startswith(OLD)
    assert releases.note().because == "release.unhealthy"


def test_the_guard_lets_a_healthy_release_be(releases: Releases) -> None:
    healthy = f'sed -i \'s/"is_healthy": false/"is_healthy": true/\' {releases.root}/launcher.json'
    a_program(releases, NEW, run=f"{healthy}; sleep 0.7; {SAYS}")
    releases.try_out(NEW)
    assert launched(releases, "--health-s", "0.3").stdout.startswith(NEW)


def test_power_cuts_are_not_held_against_a_healthy_release(releases: Releases) -> None:
    a_program(releases, NEW, run=SAYS)
    releases.try_out(NEW)
    releases.write(replace(releases.note(), is_healthy=True, starts=1, boot="the boot before"))
    assert launched(releases).stdout.startswith(NEW)


def test_a_clean_stop_is_no_crash(releases: Releases) -> None:
    a_program(releases, NEW, run=SAYS)
    releases.try_out(NEW)
    for _ in range(5):
        assert launched(releases).stdout.startswith(NEW)
        releases.write(replace(releases.note(), is_clean=True))


@pytest.mark.parametrize("note", [b"", b"nonsense", b"[1]", b'{"trusted": 5, "starts": "x"}'])
def test_without_its_note_it_runs_what_the_link_names(note: bytes, releases: Releases) -> None:
    (releases.root / "launcher.json").write_bytes(note)
    assert launched(releases).stdout.startswith(OLD)


def test_a_release_that_is_gone_is_replaced_by_one_that_is_there(releases: Releases) -> None:
    a_program(releases, NEW, run=SAYS)
    releases.write(Note(trusted="0.9.0"))
    releases.point("0.9.0")
    assert launched(releases).stdout.startswith(NEW)
    assert releases.current() == NEW


def test_without_any_release_it_says_so(releases: Releases) -> None:
    (releases.folder / OLD / launcher.PROGRAM).unlink()
    done = launched(releases)
    assert done.returncode == 78
    assert "can be started" in done.stderr


def _of(note: Note) -> dict[str, object]:
    return {"starts": note.starts, "boot": note.boot, "began_s": note.began_s}


def _full(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Releases, "write", no_room)
    monkeypatch.setattr(Releases, "point", no_room)


def _chosen(releases: Releases, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the launcher would become, without becoming it."""
    became: list[str] = []
    monkeypatch.setattr(launcher, "_become", lambda program, _: became.append(str(program)))
    monkeypatch.setattr(launcher, "guard", lambda *_: None)
    monkeypatch.setenv(launcher.ROOT_VARIABLE, "")
    monkeypatch.setenv(launcher.RELEASE_VARIABLE, "")
    launcher.main([str(releases.root), "run"])
    return [Path(each).parents[1].name for each in became]


def test_a_disk_that_is_full_leaves_nothing_on_trial(releases: Releases, monkeypatch) -> None:
    """Its starts could not be counted: it would crash for ever and the shop stay closed."""
    a_program(releases, NEW, run=SAYS)
    releases.try_out(NEW)
    _full(monkeypatch)
    assert _chosen(releases, monkeypatch) == [OLD]


def test_a_disk_that_is_full_keeps_a_healthy_release(releases: Releases, monkeypatch) -> None:
    a_program(releases, NEW, run=SAYS)
    releases.try_out(NEW)
    releases.trust()
    _full(monkeypatch)
    assert _chosen(releases, monkeypatch) == [NEW]


def test_the_guard_ends_what_hangs_on_a_full_disk_too(releases: Releases, monkeypatch) -> None:
    a_program(releases, NEW, run=SAYS)
    releases.try_out(NEW)
    _full(monkeypatch)
    with subprocess.Popen(["sleep", "60"]) as hanging:
        reads, _writes = os.pipe()
        monkeypatch.setattr(launcher, "GRACE_S", 0.1)
        with suppress(OSError):
            launcher._watch(releases, (NEW, hanging.pid, reads), 0.0)
        ended = hanging.poll() is not None or _ends(hanging)
        hanging.kill()
    assert ended


def _ends(process: subprocess.Popen[bytes]) -> bool:
    try:
        return process.wait(5) != 0
    except subprocess.TimeoutExpired:
        return False
