"""Set-up's own parts: reading the lock file, and skipping what is done."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.console import SetupError, run_quietly
from tests.lab.python_env import LOCK, entries_of
from tests.lab.stamp import Stamp, digest_of, files_under


def test_a_lock_file_falls_apart_into_packages_and_together_again() -> None:
    text = LOCK.read_text(encoding="utf-8")
    entries = entries_of(text)
    assert "".join(lines for _, lines in entries) == text
    names = [name for name, _ in entries]
    assert {"uv", "evdev", "hatchling", "setuptools"} <= set(names)
    assert all("--hash=sha256:" in lines for _, lines in entries)


def test_a_stamp_is_fresh_only_for_the_same_input(tmp_path: Path) -> None:
    stamp = Stamp(tmp_path / "deep", "web")
    assert not stamp.is_fresh("one")
    stamp.set("one")
    assert stamp.is_fresh("one")
    assert not stamp.is_fresh("two")
    stamp.clear()
    assert not stamp.is_fresh("one")


def test_the_digest_sees_content_names_words_and_missing_files(tmp_path: Path) -> None:
    file = tmp_path / "a.ts"
    missing = digest_of([file])
    file.write_text("1", encoding="utf-8")
    first = digest_of([file])
    file.write_text("2", encoding="utf-8")
    assert len({missing, first, digest_of([file]), digest_of([file], "node 24")}) == 4


def test_only_sources_are_looked_at(tmp_path: Path) -> None:
    for name in ("src/b.ts", "src/a.ts", "node_modules/x/index.js", "__pycache__/y.pyc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [path.relative_to(tmp_path).as_posix() for path in files_under(tmp_path)]
    assert found == ["src/a.ts", "src/b.ts"]


def test_a_failed_command_shows_its_end_and_the_sentence(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run_quietly([sys.executable, "-c", "print('fine')"], cwd=tmp_path, hint="unused")
    assert capfd.readouterr().err == ""
    with pytest.raises(SetupError, match="Look up"):
        run_quietly(
            [sys.executable, "-c", "raise SystemExit('broken')"], cwd=tmp_path, hint="Look up."
        )
    assert "broken" in capfd.readouterr().err


def test_set_up_needs_nothing_but_the_standard_library(repository: Path) -> None:
    code = "import sys; sys.path.insert(0, '.'); import tests.lab.bootstrap"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
