"""Sensors of shelves, fridges and doors, heard through the store's own MQTT broker.

One line to the broker serves all sensors; each sensor has a state of its own.  A sensor is absent
when the broker says so (its last will) or when it has been silent for too long.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence

import structlog
from prometheus_client import Counter

from edge.device.ports import (
    USABLE,
    DeviceCondition,
    DeviceReport,
    DeviceState,
    SensorCapability,
    ShelfReading,
)
from edge.device.shelf_setup import SensorSetup
from edge.device.supervisor import NETWORKED, DeviceFaultError, StateBoard, Supervisor
from edge.mqtt import CONNECT_TIMEOUT_S, Connection, Ears, Login
from shared.kernel.clock import Clock
from shared.kernel.errors import RefusedError
from shared.wire.shelf_sensor import SensorReading, parse_reading, sensor_of

SILENT, OFFLINE, NO_BROKER = "shelf.silent", "shelf.offline", "shelf.broker_unreachable"
WEAK, RANGE, STUCK = "shelf.weak_signal", "shelf.out_of_range", "shelf.stuck"
NO_VALUE = "shelf.no_value"
WEAK_DBM = -85
STUCK_MESSAGES = 10
STUCK_MS = 15 * 60_000
"""A load cell's converter never says the same number for so long: its last bits are noise."""
UNKNOWN_NAMES_MAX = 16
BAD_LOGGED_EVERY = 100
_BELOW_TARE_G = -200
_CELSIUS_MILLI = (-55_000, 85_000)
_CHECK_S = 1.0
_MEASURES = {"weight": "grams", "temperature": "celsius_milli", "door": "is_open"}
READINGS = Counter("tillbox_shelf_readings_total", "Messages of shelf sensors", ["outcome"])
_log = structlog.get_logger(__name__)


class ShelfSensor:
    """One sensor: takes its messages, answers from memory; any thread may do either."""

    def __init__(self, setup: SensorSetup, clock: Clock) -> None:
        self.setup = setup
        self._clock = clock
        self._board = StateBoard(clock)
        self._lock = threading.Lock()
        self._is_heard = False
        self._is_online: bool | None = None
        self._since_ms = 0
        self._last: tuple[SensorReading, int] | None = None
        self._same_raw = (0, 0)

    def report(self) -> DeviceReport:
        """All about it, from memory."""
        return DeviceReport(
            id=f"shelf:{self.setup.name}",
            kind="shelf_sensor",
            lane=0,
            adapter="ShelfSensor",
            address=self.setup.label,
            capability=SensorCapability((self.setup.kind,)),
            state=self._board.read(),
            counters=self._board.counters(),
        )

    def state(self) -> DeviceState:
        """How it is."""
        return self._board.read()

    def reading(self) -> ShelfReading | None:
        """The newest values while the sensor can be trusted, None otherwise."""
        last, state = self._last, self._board.read()
        is_doubted = state.state == "degraded" and state.last_fault in {RANGE, STUCK, NO_VALUE}
        if last is None or state.state not in USABLE or is_doubted:
            return None
        told, at_ms = last
        return ShelfReading(at_ms, told.grams, told.celsius_milli, told.is_open)

    def line_up(self, *, is_up: bool) -> None:
        """The broker is reached, or lost: nothing is known then."""
        with self._lock:
            self._is_heard = is_up
            self._is_online = None
            self._last = None
            self._same_raw = (0, 0)
            self._since_ms = self._clock.mono_ms()
            self._judge()

    def take(self, payload: bytes) -> None:
        """A message of the sensor; what cannot be read is counted and named."""
        try:
            told = parse_reading(payload)
        except RefusedError as error:
            READINGS.labels("bad").inc()
            self._board.count("bad")
            if self._board.counters()["bad"] % BAD_LOGGED_EVERY == 1:
                field = error.params["field"]
                _log.warning("shelf.bad_reading", sensor=self.setup.name, field=field)
            return
        READINGS.labels("taken").inc()
        self._board.count("readings")
        with self._lock:
            now_ms = self._clock.mono_ms()
            self._count_steps(told)
            before = self._last
            is_same = before is not None and told.raw is not None and before[0].raw == told.raw
            count, since_ms = self._same_raw
            self._same_raw = (count + 1, since_ms) if is_same else (0, now_ms)
            self._last, self._is_online = (told, now_ms), True
            self._judge()

    def told_online(self, payload: bytes) -> None:
        """The broker's word on whether it is there."""
        with self._lock:
            self._is_online = payload == b"1"
            self._judge()

    def check(self) -> None:
        """Look at the time: silence makes no message."""
        with self._lock:
            self._judge()

    def _count_steps(self, told: SensorReading) -> None:
        if self._last is None:
            return
        step = told.seq - self._last[0].seq
        if step <= 0 or told.up_s < self._last[0].up_s:
            self._board.count("restarts")
        elif step > 1:
            self._board.count("missed", step - 1)

    def _judge(self) -> None:
        condition, fault = self._verdict()
        old = self._board.read()
        if fault is not None and (old.state != condition or old.last_fault != fault):
            self._board.count("faults")
        if (old.state, old.last_fault) != (condition, fault or old.last_fault):
            self._board.write(condition, fault)

    def _verdict(self) -> tuple[DeviceCondition, str | None]:
        now_ms = self._clock.mono_ms()
        if not self._is_heard:
            return "absent", NO_BROKER
        if self._is_online is False:
            return "absent", OFFLINE
        heard_ms = self._since_ms if self._last is None else self._last[1]
        if now_ms - heard_ms >= self.setup.silent_ms:
            return "absent", SILENT
        if self._last is None:
            return "connecting", None
        fault = self._doubt(self._last[0], now_ms)
        return ("ready", None) if fault is None else ("degraded", fault)

    def _doubt(self, told: SensorReading, now_ms: int) -> str | None:
        value = getattr(told, _MEASURES[self.setup.kind])
        if value is None:
            return NO_VALUE
        if not self._is_possible(told):
            return RANGE
        count, since_ms = self._same_raw
        is_weight = self.setup.kind == "weight"
        if is_weight and count >= STUCK_MESSAGES and now_ms - since_ms >= STUCK_MS:
            return STUCK
        is_weak = told.rssi_dbm is not None and told.rssi_dbm < WEAK_DBM
        return WEAK if is_weak else None

    def _is_possible(self, told: SensorReading) -> bool:
        if self.setup.kind == "weight" and told.grams is not None:
            is_light = not self.setup.max_g or told.grams <= self.setup.max_g
            return told.grams >= _BELOW_TARE_G and is_light
        if self.setup.kind == "temperature" and told.celsius_milli is not None:
            low, high = _CELSIUS_MILLI
            return low <= told.celsius_milli <= high
        return True


