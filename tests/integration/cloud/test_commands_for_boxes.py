"""Commands from head office to a box and back: real worker, real broker, real database."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from cloud.db import Database
from cloud.fleet import remote
from cloud.fleet.remote import Ask
from shared.kernel.errors import MissingError, RefusedError
from shared.wire import topics
from shared.wire.message import CommandResult, Telemetry, message_bytes
from tests.fakes.box_stream import BoxStream
from tests.fakes.far_box import PASSWORD, FarBox
from tests.lab.broker import Broker
from tests.lab.cloud_api import CloudApi, SettableClock
from tests.lab.workers import Workers

NewBox = Callable[[], BoxStream]
_ids = count(1)


@pytest.fixture(scope="module")
def worker(
    database: Database, broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    made = Workers(database.url, broker, tmp_path_factory.mktemp("worker"))
    yield made.here()
    made.stop()


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(int(time.time() * 1000))


@pytest.fixture
def new_far_box(
    broker: Broker, new_box: NewBox, tmp_path: Path, clock: SettableClock
) -> Callable[[str], FarBox]:
    """Makes a box; a second one of the same name is the same box after a restart."""

    def make(dev: str = "") -> FarBox:
        if not dev:
            dev = new_box().dev
            broker.add_device(dev, PASSWORD)
        return FarBox(broker, dev, tmp_path, clock)

    return make


def eventually(check: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def ask(database: Database, dev: str, clock: SettableClock, minutes: int = 10) -> str:
    order = Ask([dev], "self_test", by="it", reason="after the storm", minutes=minutes)
    return remote.ask(database, order, clock.at_ms, lambda: f"{next(_ids):032x}")[0]


def row(database: Database, command_id: str) -> dict[str, Any]:
    found = remote.commands(database, "", "", 500)
    return next(each for each in found if each["id"] == command_id)


def test_a_box_that_was_away_does_it_once_and_is_asked_no_more(
    database: Database, worker: str, new_far_box: Callable[..., FarBox], clock: SettableClock
) -> None:
    box = new_far_box()
    asked = ask(database, box.dev, clock)
    with box:
        eventually(lambda: row(database, asked)["state"] == "done")
        eventually(lambda: box.documents[-1].commands == ())
    found = row(database, asked)
    assert (box.done, found["detail"]) == ([asked], "tested=3 failed=0")
    again = new_far_box(box.dev)
    with again:
        eventually(again.heard.is_set)
        assert again.documents[0].commands == ()
    assert again.done == []


def test_a_box_that_comes_back_too_late_lets_it_expire(
    database: Database, worker: str, new_far_box: Callable[..., FarBox], clock: SettableClock
) -> None:
    box = new_far_box()
    asked = ask(database, box.dev, clock, minutes=1)
    with database.begin() as connection:
        remote.expire(connection, clock.at_ms + 400_000)
    assert (row(database, asked)["state"], row(database, asked)["code"]) == (
        "expired",
        "command.no_answer",
    )
    clock.at_ms += 3_600_000
    with box:
        eventually(lambda: row(database, asked)["code"] == "command.expired")
        eventually(lambda: box.documents[-1].commands == ())
    assert box.done == []


def test_a_command_whose_result_was_lost_is_not_done_twice(
    database: Database, worker: str, new_far_box: Callable[..., FarBox], clock: SettableClock
) -> None:
    first = new_far_box()
    first.lost = 10**6
    asked = ask(database, first.dev, clock)
    with first:
        eventually(lambda: first.done == [asked])
    assert row(database, asked)["state"] == "waiting"
    second = new_far_box(first.dev)
    with second:
        eventually(lambda: row(database, asked)["state"] == "done")
    assert second.done == []


def test_a_result_counts_once_and_the_truth_of_the_box_goes_before_a_guess(
    database: Database, new_box: NewBox, clock: SettableClock
) -> None:
    box = new_box()
    asked = ask(database, box.dev, clock)
    remote.cancel(database, asked, "it", clock.at_ms)
    with pytest.raises(RefusedError, match="not_waiting"):
        remote.cancel(database, asked, "it", clock.at_ms)
    done, late = (CommandResult(asked, state, clock.at_ms) for state in ("done", "failed"))
    assert remote.take_result(database, box.dev, done, clock.at_ms)
    assert not remote.take_result(database, box.dev, late, clock.at_ms)
    assert not remote.take_result(database, "d-somebody", late, clock.at_ms)
    assert row(database, asked)["state"] == "done"


def test_a_box_has_four_commands_at_most_and_old_ones_make_room(
    database: Database, new_box: NewBox, clock: SettableClock
) -> None:
    box = new_box()
    asked = [ask(database, box.dev, clock, minutes=1) for _ in range(4)]
    with pytest.raises(RefusedError, match="too_many"):
        ask(database, box.dev, clock)
    clock.at_ms += 120_000
    ask(database, box.dev, clock)
    assert row(database, asked[0])["state"] == "expired"
    with pytest.raises(MissingError):
        ask(database, "d-nobody", clock)


def test_telemetry_comes_in_through_the_broker(
    database: Database, worker: str, new_far_box: Callable[..., FarBox], clock: SettableClock
) -> None:
    told = Telemetry(clock.at_ms, 60, 5_000, 10_000, 2, 7, temperature_mc=51_000, scans=4)
    statement = text("SELECT queue, temperature_mc FROM telemetry WHERE dev = :dev")

    def has_come(box: FarBox) -> bool:
        box.say(topics.up_telemetry(box.dev), message_bytes(told))
        with database.begin() as connection:
            found = connection.execute(statement, {"dev": box.dev}).one_or_none()
        return found is not None and tuple(found) == (7, 51_000)

    with new_far_box() as box:
        eventually(lambda: has_come(box))


@pytest.fixture(scope="module")
def it(api: CloudApi) -> httpx.Client:
    return api.client("it")


def test_who_may_command_asks_over_http_and_reads_what_was_handed_in(
    api: CloudApi, database: Database, it: httpx.Client, new_box: NewBox
) -> None:
    box, secret = new_box(), "box-secret"
    with database.begin() as connection:
        connection.execute(
            text("UPDATE device SET secret_hash = sha256(convert_to(:s, 'UTF8')) WHERE dev = :d"),
            {"s": secret, "d": box.dev},
        )
    order = {"devs": [box.dev], "kind": "collect_logs", "reason": "slow", "minutes": 5}
    refused = api.client("reader").post("/v1/fleet/commands", json=order)
    assert refused.status_code == 403
    wrong = it.post("/v1/fleet/commands", json={**order, "args": {"path": "/etc"}})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "command.args")
    answer = it.post("/v1/fleet/commands", json=order)
    assert answer.status_code == 201
    asked = answer.json()["ids"][0]
    mine = {"Authorization": f"Bearer {box.dev}.{secret}"}
    path, packed = f"/v1/device/commands/{asked}/log", gzip.compress(b'{"event":"x"}\n')
    stranger = api.stranger()
    assert stranger.put(path, content=packed).status_code == 401
    assert stranger.put(path, content=b"plain", headers=mine).json()["code"] == "command.log"
    assert stranger.put(path, content=packed, headers=mine).status_code == 204
    other = f"/v1/device/commands/{'0' * 32}/log"
    assert stranger.put(other, content=packed, headers=mine).status_code == 404
    assert api.client("reader").get(f"/v1/fleet/commands/{asked}/log").status_code == 403
    assert gzip.decompress(it.get(f"/v1/fleet/commands/{asked}/log").content) == b'{"event":"x"}\n'
    listed = it.get("/v1/fleet/commands", params={"dev": box.dev}).json()["commands"]
    assert [(each["asked_by"], each["log_bytes"]) for each in listed] == [("it", len(packed))]
    assert it.post(f"/v1/fleet/commands/{asked}/cancel").status_code == 204
    assert stranger.put(path, content=packed, headers=mine).status_code == 404
    assert "collect_logs" in it.get("/v1/fleet/commands.csv").text
