"""Boxes in service, retiring, revoked and back again: by the command, with real parts."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from cloud.__main__ import main
from cloud.db import Database
from cloud.signing import create_hq_key
from shared.kernel.ids import DeviceId
from shared.wire import topics
from shared.wire.message import Ack, DesiredState, Hello, message_bytes, parse_message
from tests.fakes.box_stream import START_MS, BoxStream
from tests.fakes.enrolment import enrol_body, journal_key
from tests.fakes.mqtt_peer import MqttPeer
from tests.lab.broker import Broker
from tests.lab.cloud_api import CloudApi
from tests.lab.net import LOOPBACK
from tests.lab.workers import Workers

NewBox = Callable[[], BoxStream]
Run = Callable[..., tuple[int, str, str]]
TOKEN_HASH = b"token hash"
WHY = ("--reason", "stolen from the counter", "--by", "li")


@pytest.fixture
def run(
    database: Database,
    broker: Broker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    create_hq_key(tmp_path / "hq.key")
    values = {
        "DATABASE_URL": database.url,
        "HQ_KEY_FILE": tmp_path / "hq.key",
        "BROKER_PASSWORD_FILE": broker.password_file if broker.has_logins else "",
        "BROKER_PID_FILE": broker.pid_file,
    }
    for name, value in values.items():
        monkeypatch.setenv(f"TILLBOX_CLOUD_{name}", str(value))

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture
def workers(database: Database, broker: Broker, tmp_path: Path) -> Iterator[Workers]:
    made = Workers(database.url, broker, tmp_path)
    yield made
    made.stop()


@pytest.fixture
def connect(broker: Broker) -> Iterator[Callable[[BoxStream], MqttPeer]]:
    """Connects a box that hears its acknowledgements and its desired state."""
    with ExitStack() as stack:

        def join(box: BoxStream) -> MqttPeer:
            broker.add_device(box.dev, "secret")
            time.sleep(0.1)
            peer = MqttPeer(broker.device_port, box.dev, "secret")
            stack.enter_context(peer)
            peer.subscribe(topics.down_ack(DeviceId(box.dev)))
            peer.subscribe(topics.down_desired(DeviceId(box.dev)))
            return peer

        yield join


def enrolled(database: Database, box: BoxStream) -> None:
    """The claim that a box was made with; its answer does not matter here."""
    with database.begin() as connection:
        connection.execute(
            text("""
            INSERT INTO claim (token_hash, store_id, expires_at_ms, dev)
            VALUES (:hash, :store, 0, :dev)"""),
            {"hash": TOKEN_HASH + box.dev.encode(), "store": box.store_id, "dev": box.dev},
        )


def status_of(database: Database, box: BoxStream) -> str:
    with database.begin() as connection:
        found = connection.execute(text("SELECT status FROM device WHERE dev = :d"), {"d": box.dev})
        return str(found.scalar_one())


def desired(peer: MqttPeer) -> DesiredState:
    return parse_message(DesiredState, peer.receive().payload)


def ack(peer: MqttPeer) -> Ack:
    return parse_message(Ack, peer.receive().payload)


def send(peer: MqttPeer, box: BoxStream, first: int, last: int) -> None:
    peer.publish(topics.up_journal(DeviceId(box.dev)), box.batch(first, last))


def hello(box: BoxStream, **changes: Any) -> bytes:
    said: dict[str, Any] = {
        "dev": box.dev,
        "stream": box.stream_id.hex(),
        "seq": 0,
        "hash": "",
        "acked": -1,
        "boot": 1,
        "conn": 1,
        "sw": "0.1.0",
        "clk": 2,
        "t": START_MS,
        "stored_rev": 0,
        "active_rev": 0,
        "unsynced": 1,
    }
    return message_bytes(Hello(**{**said, **changes}))


def test_a_retired_box_is_told_so_and_its_tail_is_taken(
    database: Database,
    run: Run,
    workers: Workers,
    connect: Callable[[BoxStream], MqttPeer],
    new_box: NewBox,
) -> None:
    workers.here()
    box = new_box()
    box.append_sales(3)
    peer = connect(box)
    assert run("box", "retire", box.dev, "--reason", "new counter", "--by", "li")[0] == 0
    assert desired(peer).status == "retiring"
    send(peer, box, 0, 2)
    assert (ack(peer).code, status_of(database, box)) == ("ok", "retiring")
    code, _, error = run("box", "retire", box.dev, "--reason", "again")
    assert (code, error.count("\n")) == (1, 1)


def test_a_retiring_box_that_was_away_is_told_when_it_says_hello(
    run: Run, workers: Workers, connect: Callable[[BoxStream], MqttPeer], new_box: NewBox
) -> None:
    box = new_box()
    run("box", "retire", box.dev, "--reason", "new counter")
    workers.here()
    peer = connect(box)
    assert desired(peer).status == "retiring"  # retained
    peer.publish(topics.up_hello(DeviceId(box.dev)), hello(box))
    answers = [peer.receive(), peer.receive()]
    [again] = [m for m in answers if m.topic == topics.down_desired(DeviceId(box.dev))]
    assert parse_message(DesiredState, again.payload).status == "retiring"


def test_a_reinstated_box_is_told_so(
    database: Database,
    run: Run,
    workers: Workers,
    connect: Callable[[BoxStream], MqttPeer],
    new_box: NewBox,
) -> None:
    workers.here()
    box = new_box()
    enrolled(database, box)
    peer = connect(box)
    run("box", "retire", box.dev, "--reason", "by mistake")
    assert desired(peer).status == "retiring"
    assert run("box", "reinstate", box.dev, "--reason", "by mistake")[0] == 0
    assert desired(peer).status == "active"
    assert status_of(database, box) == "active"


def test_a_hello_for_a_new_life_is_answered_as_an_empty_stream(
    database: Database,
    workers: Workers,
    connect: Callable[[BoxStream], MqttPeer],
    new_box: NewBox,
) -> None:
    workers.here()
    box = new_box()
    life = BoxStream(box.dev, box.store_id, 2)
    peer = connect(box)
    peer.publish(topics.up_hello(DeviceId(box.dev)), hello(box, stream=life.stream_id.hex()))
    answers = [peer.receive(), peer.receive()]
    [told] = [m for m in answers if m.topic == topics.down_ack(DeviceId(box.dev))]
    answer = parse_message(Ack, told.payload)
    assert (answer.code, answer.head, answer.hh, answer.safe) == ("ok", -1, "", -1)


def test_a_box_that_is_revoked_while_connected_is_refused(
    database: Database,
    workers: Workers,
    connect: Callable[[BoxStream], MqttPeer],
    new_box: NewBox,
) -> None:
    workers.here()
    box = new_box()
    box.append_sales(2)
    peer = connect(box)
    send(peer, box, 0, 0)
    assert ack(peer).code == "ok"
    with database.begin() as connection:  # the broker does not know yet
        connection.execute(
            text("UPDATE device SET status = 'revoked' WHERE dev = :d"), {"d": box.dev}
        )
    send(peer, box, 1, 1)
    answer = ack(peer)
    assert (answer.code, answer.head, answer.hh) == ("revoked", -1, "")


def test_a_revoked_box_is_cut_off_and_kept_out_until_it_is_reinstated(
    database: Database,
    broker: Broker,
    run: Run,
    connect: Callable[[BoxStream], MqttPeer],
    new_box: NewBox,
) -> None:
    box = new_box()
    enrolled(database, box)
    peer = connect(box)
    assert run("box", "revoke", box.dev, *WHY)[0] == 0
    assert status_of(database, box) == "revoked"
    if broker.has_logins:
        eventually(lambda: not peer.client.is_connected())
        assert is_refused(broker, box, "secret")
    assert run("box", "reinstate", box.dev, "--reason", "found again")[0] == 0
    assert status_of(database, box) == "active"
    with database.begin() as connection:
        found = connection.execute(
            text("SELECT action, by, reason FROM fleet_event WHERE dev = :d ORDER BY id"),
            {"d": box.dev},
        )
        revoked, active = (tuple(row) for row in found)
    assert revoked == ("revoked", "li", "stolen from the counter")
    assert (active[0], active[2]) == ("active", "found again")


def is_refused(broker: Broker, box: BoxStream, password: str) -> bool:
    answers: queue.Queue[bool] = queue.Queue()
    client = MqttPeer(broker.device_port, box.dev, password).client
    client.on_connect = lambda _c, _d, _f, reason, _p: answers.put(reason.is_failure)
    client.connect(LOOPBACK, broker.device_port)
    client.loop_start()
    refused = answers.get(timeout=5)
    client.disconnect()
    client.loop_stop()
    return refused


def eventually(check: Callable[[], bool], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_store_has_one_box_in_service(
    database: Database, run: Run, new_box: NewBox, admin: httpx.Client, api: CloudApi
) -> None:
    box = new_box()
    enrolled(database, box)
    run("box", "retire", box.dev, "--reason", "swap")
    token = admin.post("/v1/claims", json={"store_id": box.store_id}).json()["token"]
    body = enrol_body(token, journal_key("ab" * 32), api.clock.now_ms())
    new = admin.post("/v1/enrol", json=body).raise_for_status().json()
    code, _, error = run("box", "reinstate", box.dev, "--reason", "swap back")
    assert (code, new["dev"] in error) == (1, True)
    run("box", "revoke", new["dev"], "--reason", "broken")
    assert run("box", "reinstate", box.dev, "--reason", "swap back")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("retire", "d-zzzzzzzzzzzzzzzz", "--reason", "x"), "There is no box"),
        (("show", "d-zzzzzzzzzzzzzzzz"), "There is no box"),
        (("revoke", "d-zzzzzzzzzzzzzzzz", "--reason", " "), "Give a reason"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    run: Run, arguments: tuple[str, ...], said: str
) -> None:
    code, out, error = run("box", *arguments)
    assert (code, out) == (1, "")
    assert said in error


def test_a_box_that_nobody_enrolled_here_cannot_be_reinstated(run: Run, new_box: NewBox) -> None:
    box = new_box()
    run("box", "revoke", box.dev, *WHY)
    assert "enrol it again" in run("box", "reinstate", box.dev, *WHY)[2]


def test_boxes_and_their_journals_are_listed(
    database: Database, api: CloudApi, admin: httpx.Client, run: Run, new_box: NewBox
) -> None:
    box = new_box()
    run("box", "retire", box.dev, *WHY)
    [line] = [line for line in run("box", "list")[1].splitlines() if line.startswith(box.dev)]
    assert line.split("\t")[1:5] == [box.store_id, "retiring", "open/enrol/1", "0 to come"]
    shown = run("box", "show", box.dev)[1]
    assert box.stream_id.hex() in shown
    assert "stolen from the counter" in shown
    history = admin.get(f"/v1/fleet/boxes/{box.dev}").raise_for_status().json()
    assert [life["cause"] for life in history["streams"]] == ["enrol"]
    assert [event["action"] for event in history["events"]] == ["retiring"]
    assert admin.get("/v1/fleet/boxes/d-zzzzzzzzzzzzzzzz").status_code == 404
    row = next(b for b in admin.get("/v1/fleet/boxes").json()["boxes"] if b["dev"] == box.dev)
    assert (row["stream_cause"], row["streams"]) == ("enrol", 1)


def test_the_incarnation_is_told_and_declared_anew(run: Run) -> None:
    before = run("incarnation", "show")[1].strip()
    assert run("incarnation", "bump")[1].strip() == f"{before}-1"
    assert run("incarnation", "show")[1].strip() == f"{before}-1"
