"""What the broker does alone, and an observer that sees what reaches the stores."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import orjson
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from shared.kernel.ids import DeviceId
from shared.wire.message import Ack, AckCode, message_bytes
from shared.wire.topics import ROOT, down_ack
from tests.lab.broker import Broker
from tests.lab.net import LOOPBACK

MESSAGE_BYTES = 700
"""A desired document's size."""
IN_FLIGHT = 200
"""More than that outruns the observer, and the broker drops what it cannot queue for it."""
QUIET_S = 2.0
WAIT_S = 180.0
SETTLE_S = 3.0
"""How long the retained messages of a subscription take to come at most."""


@dataclass
class Observer:
    """Hears every message of one kind to any store, and notes when it came."""

    came_s: list[float] = field(default_factory=list)

    def heard(self, message: mqtt.MQTTMessage) -> None:
        """Note a message; what the broker had kept from before is no news."""
        if not message.retain:
            self.came_s.append(time.perf_counter())

    def rate_per_s(self, count: int) -> float:
        """Wait for so many, or until no more come; how fast they came, first to last.

        The broker drops what it cannot queue for a slow observer: what is lost slows the figure.
        """
        deadline, seen = time.monotonic() + WAIT_S, -1
        while len(self.came_s) < count and time.monotonic() < deadline:
            if seen == len(self.came_s) > 1:
                break
            seen = len(self.came_s)
            time.sleep(QUIET_S)
        assert len(self.came_s) > 1, "nothing came"
        return (len(self.came_s) - 1) / (self.came_s[-1] - self.came_s[0])


@contextmanager
def observing(broker: Broker, kind: str) -> Iterator[Observer]:
    """Watch `dn/<kind>` of every store."""
    observer, client = Observer(), _client(broker)
    client.on_message = lambda _client, _data, message: observer.heard(message)
    client.subscribe(f"{ROOT}/d/+/dn/{kind}", qos=1)
    time.sleep(SETTLE_S)
    yield observer
    client.disconnect()
    client.loop_stop()


def raw_rate_per_s(broker: Broker, devices: Sequence[DeviceId]) -> float:
    """Messages per second that one client brings to all of them, each QoS 1, as observed."""
    client = _client(broker)
    payload = _payload()
    with observing(broker, "ja") as observer:
        for dev in devices:
            client.publish(down_ack(dev), payload, qos=1)
        rate = observer.rate_per_s(len(devices))
    client.disconnect()
    client.loop_stop()
    return rate


def _client(broker: Broker) -> mqtt.Client:
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2, client_id=secrets.token_hex(8), protocol=mqtt.MQTTv5
    )
    client.max_inflight_messages_set(IN_FLIGHT)
    client.username_pw_set(broker.internal_user, broker.internal_password)
    client.connect(LOOPBACK, broker.internal_port)
    client.loop_start()
    return client


def _payload() -> bytes:
    """An acknowledgement that changes nothing, padded with what its readers leave out."""
    ack = orjson.loads(message_bytes(Ack("00" * 16, AckCode.OK, -1, "", -1, "", "", 0)))
    bare = len(orjson.dumps({**ack, "pad": ""}))
    return orjson.dumps({**ack, "pad": "x" * (MESSAGE_BYTES - bare)})
