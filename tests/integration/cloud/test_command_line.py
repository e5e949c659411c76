"""`tillbox-cloud` does what its help says, and fails in one sentence."""

from __future__ import annotations

import io
import json
import socket
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from cloud.__main__ import main
from cloud.db import Database
from cloud.item.service import import_items
from cloud.migrations import newest
from cloud.price.service import import_prices
from cloud.price.table import COLUMNS as PRICE_COLUMNS
from cloud.table_import import Author
from tests.lab.net import LOOPBACK
from tests.lab.postgres import PostgresServer

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    monkeypatch.setenv("TILLBOX_CLOUD_DATABASE_URL", database_url)
    monkeypatch.setenv("TILLBOX_CLOUD_HQ_KEY_FILE", str(tmp_path / "hq.key"))

    def call(*arguments: str, given: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(given))
        code = main(arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def one_sentence(error: str) -> bool:
    return error.startswith("tillbox-cloud: ") and error.count("\n") == 1


def test_a_new_installation_step_by_step(run: Run) -> None:
    code, out, _ = run("migrate")
    assert (code, out.splitlines()[-1]) == (0, f"The database is at step {newest()}.")
    assert run("migrate")[0] == 0
    assert run("hq-key", "init")[0] == 0
    assert (
        run(
            "user",
            "add",
            "alice",
            "--role",
            "admin",
            "--password-stdin",
            given="long-enough-for-7-stores\n",
        )[0]
        == 0
    )
    assert run("user", "list")[1] == "alice\tadmin\talice\n"
    place = ("--time-zone", "Asia/Shanghai", "--currency", "CNY")
    assert run("store", "add", "17", "主街店", *place)[0] == 0
    assert run("store", "list")[1] == "17\t主街店\tAsia/Shanghai\tCNY\n"
    code, token, hint = run("claim", "17")
    assert (code, len(token.strip())) == (0, 26)
    assert "tillbox-edge enrol" in hint


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        (("user", "add", "Bob", "--role", "admin", "--password-stdin"), "long-enough-for-7-stores"),
        (("user", "add", "bob", "--role", "boss", "--password-stdin"), "long-enough-for-7-stores"),
        (("user", "add", "bob", "--role", "admin", "--password-stdin"), "short"),
        (("store", "add", "1", "A", "--time-zone", "Nowhere", "--currency", "CNY"), ""),
        (("store", "add", "1", "A", "--time-zone", "UTC", "--currency", "???"), ""),
        (("claim", "none"), ""),
        (("--config", "none.toml", "migrate"), ""),
        (("api", "--port", "0"), ""),
        (("--config", "/", "migrate"), ""),
        (("user", "add", "bob", "--role", "admin"), ""),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(
    run: Run, arguments: tuple[str, ...], given: str
) -> None:
    run("migrate")
    code, _, error = run(*arguments, given=given)
    assert code == 1
    assert one_sentence(error)


@pytest.mark.parametrize(
    "url", ["", "tillbox", "mysql://u:hidden@h/tillbox", "postgresql://u:hidden@h:port/tillbox"]
)
def test_what_names_no_database_is_said_without_its_password(
    run: Run, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("TILLBOX_CLOUD_DATABASE_URL", url)
    code, _, error = run("migrate")
    assert (code, one_sentence(error)) == (1, True)
    assert "postgresql://" in error
    assert "hidden" not in error


@pytest.mark.parametrize("port", [-1, 65_536])
def test_a_port_that_cannot_be_is_said(run: Run, port: int) -> None:
    run("migrate")
    run("hq-key", "init")
    code, _, error = run("api", f"--port={port}")
    assert (code, one_sentence(error)) == (1, True)
    assert str(port) in error


def test_a_key_that_cannot_be_read_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "hq.key").mkdir()
    code, _, error = run("api", "--port", "0")
    assert (code, one_sentence(error)) == (1, True)
    assert "hq.key" in error


def test_a_port_in_use_is_said(run: Run) -> None:
    run("migrate")
    run("hq-key", "init")
    with socket.create_server((LOOPBACK, 0)) as other:
        port: int = other.getsockname()[1]
        code, _, error = run("api", "--port", str(port))
    assert code == 1
    assert one_sentence(error)
    assert f"Port {port}" in error


def test_a_database_that_is_away_or_empty_is_said(
    run: Run, monkeypatch: pytest.MonkeyPatch, postgres: PostgresServer
) -> None:
    run("hq-key", "init")
    monkeypatch.setenv("TILLBOX_CLOUD_DATABASE_URL", postgres.create_database("empty"))
    code, _, error = run("api", "--port", "0")
    assert code == 1
    assert one_sentence(error)
    assert "tillbox-cloud migrate" in error
    monkeypatch.setenv("TILLBOX_CLOUD_DATABASE_URL", postgres.url("never_made"))
    code, _, error = run("migrate")
    assert code == 1
    assert one_sentence(error)
    assert "never_made" in error
    postgres.drop_database("empty")


def test_help_shows_the_way_for_a_newcomer(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    for word in ("migrate", "hq-key init", "user add", "store add", "claim", "api", "worker"):
        assert word in said


def test_settings_are_listed_without_secrets(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TILLBOX_CLOUD_BROKER_PASSWORD", "hush")
    code, out, _ = run("settings")
    assert code == 0
    assert "hush" not in out
    assert "broker_password = (set)" in out


def a_file(folder: Path, *offers: dict[str, object]) -> str:
    path = folder / "offers.json"
    path.write_text(json.dumps({"format": "tillbox-offers/1", "offers": offers}), encoding="utf-8")
    return str(path)


def an_offer(offer_id: str, *, bp: int = 1000) -> dict[str, object]:
    reward = {"type": "percent_off", "bp": bp}
    return {"id": offer_id, "level": "line", "target": {"all": True}, "reward": reward}


def test_offers_are_loaded_from_a_file_and_dumped_again(run: Run, tmp_path: Path) -> None:
    run("migrate")
    code, out, _ = run("price", "load", a_file(tmp_path, an_offer("a"), an_offer("b")), "--dry-run")
    assert (code, out.splitlines()[-1]) == (
        0,
        "2 created, 0 changed, 0 ended, 0 unchanged. Nothing was written.",
    )
    run("price", "load", a_file(tmp_path, an_offer("a"), an_offer("b")))
    code, out, _ = run("price", "load", a_file(tmp_path, an_offer("a", bp=500)), "--replace")
    assert (code, out.splitlines()) == (
        0,
        [
            "changed a v2 (reward)",
            "ended b v2",
            "0 created, 1 changed, 1 ended, 0 unchanged. Stores get it when it is published.",
        ],
    )
    for flags, name in (((), "again.json"), (("--yaml",), "again.yaml")):
        (tmp_path / name).write_text(run("price", "dump", *flags)[1], encoding="utf-8")
        code, out, _ = run("price", "load", str(tmp_path / name))
        assert (code, out.partition(".")[0]) == (0, "0 created, 0 changed, 0 ended, 1 unchanged")


def test_what_is_wrong_with_a_file_of_offers_is_said_place_by_place(
    run: Run, tmp_path: Path
) -> None:
    run("migrate")
    path = tmp_path / "offers.yaml"
    path.write_text(
        "format: tillbox-offers/1\noffers:\n  - id: a\n    level: line\n"
        "    target: {all: true}\n    reward: {type: percent_off, bp: 0}\n",
        encoding="utf-8",
    )
    code, out, error = run("price", "load", str(path))
    assert (code, out) == (1, "")
    assert error.splitlines()[0].startswith("offers[0].reward.bp (line 6): ")
    code, _, error = run("price", "load", str(tmp_path / "none.json"))
    assert (code, one_sentence(error)) == (1, True)


def test_offers_are_linted_against_the_catalogue_of_the_database(
    run: Run, database_url: str, tmp_path: Path
) -> None:
    run("migrate")
    path = a_file(tmp_path, an_offer("lavish", bp=6000))
    code, out, _ = run("price", "lint", path)
    assert (code, out.splitlines()[-1]) == (0, "offers: 1, errors: 0, warnings: 0, remarks: 1")
    assert out.startswith("info lint.no_catalogue: ")
    run("store", "add", "17", "主街店", "--time-zone", "Asia/Shanghai", "--currency", "CNY")
    header = "ean13,name,department,category,brand,package_size,weighed,plu,cost_cents"
    items = f"{header}\n4006381333931,Milk,DAIRY,MILK,,,0,,150\n"
    prices = ",".join(PRICE_COLUMNS) + "\n17,4006381333931,2001-01-01 00:00:00,200,\n"
    with closing(Database(database_url)) as database:
        import_items(database, io.BytesIO(items.encode()), Author("alice", 0, ""))
        import_prices(database, io.BytesIO(prices.encode()), Author("alice", 0, ""))
    code, out, _ = run("price", "lint", path, "--store", "17")
    assert (code, out.splitlines()[-1]) == (0, "offers: 1, errors: 0, warnings: 1, remarks: 0")
    assert out.startswith("warning lint.below_cost [lavish]: 4006381333931 sells below cost")
    code, _, error = run("price", "lint", path, "--store", "none")
    assert (code, one_sentence(error)) == (1, True)


def test_a_machine_gets_a_token_and_the_audit_log_can_be_checked(run: Run) -> None:
    run("migrate")
    code, token, _ = run("user", "token", "inventory", "--role", "it", "--days", "30")
    assert (code, len(token.strip())) == (0, 43)
    code, head, _ = run("audit", "head")
    seq, _, sealed = head.strip().partition(":")
    assert (code, int(seq) > 0, len(sealed)) == (0, True, 64)
    assert run("audit", "verify", "--head", head.strip())[0] == 0
    code, _, error = run("audit", "verify", "--head", f"{seq}:{'0' * 64}")
    assert (code, one_sentence(error)) == (1, True)
    assert run("user", "reset-totp", "nobody")[0] == 1
