"""The commands of a bad day: they say what is wrong in a sentence and with their exit status."""

from __future__ import annotations

import io
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from cloud.__main__ import main
from cloud.archive.objects import FileObjects
from cloud.db import Database
from shared.kernel.ids import DeviceId
from shared.wire import topics
from shared.wire.message import Ack, parse_message
from tests.fakes.box_stream import BoxStream
from tests.fakes.mqtt_peer import MqttPeer
from tests.integration.cloud.archives import Office, empty
from tests.lab.broker import Broker
from tests.lab.net import sleep_briefly
from tests.lab.postgres import PostgresServer
from tests.lab.workers import Workers

Run = Callable[..., tuple[int, str, str]]
NewBox = Callable[[], BoxStream]


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Office:
    empty(database)
    return Office(database, FileObjects(tmp_path / "objects" / "archive"))


@pytest.fixture
def box(office: Office, new_box: NewBox) -> BoxStream:
    made = new_box()
    made.append_sales(8)
    office.send(made, 0, 7)
    return made


@pytest.fixture
def run(
    office: Office,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    values = {
        "DATABASE_URL": office.database.url,
        "HQ_KEY_FILE": str(tmp_path / "hq.key"),
        "OBJECT_DIR": str(tmp_path / "objects"),
    }
    for name, value in values.items():
        monkeypatch.setenv(f"TILLBOX_CLOUD_{name}", value)
    monkeypatch.setattr("sys.stderr", io.StringIO())

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    call("hq-key", "init")
    return call


def test_a_pass_seals_reads_back_and_signs_and_the_status_tells(run: Run, box: BoxStream) -> None:
    code, out, _ = run("archive", "run", "--now", "--tree")
    assert code == 0
    assert "1 segments sealed, 1 read back well, 0 badly." in out
    assert re.search(r"Daily seal 0 of \d{4}-\d\d-\d\d: root [0-9a-f]{64}", out)
    code, out, _ = run("archive", "status")
    assert code == 0
    assert "Lock against deletion: none" in out
    assert "safe: 8 (boxes keep the other 0)" in out
    assert "Restore drill: none yet" in out


def test_a_changed_entry_is_named_and_the_exit_status_says_it(
    run: Run, box: BoxStream, office: Office
) -> None:
    run("archive", "run", "--now")
    code, out, _ = run("verify", "--archive")
    assert code == 0
    assert "8 entries of 1 journals, 1 signatures, 1 segments read back" in out
    office.run("UPDATE entry SET body = '{}' WHERE seq = 5")
    code, out, _ = run("verify", "--store", box.store_id)
    assert code == 1
    assert out.splitlines()[0].startswith(f"journal {box.stream_id.hex()}, entry 5: ")
    assert run("verify", "--stream", box.stream_id.hex())[0] == 1
    assert run("verify", "--store", "nowhere")[0] == 0
    assert run("verify", "--stream", "nonsense")[0] == 1


def test_books_that_were_changed_are_told_then_made_right(
    run: Run, box: BoxStream, office: Office
) -> None:
    assert run("rebuild", "--check")[0] == 0
    office.run("DELETE FROM sale WHERE receipt_no = '1-000004'")
    code, out, _ = run("rebuild", "--check")
    assert code == 1
    assert re.search(r"sale: 7 rows [0-9a-f]{16}, but the entries say 8 rows", out)
    code, out, _ = run("rebuild", "--store", box.store_id)
    assert code == 0
    assert "became 8 rows" in out
    assert run("rebuild", "--check")[0] == 0


def test_a_drill_says_green_or_red(run: Run, box: BoxStream, office: Office) -> None:
    code, out, _ = run("drill")
    assert code == 0
    assert "8 entries of 1 journals" in out
    assert "The archive alone brings everything back." in out
    office.run("UPDATE sale SET net_minor = 1 WHERE receipt_no = '1-000004'")
    code, out, _ = run("drill")
    assert code == 1
    assert "THE DRILL FAILED" in out
    code, out, _ = run("archive", "status")
    assert code == 1
    assert "FAILED" in out


def test_everything_comes_back_into_an_empty_database_and_what_is_damaged_is_repaired(
    run: Run, box: BoxStream, office: Office, postgres: PostgresServer
) -> None:
    run("archive", "run", "--now", "--tree")
    name = f"empty_{uuid.uuid4().hex[:12]}"
    url = postgres.create_database(name)
    code, out, _ = run("archive", "restore", "--into", url)
    assert code == 0
    assert "8 entries taken in; 1 segments, 1 seals." in out
    assert run("archive", "refill")[:2] == (0, "0 entries taken in; 0 segments, 0 seals.\n")
    path = office.objects.path(office.rows("SELECT object FROM segment")[0][0])
    assert path is not None
    path.write_bytes(b"rotten")
    office.run("UPDATE segment SET verified_at_ms = NULL")
    assert run("archive", "run")[0] == 1
    assert run("archive", "repair")[:2] == (
        0,
        "1 segments written again; 1 read back well, 0 badly.\n",
    )
    postgres.drop_database(name)


def test_without_the_key_a_drill_is_refused_in_one_sentence(
    run: Run, box: BoxStream, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "hq.key").unlink()
    assert run("drill")[0] == 1
    assert run("archive", "run", "--now")[0] == 0


KILL = """
import os, signal
from cloud.__main__ import main
from cloud.archive import {module}
true, calls = {module}.{name}, []
def counted(*given, **named):
    calls.append(1)
    if len(calls) == {call}:
        os.kill(os.getpid(), signal.SIGKILL)
    return true(*given, **named)
{module}.{name} = counted
main(["archive", "run", "--now", "--tree"])
"""


@pytest.mark.parametrize(
    "kill_at",
    [
        ("segment_store", "add_segment", 1),
        ("segment_store", "raise_safe", 1),
        ("tree_store", "add_tree", 1),
        ("objects", "FileObjects.put", 3),  # the segment, the register, the tree
    ],
)
def test_an_archivist_that_is_killed_anywhere_goes_on_where_it_was(
    run: Run, box: BoxStream, office: Office, kill_at: tuple[str, str, int]
) -> None:
    module, name, call = kill_at
    script = KILL.format(module=module, name=name, call=call)
    killed = subprocess.run([sys.executable, "-c", script], check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    code, out, _ = run("archive", "run", "--now", "--tree")
    assert code == 0
    assert "Daily seal" in out
    assert office.segments(box) == [(0, 7)]
    assert office.safe(box) == (7, box.hashes[7])
    assert run("verify", "--archive")[0] == 0
    if module != "segment_store":  # a second seal of the same number would show here
        assert run("drill")[0] == 0


@pytest.mark.parametrize("has_key", [True, False])
def test_a_database_that_was_put_back_is_filled_up_before_the_next_pass(
    run: Run, box: BoxStream, office: Office, tmp_path: Path, has_key: bool
) -> None:
    """The backup is from before the box's last five entries, which were archived since."""
    run("archive", "run", "--now", "--tree")
    if not has_key:
        run("archive", "run", "--now", "--tree")
        (tmp_path / "hq.key").unlink()
    lost = office.rows("SELECT object FROM segment")
    for statement in (
        "DELETE FROM segment",
        "DELETE FROM sale WHERE entry_id::text IN (SELECT id FROM entry WHERE seq > 2)",
        "DELETE FROM posting WHERE entry_id::text IN (SELECT id FROM entry WHERE seq > 2)",
        "DELETE FROM entry WHERE seq > 2",
        (
            "UPDATE stream SET safe_seq = -1, sealed_seq = -1, head_seq = 2, safe_hash = NULL,"
            " head_hash = (SELECT hash FROM entry WHERE seq = 2), head_sig = NULL"
        ),
        "DELETE FROM tree_leaf WHERE n = (SELECT max(n) FROM tree)",
        "DELETE FROM tree WHERE n = (SELECT max(n) FROM tree)",
    ):
        assert office.run(statement) > 0
    assert run("incarnation", "bump")[0] == 0
    code, _, _ = run("archive", "run", "--now", "--tree")
    assert code == 0
    assert office.rows("SELECT object FROM segment") == lost
    assert office.safe(box) == (7, box.hashes[7])
    assert office.rows("SELECT n FROM tree ORDER BY n") == [(0,), (1,)]
    assert run("verify", "--archive")[0] == 0
    assert run("rebuild", "--check")[0] == 0


@pytest.fixture
def workers(office: Office, broker: Broker, tmp_path: Path, run: Run) -> Iterator[Workers]:
    started = Workers(
        office.database.url,
        broker,
        tmp_path,
        object_dir=str(tmp_path / "objects"),
        hq_key_file=str(tmp_path / "hq.key"),
        archive_every_s=1,
    )
    yield started
    started.stop()


def test_a_worker_archives_by_itself_and_tells_boxes_and_metrics(
    workers: Workers, office: Office, box: BoxStream, broker: Broker
) -> None:
    url = workers.here()
    deadline = time.monotonic() + 30
    while office.safe(box)[0] < 7:
        assert time.monotonic() < deadline
        sleep_briefly()
    wanted = {
        "tillbox_archive_unsafe_entries 0.0",
        "tillbox_archive_locked 0.0",
        "tillbox_archive_drill_ok -1.0",
        "tillbox_archive_trees 1.0",
    }
    while not wanted <= set(httpx.get(f"{url}/metrics").text.splitlines()):
        assert time.monotonic() < deadline
        sleep_briefly()
    box.append_sales(1)
    broker.add_device(box.dev, "secret")
    with MqttPeer(broker.device_port, box.dev, "secret") as peer:
        peer.subscribe(topics.down_ack(DeviceId(box.dev)))
        peer.publish(topics.up_journal(DeviceId(box.dev)), box.batch(8, 8))
        ack = parse_message(Ack, peer.receive(20).payload)
    assert (ack.code, ack.head) == ("ok", 8)
    assert (ack.safe, ack.sh) == (7, box.hashes[7].hex())
