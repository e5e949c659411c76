"""Takes in how boxes feel: gathered for a moment, then written with one statement for all of them.

A handler only parses and remembers, so it runs on the broker link's own thread. A box that tells
twice before the write is written once, with its newer word; what a killed worker had in hand is
lost, as telemetry may be.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import orjson
import structlog

from cloud.db import Database
from cloud.fleet import telemetry_store
from cloud.mqtt import Message
from shared.kernel.clock import Clock
from shared.kernel.errors import RetailError
from shared.wire.message import Telemetry, parse_message
from shared.wire.topics import device_of

FLUSH_EVERY_S = 1.0
ROWS_MAX = 2_000
"""In one statement."""
WAITING_MAX = 50_000
"""Boxes whose word waits while the database is away; of more the words are dropped."""
_INTEGER_MAX = 2**31 - 1
_JOIN_S = 10.0
_log = structlog.get_logger("cloud.fleet")


class TelemetryConsumer:
    """Gathers and writes; `start` and `stop` once each, `on_telemetry` from any thread."""

    def __init__(self, database: Database, clock: Clock, count: Callable[[str, int], None]) -> None:
        """`count` is told how many were "written" or "lost"."""
        self._database = database
        self._clock = clock
        self._count = count
        self._lock = threading.Lock()
        self._waiting: dict[str, tuple[Any, ...]] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="telemetry", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is in hand, then end."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)

    def on_telemetry(self, message: Message) -> None:
        """Remember a box's word; returns at once. RefusedError as `parse_message`."""
        dev = device_of(message.topic)
        row = row_of(dev, parse_message(Telemetry, message.payload))
        with self._lock:
            if dev in self._waiting or len(self._waiting) < WAITING_MAX:
                self._waiting[dev] = row
                return
        self._count("lost", 1)

    def flush(self) -> int:
        """Write what waits; how many boxes. Raises UnavailableError, and what it had is kept."""
        written = 0
        while rows := self._take():
            try:
                with self._database.begin() as connection:
                    telemetry_store.save(connection, rows, self._clock.now_ms())
            except BaseException:
                self._give_back(rows)
                raise
            written += len(rows)
            self._count("written", len(rows))
        return written

    def _take(self) -> list[tuple[Any, ...]]:
        with self._lock:
            devs = list(self._waiting)[:ROWS_MAX]
            return [self._waiting.pop(dev) for dev in devs]

    def _give_back(self, rows: list[tuple[Any, ...]]) -> None:
        with self._lock:
            for row in rows:
                self._waiting.setdefault(row[0], row)

    def _run(self) -> None:
        is_last = False
        while not is_last:
            is_last = self._stopping.wait(FLUSH_EVERY_S)
            try:
                self.flush()
            except RetailError as error:
                _log.warning("fleet.telemetry_waits", because=str(error))
            except Exception:  # noqa: BLE001 - outermost loop: log, count, go on without them
                _log.exception("fleet.telemetry_failed")
                self._count("lost", len(self._take()))


def row_of(dev: str, told: Telemetry) -> tuple[Any, ...]:
    """A message as a row of `telemetry_store.COLUMNS`; what no column holds is cut down to it."""
    devices = [
        {"id": each.id, "kind": each.kind, "state": each.state, "fault": each.fault}
        for each in told.devices
    ]
    return (
        dev,
        told.t,
        told.uptime_s,
        told.disk_free_mb,
        told.disk_size_mb,
        min(told.clk, 2),
        told.queue,
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
