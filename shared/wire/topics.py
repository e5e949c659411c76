"""MQTT topics, version 1. The device id is the only thing that a topic says."""

from __future__ import annotations

import re

from shared.kernel.errors import RefusedError
from shared.kernel.ids import DeviceId

ROOT = "tb/1"
CLOUD_BIRTH = f"{ROOT}/sys/cloud"
ALL_HELLO = f"{ROOT}/d/+/up/hello"
ALL_STATE = f"{ROOT}/d/+/up/state"
ALL_REPORT = f"{ROOT}/d/+/up/rep"
ALL_TELEMETRY = f"{ROOT}/d/+/up/tel"
ALL_RESULTS = f"{ROOT}/d/+/up/res"

_DEVICE = re.compile(r"d-[a-z2-7]{16}")
_UP = re.compile(rf"{ROOT}/d/(d-[a-z2-7]{{16}})/up/[a-z]+")


def is_device_id(text: str) -> bool:
    """Whether a text has the form that the cloud gives to device ids."""
    return _DEVICE.fullmatch(text) is not None


def up_journal(dev: DeviceId) -> str:
    """Journal batches."""
    return f"{ROOT}/d/{dev}/up/j"


def up_hello(dev: DeviceId) -> str:
    """Heads, on each connect and every 15 minutes."""
    return f"{ROOT}/d/{dev}/up/hello"


def up_state(dev: DeviceId) -> str:
    """Birth and last will, retained."""
    return f"{ROOT}/d/{dev}/up/state"


def up_report(dev: DeviceId) -> str:
    """What of the desired state is stored, active and shown."""
    return f"{ROOT}/d/{dev}/up/rep"


def up_telemetry(dev: DeviceId) -> str:
    """How the box feels; quality of service 0."""
    return f"{ROOT}/d/{dev}/up/tel"


def up_result(dev: DeviceId) -> str:
    """What became of commands."""
    return f"{ROOT}/d/{dev}/up/res"


def down_ack(dev: DeviceId) -> str:
    """Journal acknowledgements."""
    return f"{ROOT}/d/{dev}/dn/ja"


def down_desired(dev: DeviceId) -> str:
    """The desired document, retained."""
    return f"{ROOT}/d/{dev}/dn/des"


def shared_journal(group: str) -> str:
    """The workers' shared subscription to journal batches.

    The group name is a secret: whoever joins it takes its share of every store's batches, and
    mosquitto 2.0 does not stop a box from doing so. Each filter has a group of its own, because
    rumqttd gives one group one place in all of its filters' messages.
    """
    return f"$share/{group}-j/{ROOT}/d/+/up/j"


def shared_hello(group: str) -> str:
    """The workers' shared subscription to hellos."""
    return f"$share/{group}-h/{ALL_HELLO}"


def shared_report(group: str) -> str:
    """The workers' shared subscription to reports."""
    return f"$share/{group}-r/{ALL_REPORT}"


def shared_telemetry(group: str) -> str:
    """The workers' shared subscription to telemetry."""
    return f"$share/{group}-t/{ALL_TELEMETRY}"


def shared_results(group: str) -> str:
    """The workers' shared subscription to results of commands."""
    return f"$share/{group}-c/{ALL_RESULTS}"


def device_of(topic: str) -> DeviceId:
    """The device that an `up` topic belongs to; RefusedError `wire.topic` for any other."""
    found = _UP.fullmatch(topic)
    if found is None:
        raise RefusedError("wire.topic", topic=topic[:80])
    return DeviceId(found.group(1))
