"""Where Mosquitto is missing, rumqttd carries the same messages, and the person is told."""

from __future__ import annotations

import threading
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.lab import broker as lab_broker


def test_rumqttd_stands_in_without_log_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab_broker, "find_program", lambda _name: None)
    broker = lab_broker.Broker(tmp_path).start()
    try:
        assert not broker.has_logins
        assert broker.note is not None
        broker.add_device("box-a", "secret")
        arrived = threading.Event()
        subscribed = threading.Event()
        worker = client_on(broker.internal_port)
        worker.on_message = lambda *_: arrived.set()
        worker.on_subscribe = lambda *_: subscribed.set()
        worker.subscribe("$share/group/tb/1/d/+/up/j", qos=1)
        assert subscribed.wait(5)
        box = client_on(broker.device_port)
        box.publish("tb/1/d/box-a/up/j", b"x" * 900_000, qos=1)
        assert arrived.wait(5)
        for client in (worker, box):
            client.disconnect()
            client.loop_stop()
    finally:
        broker.stop()
    log = (tmp_path / "broker.log").read_text(encoding="utf-8")
    assert f"127.0.0.1:{broker.device_port}" in log
    assert "0.0.0.0" not in log


def client_on(port: int) -> mqtt.Client:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.username_pw_set("box-a", "whatever")
    client.connect("127.0.0.1", port)
    client.loop_start()
    return client
