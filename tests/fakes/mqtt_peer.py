"""A plain MQTT 5 client for tests: remembers what it got, waits for what it expects."""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass
from typing import Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.lab.net import LOOPBACK


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker says when the peer is cut off."""

    topic: str
    payload: bytes


class MqttPeer:
    """Connects on entering a `with`, disconnects on leaving it."""

    def __init__(self, port: int, user: str, password: str, will: Will | None = None) -> None:
        self._port = port
        self._subscribed = threading.Event()
        self._got: queue.Queue[MQTTMessage] = queue.Queue()
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=user,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.username_pw_set(user, password)
        client.on_message = lambda _client, _data, message: self._got.put(message)
        client.on_subscribe = lambda *_: self._subscribed.set()
        if will is not None:
            client.will_set(will.topic, will.payload, qos=1, retain=True)
        self.client = client

    def __enter__(self) -> Self:
        self.client.connect(LOOPBACK, self._port, clean_start=True)
        self.client.loop_start()
        deadline = time.monotonic() + 5
        while not self.client.is_connected():
            assert time.monotonic() < deadline, "the broker did not let the peer in"
            time.sleep(0.005)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()
        left = self.client.socket()
        if left is not None:  # paho's thread may end without closing it
            left.close()

    def subscribe(self, topic: str) -> None:
        self._subscribed.clear()
        self.client.subscribe(topic, qos=1)
        assert self._subscribed.wait(5)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self.client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(5)

    def receive(self, seconds: float = 10) -> MQTTMessage:
        """The next message, or queue.Empty."""
        return self._got.get(timeout=seconds)

    def receive_nothing(self, seconds: float) -> bool:
        try:
            self._got.get(timeout=seconds)
        except queue.Empty:
            return True
        return False

    def cut(self) -> None:
        """Drop the connection without a goodbye, so that the will is spoken."""
        sock = self.client.socket()
        assert sock is not None
        sock.close()
        self.client.loop_stop()