class ShelfLine:
    """The subscription to all sensors; `deliver` hands a message to the sensor that it is from."""

    def __init__(self, login: Login | None, sensors: Sequence[ShelfSensor], clock: Clock) -> None:
        self._login = login
        self.sensors: Mapping[str, ShelfSensor] = {each.setup.name: each for each in sensors}
        self.unknown: deque[str] = deque(maxlen=UNKNOWN_NAMES_MAX)
        self._board = StateBoard(clock)
        self._supervisor = Supervisor("shelf:broker", self._work, self._board, NETWORKED)
        self._is_started = False

    def start(self) -> None:
        """Begin to listen, on a thread of its own."""
        if not self._is_started:
            self._is_started = True
            self._supervisor.start()

    def stop(self) -> None:
        """Stop listening; safe to call twice."""
        if self._is_started:
            self._is_started = False
            self._supervisor.stop()
            self._tell(is_up=False)

    def report(self) -> DeviceReport:
        """The line itself, as a device."""
        login = self._login
        return DeviceReport(
            id="shelf:broker",
            kind="shelf_sensor",
            lane=0,
            adapter="ShelfLine",
            address="" if login is None else f"{login.host}:{login.port}",
            capability=SensorCapability(),
            state=self._board.read(),
            counters=self._board.counters(),
        )

    def deliver(self, topic: str, payload: bytes, *, is_retained: bool = False) -> None:
        """A message came in; one that the broker had kept is no measurement of now."""
        try:
            name, what = sensor_of(topic)
        except RefusedError:
            self._bad("wire.topic")
            return
        sensor = self.sensors.get(name)
        if sensor is None:
            READINGS.labels("unknown").inc()
            if name not in self.unknown:
                self.unknown.append(name)
                _log.warning("shelf.unknown_sensor", sensor=name)
        elif what == "online":
            sensor.told_online(payload)
        elif not is_retained:
            sensor.take(payload)

    def _work(self, stop: threading.Event) -> None:
        if self._login is None:  # training without a broker: `deliver` is called by the sensors
            self._tell(is_up=True)
            self._run(threading.Event(), stop)
            return
        connection = Connection(self._login, self._ears())
        try:
            connection.open()
            if not connection.answered.wait(CONNECT_TIMEOUT_S) or not connection.is_up:
                raise DeviceFaultError(NO_BROKER, is_absent=True)
            self._run(connection.over, stop)
        except (OSError, ValueError) as error:
            raise DeviceFaultError(NO_BROKER, is_absent=True) from error
        finally:
            connection.close()
            self._tell(is_up=False)
        if not stop.is_set():
            raise DeviceFaultError(NO_BROKER, is_absent=True)

    def _run(self, over: threading.Event, stop: threading.Event) -> None:
        self._board.write("ready")
        while not over.wait(0) and not stop.wait(_CHECK_S):
            for sensor in self.sensors.values():
                sensor.check()

    def _ears(self) -> Ears:
        return Ears(
            came_up=lambda _: self._tell(is_up=True),
            received=self._received,
            bad=self._bad,
            outcome=self._board.count,
            unheard=lambda _: None,
        )

    def _received(self, topic: str, payload: bytes, is_retained: bool) -> None:  # noqa: FBT001 - MQTT's own three
        try:
            self.deliver(topic, payload, is_retained=is_retained)
        except Exception:  # noqa: BLE001 - paho's thread dies of what a callback raises
            self._bad("callback")
            _log.exception("shelf.handler_failed")

    def _bad(self, code: str) -> None:
        READINGS.labels("bad").inc()
        self._board.count("bad")
        _log.info("shelf.bad_message", code=code)

    def _tell(self, *, is_up: bool) -> None:
        for sensor in self.sensors.values():
            sensor.line_up(is_up=is_up)
