"""What the broker does alone: as many messages of the same size to the same clients."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Sequence

import orjson
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from shared.kernel.ids import DeviceId
from shared.wire.message import Ack, AckCode, message_bytes
from shared.wire.topics import down_ack
from tests.lab.broker import Broker
from tests.lab.net import LOOPBACK

MESSAGE_BYTES = 700
"""A desired document's size."""
IN_FLIGHT = 1_000
WAIT_S = 120.0


def raw_rate_per_s(broker: Broker, devices: Sequence[DeviceId]) -> float:
    """Messages per second that one client brings to all of them, each confirmed (QoS 1)."""
    confirmed = threading.Semaphore(0)
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2, client_id=secrets.token_hex(8), protocol=mqtt.MQTTv5
    )
    client.username_pw_set(broker.internal_user, broker.internal_password)
    client.max_inflight_messages_set(IN_FLIGHT)
    client.on_publish = lambda *_: confirmed.release()
    client.connect(LOOPBACK, broker.internal_port)
    client.loop_start()
    payload = _payload()
    began = time.perf_counter()
    for dev in devices:
        client.publish(down_ack(dev), payload, qos=1)
    for _ in devices:
        assert confirmed.acquire(timeout=WAIT_S)
    took_s = time.perf_counter() - began
    client.disconnect()
    client.loop_stop()
    return len(devices) / took_s


def _payload() -> bytes:
    """An acknowledgement that changes nothing, padded with what its readers leave out."""
    ack = orjson.loads(message_bytes(Ack("00" * 16, AckCode.OK, -1, "", -1, "", "", 0)))
    bare = len(orjson.dumps({**ack, "pad": ""}))
    return orjson.dumps({**ack, "pad": "x" * (MESSAGE_BYTES - bare)})
