"""Log-ins written by the cloud are obeyed by a real broker, at once and for no foreign topic."""

from __future__ import annotations

import threading
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from cloud.fleet.broker_accounts import MosquittoAccounts, hashed_password
from tests.lab.broker import Broker

WAIT_S = 5


class Peer:
    """A client that remembers what it was told."""

    def __init__(self, port: int, user: str, password: str) -> None:
        self.messages: list[tuple[str, bytes]] = []
        self.connected = threading.Event()
        self.refused = threading.Event()
        self.subscribed = threading.Event()
        self.acks: list[int] = []
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, f"x-{user}", protocol=mqtt.MQTTv5)
        self.client.username_pw_set(user, password)
        self.client.on_connect = self._on_connect
        self.client.on_message = lambda _c, _u, m: self.messages.append((m.topic, m.payload))
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.on_publish = lambda _c, _u, _m, reason, _p: self.acks.append(reason.value)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _props: Any) -> None:
        (self.refused if reason.is_failure else self.connected).set()

    def subscribe(self, topic: str) -> None:
        self.subscribed.clear()
        self.client.subscribe(topic, qos=1)
        assert self.subscribed.wait(WAIT_S)


@contextmanager
def peer(port: int, user: str, password: str) -> Iterator[Peer]:
    made = Peer(port, user, password)
    try:
        yield made
    finally:
        made.client.disconnect()
        made.client.loop_stop()


def eventually(is_true: Any) -> bool:
    deadline = time.monotonic() + WAIT_S
    while not is_true() and time.monotonic() < deadline:
        time.sleep(0.01)
    return bool(is_true())


def logs_in(port: int, user: str, password: str) -> bool:
    with peer(port, user, password) as tried:
        assert eventually(lambda: tried.connected.is_set() or tried.refused.is_set())
        return tried.connected.is_set()


def heard(worker: Peer) -> list[bytes]:
    """What came from this test's boxes: others on this broker may still be leaving."""
    return [payload for topic, payload in worker.messages if topic.startswith("tb/1/d/box-")]


@pytest.fixture
def secured(broker: Broker) -> Broker:
    assert broker.has_logins, "Mosquitto is missing: install it (apt-get install mosquitto)."
    return broker


def test_a_box_may_log_in_as_soon_as_it_is_added_and_only_with_its_password(
    secured: Broker,
) -> None:
    assert not logs_in(secured.device_port, "box-new", "secret")
    secured.add_device("box-new", "secret")
    assert eventually(lambda: logs_in(secured.device_port, "box-new", "secret"))
    assert not logs_in(secured.device_port, "box-new", "other")
    secured.add_device("box-new", "changed")
    assert eventually(lambda: logs_in(secured.device_port, "box-new", "changed"))
    assert not logs_in(secured.device_port, "box-new", "secret")


def test_boxes_cannot_use_the_workers_listener(secured: Broker) -> None:
    secured.add_device("box-9", "secret")
    assert not logs_in(secured.internal_port, "box-9", "secret")
    assert logs_in(secured.internal_port, secured.internal_user, secured.internal_password)


def test_a_box_reaches_its_own_topics_and_no_others(secured: Broker) -> None:
    for dev in ("box-a", "box-b"):
        secured.add_device(dev, "secret")
    assert eventually(lambda: logs_in(secured.device_port, "box-b", "secret"))
    with (
        peer(secured.device_port, "box-a", "secret") as a,
        peer(secured.device_port, "box-b", "secret") as b,
        peer(secured.internal_port, secured.internal_user, secured.internal_password) as worker,
    ):
        assert all(one.connected.wait(WAIT_S) for one in (a, b, worker))
        worker.subscribe("$share/group/tb/1/d/+/up/#")
        a.subscribe("#")
        b.subscribe("tb/1/d/box-b/dn/#")
        a.client.publish("tb/1/d/box-a/up/j", b"mine", qos=1)
        assert eventually(lambda: heard(worker) == [b"mine"])
        worker.client.publish("tb/1/d/box-b/dn/des", b"for b", qos=1)
        worker.client.publish("tb/1/d/box-a/dn/ja", b"for a", qos=1)
        worker.client.publish("tb/1/sys/cloud", b"birth", qos=1)
        wanted = {("tb/1/d/box-a/dn/ja", b"for a"), ("tb/1/sys/cloud", b"birth")}
        # A retained birth of another test's cloud may lie on this broker as well.
        assert eventually(lambda: wanted <= set(a.messages))
        assert eventually(lambda: b.messages == [("tb/1/d/box-b/dn/des", b"for b")])
        a.client.publish("tb/1/d/box-b/up/j", b"forged", qos=1)
        assert eventually(lambda: len(a.acks) == 2)
        assert a.acks[-1] == 0x87  # not authorised (MQTT 5, 3.4.2.1)
        assert heard(worker) == [b"mine"]
        foreign = [topic for topic, _ in a.messages if not topic.startswith("tb/1/sys/")]
        assert foreign == ["tb/1/d/box-a/dn/ja"]


def test_the_broker_counts_a_box_under_its_log_in_not_its_client_id(secured: Broker) -> None:
    """Two boxes that claim one client id would otherwise throw each other out for ever."""
    for dev in ("box-c", "box-d"):
        secured.add_device(dev, "secret")
    assert eventually(lambda: logs_in(secured.device_port, "box-d", "secret"))
    same = []
    for dev in ("box-c", "box-d"):
        client = mqtt.Client(CallbackAPIVersion.VERSION2, "one-id", protocol=mqtt.MQTTv5)
        client.username_pw_set(dev, "secret")
        client.connect("127.0.0.1", secured.device_port, properties=Properties(PacketTypes.CONNECT))
        client.loop_start()
        same.append(client)
    assert eventually(lambda: all(client.is_connected() for client in same))
    time.sleep(0.2)
    assert all(client.is_connected() for client in same)
    for client in same:
        client.disconnect()
        client.loop_stop()


def test_the_password_file_keeps_its_mode_and_every_other_box(tmp_path: Path) -> None:
    file = tmp_path / "devices.passwd"
    file.write_text("old:$7$101$AA==$AA==\n", encoding="utf-8")
    file.chmod(0o600)
    MosquittoAccounts(file, tmp_path / "none.pid").put("new", "secret")
    assert [line.split(":")[0] for line in file.read_text().splitlines()] == ["new", "old"]
    assert file.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "devices.passwd",
        "devices.passwd.lock",
    ]


def test_a_stale_pid_file_harms_no_other_process(tmp_path: Path) -> None:
    stale = tmp_path / "mosquitto.pid"
    for content in ("", "1\n", "99999999\n", "no number"):
        stale.write_text(content, encoding="ascii")
        MosquittoAccounts(tmp_path / "devices.passwd", stale).put("box", "secret")


@pytest.mark.parametrize("dev", ["", "a:b", "a\nb"])
def test_a_name_that_would_break_the_file_is_refused(dev: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not a possible broker user"):
        MosquittoAccounts(tmp_path / "devices.passwd", tmp_path / "none.pid").put(dev, "secret")


def test_the_hash_is_the_one_of_mosquitto_passwd() -> None:
    """Known answer, made by mosquitto_passwd 2.0.11 for the password `secret`."""
    salt = "egAQc5c7HtVX57k+"
    digest = (
        "3PhSSMDvi9KQwKMOjZ6ezPDpY/3N/3WY5n9QPxAaefNib5hi+Oi4Ngk28Kdo/nVBZPkiMexZogjZABrVTWPxSQ=="
    )
    assert hashed_password("secret", b64decode(salt)) == f"$7$101${salt}${digest}"
