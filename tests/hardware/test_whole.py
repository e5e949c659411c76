"""The wrapper of the whole machine, without the machine: a shell script tells its lines."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hardware import whole
from tests.hardware.debian_machine import with_a_real_scanner

PASSED = (
    '{"check": "boot::it_works", "outcome": "passed", "took_s": 1, "measured": {}, "problem": ""}'
)
SOLD = '{"sold": "1-000001"}'
Play = Callable[[str, str], int]


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    """Run both boots with what each of them tells; answers the exit code."""
    script = tmp_path / "bin/qemu-system-x86_64"
    script.parent.mkdir()
    monkeypatch.setenv("PATH", str(script.parent), prepend=":")
    monkeypatch.setattr(whole, "FOLDER", tmp_path / "whole")
    monkeypatch.setattr(whole, "SALES_BEFORE_CUT", 1)
    monkeypatch.setattr(whole, "BOOT_LIMIT_S", 5)
    monkeypatch.setattr(whole, "make_disk", lambda disk, _: disk.touch())

    def run(first: str, second: str) -> int:
        for number, lines in enumerate((first, second), start=1):
            (tmp_path / f"told{number}").write_text(lines, encoding="utf-8")
        script.write_text(
            f"""#!/bin/sh
echo run >> {tmp_path}/runs
for word; do
    case $word in
    file,id=lab,path=*) line=${{word#*path=}} line=${{line%%,*}} ;;
    esac
done
case $line in *boot1*) told={tmp_path}/told1 ;; *) told={tmp_path}/told2 ;; esac
cat $told >> $line
test -s $told && exec sleep 60
""",
            encoding="utf-8",
        )
        script.chmod(0o755)
        return whole.work(tmp_path / "kernel", 0)

    return run


def ended(*receipts: str) -> str:
    return f'{PASSED}\n{json.dumps({"receipts": receipts})}\n{{"end": 0}}\n'


def test_the_power_goes_after_a_sale_and_all_is_well_when_it_is_still_there(
    play: Play, capsys: pytest.CaptureFixture[str]
) -> None:
    assert play(f"{PASSED}\n{SOLD}\n", ended("1-000001", "1-000002")) == 0
    said = capsys.readouterr().out
    assert "the power went after 1 acknowledged sales" in said
    assert "Whole machine passed: 3 of 3 checks" in said
    assert not (whole.FOLDER / "disk.img").exists()


def test_an_acknowledged_sale_that_is_not_there_after_the_cut_is_named(
    play: Play, capsys: pytest.CaptureFixture[str]
) -> None:
    assert play(f"{PASSED}\n{SOLD}\n", ended("1-000002")) == 1
    said = capsys.readouterr().out
    assert "lost: ['1-000001']" in said
    assert "NOT passed: 2 of 3" in said


def test_a_failed_check_is_not_tried_again(play: Play, tmp_path: Path) -> None:
    failed = PASSED.replace("passed", "failed")
    assert play(f'{failed}\n{{"end": 1}}\n', ended()) == 1
    assert (tmp_path / "runs").read_text().count("run") == 1


def test_a_machine_that_dies_is_started_once_more_and_its_folder_kept(
    play: Play, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert play("", "") == 1
    assert (tmp_path / "runs").read_text().count("run") == 2
    assert (tmp_path / "whole.died").is_dir()
    assert "Whole machine NOT passed: 0 of 0 checks" in capsys.readouterr().out


def test_the_machine_has_one_lane_that_looks_for_its_scanner() -> None:
    settings = '[box]\nlanes = 2\n[scanner]\nkind = "virtual"\n[printer]\nport = 0\n'
    assert with_a_real_scanner(settings) == (
        '[box]\nlanes = 1\n[scanner]\nkind = "auto"\n[printer]\nport = 0\n'
    )
