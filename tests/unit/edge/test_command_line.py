"""The command line of a box: help that helps, one sentence for each failure."""

from pathlib import Path

import pytest

from edge.__main__ import main


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    out = capsys.readouterr().out
    assert ended.value.code == 0
    for word in ("run", "enrol", "status", "verify-journal", "barcode"):
        assert word in out


@pytest.mark.parametrize("command", ["run", "enrol", "status", "verify-journal", "barcode"])
def test_each_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert len(capsys.readouterr().out.splitlines()) > 3


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("4006381333931", "item, GTIN 4006381333931"),
        ("2200042001999", "price label, PLU 00042, 199 minor units"),
        ("2900000024793", "member card 2479"),
        ("4006381333932", "not a code (barcode.check_digit)"),
    ],
)
def test_a_code_is_explained(code: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    if code.startswith("22"):
        assert main(["barcode", "--price-label", "42", "199"]) == 0
        code = capsys.readouterr().out.strip()
    assert main(["barcode", code]) == 0
    assert words in capsys.readouterr().out


def test_a_member_card_is_made(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["barcode", "--member", "2479"]) == 0
    assert capsys.readouterr().out.strip() == "2900000024793"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["status"], "not enrolled"),
        (["run"], "not enrolled"),
        (["verify-journal"], "journal"),
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
