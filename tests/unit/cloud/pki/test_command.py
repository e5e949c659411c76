"""`tillbox-cloud ca`: what a person sees who makes, looks at and replaces a CA."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloud.__main__ import main

PREFIX = "TILLBOX_CLOUD_"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(f"{PREFIX}CA_DIR", str(tmp_path / "ca"))
    return tmp_path


def test_a_ca_is_made_shown_used_and_replaced(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ca", "init", "--dns-suffix", "shops.example"]) == 0
    assert "shops.example" in capsys.readouterr().out
    out = folder / "broker"
    server = ["ca", "server-cert", "hq.shops.example", "10.0.0.5", "--out", str(out)]
    assert main(server) == 0
    assert capsys.readouterr().out.startswith("Wrote ")
    before = (out / "server.pem").read_bytes()
    assert main(server) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert (out / "server.pem").read_bytes() == before
    assert (out / "server.key").stat().st_mode & 0o777 == 0o600
    assert main(["ca", "roll", "chain"]) == 0
    capsys.readouterr()
    assert main(["ca", "show"]) == 0
    shown = capsys.readouterr().out
    assert [line.split("\t")[:2] for line in shown.splitlines()[:3]] == [
        ["device", "signs"],
        ["chain", "signs"],
        ["chain", "counts"],
    ]
    assert main(["ca", "switch", "chain"]) == 1
    assert "90 more days" in capsys.readouterr().err
    assert main(["ca", "switch", "chain", "--force"]) == 0
    assert main(server) == 0
    assert (out / "server.pem").read_bytes() != before, "the new CA signs"
    assert main(["ca", "retire", "chain"]) == 0


def test_a_command_without_a_folder_says_which_setting_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(f"{PREFIX}CA_DIR", raising=False)
    assert main(["ca", "show"]) == 1
    assert "ca_dir" in capsys.readouterr().err


def test_a_name_beyond_the_suffix_is_refused_in_words(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["ca", "init", "--dns-suffix", "shops.example"])
    capsys.readouterr()
    assert main(["ca", "server-cert", "bank.example", "--out", str(folder)]) == 1
    assert "bank.example" in capsys.readouterr().err
    assert not (folder / "server.key").exists()
