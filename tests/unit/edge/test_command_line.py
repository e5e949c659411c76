"""The command line of a box: help that helps, one sentence for each failure."""

import json
import signal
from pathlib import Path

import pytest

from edge.__main__ import main
from edge.identity import save_identity
from edge.journal.signer import KEY_FILE, load_or_create
from edge.ops import self_test_cli
from tests.integration.edge.boxes import an_identity


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    out = capsys.readouterr().out
    assert ended.value.code == 0
    for word in ("run", "enrol", "status", "self-test", "verify-journal", "salvage", "barcode"):
        assert word in out


@pytest.mark.parametrize(
    "command",
    ["run", "enrol", "status", "self-test", "train-sale", "verify-journal", "salvage", "barcode"],
)
def test_each_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert len(capsys.readouterr().out.splitlines()) > 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["status"], "not enrolled"),
        (["run"], "not enrolled"),
        (["verify-journal"], "journal"),
        (["train-sale"], "does not run"),
        (["enrol", "--cloud", "http://127.0.0.1:9", "--token", "T"], "127.0.0.1:9"),
    ],
)
def test_a_failure_is_one_sentence(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "edge.toml").write_text("[box]\nport = 0\n", encoding="utf-8")
    assert main([*arguments, "--data", str(tmp_path)]) == 1
    said = [line for line in capsys.readouterr().err.splitlines() if "tillbox-edge:" in line]
    assert len(said) == 1
    assert words in said[0]


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("edge.toml", b"\xff", "edge.toml cannot be read"),
        ("edge.toml", b"[box]\nport = 70000\n", "box.port is not valid: allowed is 0-65535"),
        ("edge.toml", b"[box]\nprt = 1\n", "no setting named box.prt"),
        ("edge.toml", None, "Cannot use"),
        ("identity.json", b"{", "identity.json is damaged"),
        ("identity.json", None, "Cannot use"),
        ("journal.key", b"short", "journal.key is missing or damaged"),
        ("journal.key", None, "Cannot use"),
        ("journal.db", None, "cannot be used"),
        ("desk.db", b"no database" * 100, "desk.db is damaged"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_sentence(
    file: str,
    content: bytes | None,
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "edge.toml").write_text("[box]\nport = 0\n", encoding="utf-8")
    save_identity(tmp_path, an_identity())
    load_or_create(tmp_path / KEY_FILE)
    (tmp_path / file).unlink(missing_ok=True)
    if content is None:
        (tmp_path / file).mkdir()
    else:
        (tmp_path / file).write_bytes(content)
    error = error_of_run(tmp_path, capsys)
    assert "Traceback" not in error
    assert words in error.splitlines()[-1]


def error_of_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What a box that cannot start says; the signals stay with the tests."""
    ours = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        assert main(["run", "--data", str(folder)]) == 1
    finally:
        for number, handler in ours.items():
            signal.signal(number, handler)
    return capsys.readouterr().err


def test_an_enrolled_box_makes_no_second_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "edge.toml").write_text("[box]\nport = 0\n", encoding="utf-8")
    save_identity(tmp_path, an_identity())
    assert "journal.key is missing or damaged" in error_of_run(tmp_path, capsys)
    assert not (tmp_path / KEY_FILE).exists()


@pytest.mark.parametrize("content", [b"", b"no database" * 100])
def test_what_is_no_journal_is_said(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "other.db"
    path.write_bytes(content)
    assert main(["verify-journal", str(path)]) == 1
    assert "no valid beginning" in capsys.readouterr().err


def test_a_box_that_does_not_run_is_tested_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(self_test_cli, "_PATIENCE", (1, 1))
    monkeypatch.setattr(self_test_cli, "_SETTLING", 3)
    path = tmp_path / "scanner"
    (tmp_path / "edge.toml").write_text(
        f'[box]\nlocale = "en"\n[scanner]\nkind = "evdev"\npath = "{path}"\n', encoding="utf-8"
    )
    assert main(["self-test", "--data", str(tmp_path)]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0].split() == ["scanner-1", "scanner.absent", "No", "scanner", "found"]
    assert "box:disk" in said[-1] or "passed" in said[-1]
    assert main(["self-test", "--json", "--data", str(tmp_path)]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["ok"], found["running"]) == (False, False)
    assert found["results"]["box:disk"] == "passed"
