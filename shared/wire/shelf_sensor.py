"""What a shelf sensor says over MQTT, version 1: topics, payload, and its JSON schema.

A sensor named `milk-left` publishes on `tb/s/milk-left/state`, and has the broker keep "1" or "0"
on `tb/s/milk-left/online`.  Fields that nobody here knows are ignored.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.kernel.errors import RefusedError

VERSION = 1
STATES = "tb/s/+/state"
ONLINES = "tb/s/+/online"
PAYLOAD_BYTES_MAX = 1024
NAME_PATTERN = r"[a-z0-9][a-z0-9-]{0,31}"
_TOPIC = re.compile(rf"tb/s/({NAME_PATTERN})/(state|online)")
_MILLI = 1000


class SensorPayload(BaseModel):
    """One message.  `grams`, `celsius` and `open` as far as the sensor measures them.

    `seq` counts messages since the sensor started `up_s` seconds ago, `raw` is the converter's own
    number, `rssi` the radio's strength in dBm, `at` UTC milliseconds where the sensor has a clock.
    null is a value that the sensor should have and has not.
    """

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    v: Literal[1]
    seq: int = Field(ge=0, le=1 << 53)
    raw: float | None = None
    grams: float | None = Field(default=None, ge=-1_000_000, le=1_000_000)
    celsius: float | None = Field(default=None, ge=-273.15, le=1_000)
    open: bool | None = None
    rssi: int | None = Field(default=None, ge=-200, le=0)
    up_s: int = Field(default=0, ge=0, le=1 << 53)
    at: int | None = Field(default=None, ge=0, le=1 << 53)


@dataclass(frozen=True, slots=True)
class SensorReading:
    """The same in whole numbers: grams, thousandths of a degree; `raw` as the sensor wrote it."""

    seq: int
    raw: float | None
    grams: int | None
    celsius_milli: int | None
    is_open: bool | None
    rssi_dbm: int | None
    up_s: int


def sensor_of(topic: str) -> tuple[str, str]:
    """Name of the sensor and "state" or "online"; RefusedError `wire.topic` for any other."""
    found = _TOPIC.fullmatch(topic)
    if found is None:
        raise RefusedError("wire.topic", topic=topic[:80])
    return found[1], found[2]


def state_topic(name: str) -> str:
    """Where a sensor publishes what it measures."""
    return f"tb/s/{name}/state"


def online_topic(name: str) -> str:
    """Where the broker keeps whether a sensor is there."""
    return f"tb/s/{name}/online"


def parse_reading(payload: bytes) -> SensorReading:
    """Read a message; RefusedError `wire.sensor` names the field that is wrong."""
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise RefusedError("wire.sensor", field="size")
    try:
        told = SensorPayload.model_validate_json(payload, strict=True)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors(include_url=False)[0]["loc"])
        raise RefusedError("wire.sensor", field=where[:80] or "json") from None
    return SensorReading(
        told.seq,
        told.raw,
        None if told.grams is None else round(told.grams),
        None if told.celsius is None else round(told.celsius * _MILLI),
        told.open,
        told.rssi,
        told.up_s,
    )


def sensor_schema() -> dict[str, Any]:
    """JSON schema of the payload, committed as a snapshot: firmware in the field holds to it."""
    return SensorPayload.model_json_schema()
