"""Virtual shelf sensors for training, demos and tests: sliders instead of load cells.

They say over MQTT what the real ones say, to the store's own broker where there is one; without
one their messages go the same way from the topic on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import orjson

from edge.device.shelf_sensor import ShelfLine
from edge.device.shelf_setup import SensorKind, SensorSetup
from edge.device.supervisor import NETWORKED, DeviceFaultError, StateBoard, Supervisor
from edge.mqtt import CONNECT_TIMEOUT_S, Connection, Ears, Login
from shared.kernel.clock import Clock
from shared.wire.shelf_sensor import VERSION, online_topic, state_topic

PERIOD_S = 1.0
_RSSI_DBM = -58
_RAW_PER_GRAM = 420
_MS_PER_S = 1000
_START_MILLI = {"weight": 0, "temperature": 4_000, "door": 0}


@dataclass(frozen=True, slots=True)
class Slider:
    """Where a slider stands: grams, thousandths of a degree Celsius, or 0 and 1 for a door."""

    name: str
    label: str
    kind: SensorKind
    value: int
    is_on: bool


class VirtualShelf:
    """All virtual sensors of a box; each says its value once a second while it is switched on."""

    def __init__(
        self, setups: tuple[SensorSetup, ...], line: ShelfLine, login: Login | None, clock: Clock
    ) -> None:
        self._line = line
        self._login = login
        self._clock = clock
        self._lock = threading.Lock()
        self._sliders = {
            each.name: Slider(each.name, each.label, each.kind, _START_MILLI[each.kind], is_on=True)
            for each in setups
        }
        self._seq = 0
        self._moved = threading.Event()
        self._is_ending = threading.Event()
        self._supervisor = Supervisor("virtual-shelf", self._work, StateBoard(clock), NETWORKED)
        self._began_ms = clock.mono_ms()

    def start(self) -> None:
        """Begin to speak."""
        self._is_ending.clear()
        self._supervisor.start()

    def stop(self) -> None:
        """Fall silent; safe to call twice."""
        self._is_ending.set()
        self._moved.set()
        self._supervisor.stop()

    def sliders(self) -> tuple[Slider, ...]:
        """Where they all stand."""
        with self._lock:
            return tuple(self._sliders.values())

    def move(self, name: str, value: int, *, is_on: bool = True) -> bool:
        """Move a slider, or switch the sensor off; False when there is none of that name."""
        with self._lock:
            old = self._sliders.get(name)
            if old is None:
                return False
            self._sliders[name] = Slider(name, old.label, old.kind, value, is_on)
        self._moved.set()
        return True

    def _work(self, stop: threading.Event) -> None:
        if self._login is None:
            self._speak(stop, threading.Event(), self._into_line)
            return
        nothing = Ears(*([lambda *_: None] * 5))
        connection = Connection(self._login, nothing)
        try:
            connection.open()
            if not connection.answered.wait(CONNECT_TIMEOUT_S) or not connection.is_up:
                raise DeviceFaultError("shelf.broker_unreachable", is_absent=True)
            self._speak(stop, connection.over, self._over(connection))
        except (OSError, ValueError) as error:
            raise DeviceFaultError("shelf.broker_unreachable", is_absent=True) from error
        finally:
            connection.close()

    def _speak(
        self, stop: threading.Event, over: threading.Event, say: Callable[[str, bytes], None]
    ) -> None:
        while not (stop.is_set() or over.is_set() or self._is_ending.is_set()):
            self._seq += 1
            for each in self.sliders():
                say(online_topic(each.name), b"1" if each.is_on else b"0")
                if each.is_on:
                    say(state_topic(each.name), self._payload(each))
            self._moved.wait(PERIOD_S)
            self._moved.clear()

    def _into_line(self, topic: str, payload: bytes) -> None:
        self._line.deliver(topic, payload)

    def _over(self, connection: Connection) -> Callable[[str, bytes], None]:
        def say(topic: str, payload: bytes) -> None:
            connection.publish(topic, payload, retain=topic.endswith("/online"))

        return say

    def _payload(self, slider: Slider) -> bytes:
        told: dict[str, object] = {
            "v": VERSION,
            "seq": self._seq,
            "rssi": _RSSI_DBM,
            "up_s": (self._clock.mono_ms() - self._began_ms) // _MS_PER_S,
        }
        if slider.kind == "weight":
            # The last bits of a real converter never rest.
            told |= {"grams": slider.value, "raw": slider.value * _RAW_PER_GRAM + self._seq % 7}
        elif slider.kind == "temperature":
            told |= {"celsius": slider.value / 1000, "raw": slider.value}
        else:
            told |= {"open": bool(slider.value)}
        return orjson.dumps(told)
