"""Takes in how boxes feel: gathered for a moment, then written with one statement for all of them.

A handler only parses and remembers, so it runs on the broker link's own thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from cloud.db import Database
from cloud.fleet import telemetry_store
from cloud.fleet.gather import Gathering
from cloud.mqtt import Message
from shared.kernel.clock import Clock
from shared.wire.message import Telemetry, parse_message
from shared.wire.topics import device_of

FLUSH_EVERY_S = 1.0
_INTEGER_MAX = 2**31 - 1


class TelemetryConsumer:
    """Parses and gathers; `start` and `stop` once each, `on_telemetry` from any thread."""

    def __init__(self, database: Database, clock: Clock, count: Callable[[str, int], None]) -> None:
        """`count` is told how many were "written" or "lost"."""
        self._database = database
        self._clock = clock
        self._gathering = Gathering("telemetry", FLUSH_EVERY_S, self._save, count)
        self.start, self.stop = self._gathering.start, self._gathering.stop
        self.flush = self._gathering.flush

    def on_telemetry(self, message: Message) -> None:
        """Remember a box's word; returns at once. RefusedError as `parse_message`."""
        dev = device_of(message.topic)
        self._gathering.put(dev, row_of(dev, parse_message(Telemetry, message.payload)))

    def _save(self, rows: list[tuple[str, tuple[Any, ...]]]) -> None:
        with self._database.begin() as connection:
            telemetry_store.save(connection, [row for _, row in rows], self._clock.now_ms())


def row_of(dev: str, told: Telemetry) -> tuple[Any, ...]:
    """A message as a row of `telemetry_store.COLUMNS`; what no column holds is cut down to it."""
    devices = [
        {"id": each.id, "kind": each.kind, "state": each.state, "fault": each.fault}
        for each in told.devices
    ]
    return (
        dev,
        told.t,
        _large(told.uptime_s),
        _large(told.disk_free_mb),
        _large(told.disk_size_mb),
        min(told.clk, 2),
        _large(told.queue),
        _small(told.wear_percent),
        _small(told.temperature_mc),
        told.is_undervolted,
        _large(told.clock_off_ms),
        _small(told.memory_mb),
        _small(told.load_milli),
        _small(told.certificate_days),
        _small(told.scan_p50_ms),
        _small(told.scan_p99_ms),
        _small(told.sync_p50_ms),
        _small(told.sync_p99_ms),
        min(told.scans, _INTEGER_MAX),
        orjson.dumps(devices).decode(),
    )


def _small(value: int | None) -> int | None:
    return None if value is None else max(-_INTEGER_MAX, min(value, _INTEGER_MAX))


def _large(value: int | None) -> int | None:
    return None if value is None else max(-(2**53), min(value, 2**53))
