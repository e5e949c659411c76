"""A scale on a serial line: asked a few times a second, or heard as it speaks.

What it tells a caller is never older than a second, and a weight is `stable` only when the scale
says so: by its answer (Toledo 8217), or by two equal readings in a row where it speaks by itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from serial import Serial

from edge.device.ports import USABLE, DeviceReport, DeviceState, ScaleCapability, Weight
from edge.device.scale_frames import Frame, ScaleProtocol, reader_of
from edge.device.serial_line import LineConfig, Parity, open_line
from edge.device.supervisor import DeviceFaultError, StateBoard, Supervisor
from shared.kernel.clock import Clock

FRESH_MS = 1000
_ASK_MS = 100
_READ_S = 0.05
_READ_BYTES = 256
_ZERO_S = 1.5
_BY_ITSELF: frozenset[ScaleProtocol] = frozenset({"continuous", "mt_continuous"})
_ZEROED_BY: dict[ScaleProtocol, bytes] = {"toledo8217": b"Z", "mt_continuous": b"Z"}
_ADAPTER = "scale.SerialScale"


@dataclass(frozen=True, slots=True)
class ScaleConfig:
    """`path` is asked at each opening; weights in thousandths of `unit`; `lane` 0 for several.

    After `silent_ms` without a good frame the line is opened anew.
    """

    path: Callable[[], str]
    lane: int = 1
    protocol: ScaleProtocol = "toledo8217"
    baud: int = 9600
    unit: str = "kg"
    max_milli: int = 15_000
    division_milli: int = 1
    silent_ms: int = 2000

    @property
    def id(self) -> str:
        """Its name, the same over restarts."""
        return f"scale-{self.lane}"

    @property
    def line(self) -> LineConfig:
        """How its line is opened: seven bits with even parity at a Toledo."""
        is_toledo = self.protocol == "toledo8217"
        parity: Parity = "even" if is_toledo else "none"
        return LineConfig(self.path(), self.baud, 7 if is_toledo else 8, parity, _READ_S)


class SerialScale:
    """ScalePort on a serial line; one thread reads, everybody else gets the last reading."""

    def __init__(self, config: ScaleConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._board = StateBoard(clock)
        self._supervisor = Supervisor(config.id, self._work, self._board)
        self._newest: Weight | None = None
        self._before: Frame | None = None
        self._heard_ms = 0
        self._is_garbled = False
        self._zero_asked = threading.Event()
        self._zero_done = threading.Event()

    @property
    def unit(self) -> str:
        """What it weighs in: kg or lb."""
        return self._config.unit

    def start(self) -> None:
        """Open the line, now or whenever it appears, and read."""
        self._supervisor.start()

    def stop(self) -> None:
        """Let it go."""
        self._supervisor.stop()

    def state(self) -> DeviceState:
        """Ready while frames come in."""
        return self._board.read()

    def report(self) -> DeviceReport:
        """What is known of it."""
        config = self._config
        can_zero = config.protocol in _ZEROED_BY
        return DeviceReport(
            id=config.id,
            kind="scale",
            lane=config.lane,
            adapter=_ADAPTER,
            address=config.path(),
            capability=ScaleCapability(config.max_milli, config.division_milli, can_zero),
            state=self._board.read(),
            counters=self._board.counters(),
        )

    def weight(self) -> Weight | None:
        """The newest reading; None where it is a second old, or there is none."""
        newest = self._newest
        if newest is None or self._clock.mono_ms() - newest.at_ms > FRESH_MS:
            return None
        return newest

    def zero(self) -> bool:
        """Take the empty pan as zero; waits for the scale's word, at most a second and a half."""
        if self._config.protocol not in _ZEROED_BY or self.state().state not in USABLE:
            return False
        self._zero_done.clear()
        self._zero_asked.set()
        self._zero_done.wait(_ZERO_S)
        newest = self.weight()
        return self._zero_done.is_set() and newest is not None and newest.condition == "zero"

    def self_test(self) -> str:
        """At night the pan is empty: the scale must be there and say zero."""
        newest = self.weight()
        if newest is None:
            return self.state().last_fault or "scale.silent"
        return "passed" if newest.condition == "zero" else "scale.not_zero"

    def _work(self, stop: threading.Event) -> None:
        line = open_line(self._config.line, "scale")
        try:
            self._board.count("opened")
            self._listen(line, stop)
        except OSError as error:  # SerialException too
            raise DeviceFaultError("scale.unplugged", is_absent=True) from error
        finally:
            self._newest = self._before = None
            line.close()

    def _listen(self, line: Serial, stop: threading.Event) -> None:
        reader = reader_of(self._config.protocol, self._config.unit)
        now_ms = self._clock.mono_ms()
        self._heard_ms, self._is_garbled, asked_ms = now_ms, False, now_ms - _ASK_MS
        zeroed_ms: int | None = None
        while not stop.is_set():
            now_ms = self._clock.mono_ms()
            if self._zero_asked.is_set():
                self._zero_asked.clear()
                line.write(_ZEROED_BY[self._config.protocol])
                zeroed_ms = now_ms + 2 * _ASK_MS
            elif self._config.protocol not in _BY_ITSELF and now_ms - asked_ms >= _ASK_MS:
                line.write(b"W")
                asked_ms = now_ms
            for frame in reader.feed(line.read(line.in_waiting or 1)):
                self._take(frame)
            if zeroed_ms is not None and now_ms >= zeroed_ms:
                self._zero_done.set()
                zeroed_ms = None
            self._refuse_silence()

    def _take(self, frame: Frame | None) -> None:
        if frame is None:
            self._spoilt("noise")
            return
        if frame.condition == "stable" and frame.weight_milli % self._config.division_milli:
            self._spoilt("off_division")
            return
        before, self._before = self._before, frame
        self._heard_ms = self._clock.mono_ms()
        if frame.condition == "stable":
            if frame.weight_milli > self._config.max_milli:
                frame = Frame("over")
            elif self._config.protocol in _BY_ITSELF and frame != before:
                frame = replace(frame, condition="moving", weight_milli=0)
        self._newest = Weight(frame.condition, frame.weight_milli, self._heard_ms, frame.is_net)
        if self._board.read().state != "ready":
            self._board.write("ready")

    def _spoilt(self, what: str) -> None:
        """A frame that does not check says nothing, and the one before it counts no more."""
        self._before, self._is_garbled = None, True
        self._board.count(what)

    def _refuse_silence(self) -> None:
        if self._clock.mono_ms() - self._heard_ms < self._config.silent_ms:
            return
        code = "scale.garbled" if self._is_garbled else "scale.silent"
        raise DeviceFaultError(code)
