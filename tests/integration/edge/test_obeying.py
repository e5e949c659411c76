"""A whole box obeys head office: each command once, and nothing about people in what it tells."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from shared.item.barcode import member_card_code
from shared.kernel.ids import DeviceId
from shared.wire import topics
from shared.wire.message import (
    CommandResult,
    DesiredCommand,
    DesiredState,
    Telemetry,
    message_bytes,
    parse_message,
)
from tests.builders import a_gtin
from tests.fakes.mqtt_peer import MqttPeer
from tests.integration.edge.boxes import CASHIER, DAY, MANAGER, MANAGER_PIN
from tests.integration.edge.running_box import RunningBox, a_running_box, until
from tests.integration.edge.test_sync import a_device
from tests.lab.broker import Broker
from tests.unit.edge.ops.packs import unpacked

SECRET, MEMBER, WRONG_PIN = "device-secret-of-this-box", "24791357", "86420"


@dataclass
class Office:
    """Takes logs in by HTTP, and hears what boxes tell."""

    logs: list[tuple[str, str, bytes]] = field(default_factory=list)
    server: HTTPServer = field(init=False)

    def __post_init__(self) -> None:
        office = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                office.logs.append((self.path, self.headers["Authorization"], body))
                self.send_response(204)
                self.end_headers()

            def do_POST(self) -> None:
                self.send_error(503)

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def office() -> Iterator[Office]:
    made = Office()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def dev(broker: Broker) -> DeviceId:
    made = a_device()
    broker.add_device(made, SECRET)
    return made


@pytest.fixture
def peer(broker: Broker, dev: DeviceId) -> Iterator[MqttPeer]:
    with MqttPeer(
        broker.internal_port, broker.internal_user or "", broker.internal_password or ""
    ) as made:
        made.subscribe(topics.up_telemetry(dev))
        made.subscribe(topics.up_result(dev))
        yield made


@pytest.fixture
def box(broker: Broker, dev: DeviceId, office: Office, tmp_path: Path) -> Iterator[RunningBox]:
    url = f"http://127.0.0.1:{office.server.server_port}"
    running = a_running_box(
        tmp_path, dev=dev, secret=SECRET, broker_port=broker.device_port, cloud_url=url
    )
    yield running
    running.stop()


def a_command(kind: str, **args: str) -> DesiredCommand:
    not_after = int(time.time() * 1000) + 3_600_000
    return DesiredCommand(f"{kind}-{a_device()}".replace("-", ""), kind, not_after, args)


def words(told: Any) -> Iterator[str]:
    """Every text in it but the times, whose digits may be anything."""
    if isinstance(told, str):
        yield told
    elif isinstance(told, list):
        for each in told:
            yield from words(each)
    elif isinstance(told, dict):
        for name, value in told.items():
            yield name
            yield from () if name == "timestamp" else words(value)


def results(peer: MqttPeer, wanted: set[str], feels: list[Any]) -> dict[str, CommandResult]:
    """Results of these commands; what else came are words of telemetry."""
    found: dict[str, CommandResult] = {}
    while wanted - found.keys():
        result = heard(peer, feels)
        if result is not None:
            found[result.id] = result
    return found


def heard(peer: MqttPeer, feels: list[Any]) -> CommandResult | None:
    message = peer.receive(60)
    if message.topic.endswith("/res"):
        return parse_message(CommandResult, message.payload)
    assert message.qos == 0
    feels.append(parse_message(Telemetry, message.payload))
    return None


def test_a_box_does_what_head_office_asks_once_and_tells_nothing_about_people(
    box: RunningBox, peer: MqttPeer, dev: DeviceId, office: Office
) -> None:
    wrong: dict[str, Any] = {"operator": CASHIER, "pin": WRONG_PIN}
    assert box.call("POST", "/v1/lanes/1/session", wrong).status_code != 200
    box.sign_in()
    box.post("/v1/day/open", {"business_date": DAY})
    screen = box.screen(box.token)
    box.scan(a_gtin(3), member_card_code(MEMBER))
    screen.wait(lambda view: view["basket"]["member"] is not None)
    page, logs = a_command("test_page"), a_command("collect_logs")
    restart, unknown = a_command("restart"), a_command("self_destruct")
    wanted = DesiredState(2, "inc", commands=(page, logs, restart, unknown), telemetry_s=10)
    peer.publish(topics.down_desired(dev), message_bytes(wanted), retain=True)
    feels: list[Telemetry] = []
    found = results(peer, {page.id, logs.id, unknown.id}, feels)
    assert found[page.id].state == "done", found
    assert found[unknown.id].code == "command.unknown_kind"
    assert found[logs.id].state == "done", found
    ((path, bearer, packed),) = office.logs
    assert (path, bearer) == (f"/v1/device/commands/{logs.id}/log", f"Bearer {dev}.{SECRET}")
    told = unpacked(packed)
    assert told[0]["event"] == "standing"
    assert {"ready", "command.begun"} <= {line.get("event") for line in told[1:] if line}
    names = {each["name"] for each in box.get("/v1/lanes")["operators"]}
    text = " ".join(words(told))
    for private in (SECRET, MEMBER, WRONG_PIN, MANAGER, MANAGER_PIN, CASHIER, *names):
        assert private not in text
    assert box.process.is_alive, "a restart waits for the open basket"
    box.post("/v1/lanes/1/void", {"reason": "test"})
    until(lambda: not box.process.is_alive, 60)
    box.process.start()
    box.process.wait_http(f"{box.url}/healthz", 60)
    again = results(peer, {restart.id, page.id}, feels)
    assert (again[restart.id].state, again[page.id].state) == ("done", "done")
    assert len(office.logs) == 1
    while not feels:
        heard(peer, feels)
    assert 0 < feels[0].disk_free_mb <= feels[0].disk_size_mb
    assert {"scanner", "printer"} <= {each.kind for each in feels[0].devices}
