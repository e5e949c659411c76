"""The scale's port: every way of speaking, over TCP and over a terminal, weighs the same."""

from __future__ import annotations

import os
import pty
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

import pytest

from edge.clock import SystemClock
from edge.device.ports import ScalePort, Weight
from edge.device.scale import ScaleConfig, SerialScale
from edge.device.scale_frames import ScaleProtocol
from edge.device.virtual_scale import VirtualScale

CLOCK = SystemClock()
LOOPBACK = ("127.0.0.1", 0)
BENCHES = (
    *("tcp toledo8217", "tcp continuous", "tcp mt_continuous"),
    *("pty toledo8217", "pty continuous"),
)


def until(is_true: Callable[[], bool], within_s: float = 5.0) -> None:
    deadline = time.monotonic() + within_s
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@dataclass
class Bench:
    port: SerialScale
    peer: VirtualScale
    protocol: ScaleProtocol

    def shows(self, condition: str, milli: int = 0) -> bool:
        weight = self.port.weight()
        return weight is not None and (weight.condition, weight.weight_milli) == (condition, milli)


class Cable:
    """A terminal whose other end is the virtual scale."""

    def __init__(self, peer: VirtualScale, protocol: ScaleProtocol) -> None:
        self._host, self._device = pty.openpty()
        tty.setraw(self._device)
        self.path = os.ttyname(self._device)
        self._is_open = True
        work = self._answer if protocol == "toledo8217" else self._speak
        self._peer = peer
        self._thread = threading.Thread(target=work, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._is_open = False
        os.close(self._device)
        os.close(self._host)
        self._thread.join(1)

    def _answer(self) -> None:
        with suppress(OSError):
            while commands := os.read(self._host, 64):
                # The driver of a real line takes the parity bit off.
                os.write(self._host, bytes(b & 0x7F for b in self._peer.answer(commands)))

    def _speak(self) -> None:
        with suppress(OSError):
            while self._is_open:
                os.write(self._host, self._peer.frame())
                time.sleep(0.03)


@pytest.fixture(params=BENCHES)
def scale(request: pytest.FixtureRequest) -> Iterator[Bench]:
    where, _, name = request.param.partition(" ")
    protocol = cast("ScaleProtocol", name)
    peer = VirtualScale(LOOPBACK, CLOCK, protocol=protocol, settle_ms=150)
    peer.start()
    cable = Cable(peer, protocol) if where == "pty" else None
    path = (lambda: peer.url) if cable is None else (lambda: cable.path)
    port = SerialScale(ScaleConfig(path, protocol=protocol), CLOCK)
    yield Bench(port, peer, protocol)
    port.stop()
    if cable is not None:
        cable.close()
    peer.stop()


def test_a_scale_weighs_what_lies_still_and_says_so_when_it_moves(scale: Bench) -> None:
    port: ScalePort = scale.port
    assert port.state().state == "absent"
    assert port.weight() is None
    port.start()
    until(lambda: scale.shows("zero"))
    assert port.state().state == "ready"
    scale.peer.load(1235)
    until(lambda: scale.shows("moving"))
    until(lambda: scale.shows("stable", 1235))
    scale.peer.load(1235)  # the same again is a weight like any other
    until(lambda: scale.shows("moving"))
    until(lambda: scale.shows("stable", 1235))
    port.stop()
    port.stop()
    assert port.weight() is None
    assert port.state().state == "absent"


def test_a_scale_tells_below_nought_too_much_and_a_tare_of_its_own(scale: Bench) -> None:
    scale.port.start()
    scale.peer.load(20_000)
    until(lambda: scale.shows("over"))
    scale.peer.load(-40)
    until(lambda: scale.shows("under"))
    scale.peer.load(250)
    until(lambda: scale.shows("stable", 250))
    scale.peer.tare()
    scale.peer.load(1000)
    until(lambda: scale.shows("stable", 750))
    weight = scale.port.weight()
    assert weight is not None
    assert weight.is_net


def test_a_scale_that_was_away_is_back_by_itself(scale: Bench) -> None:
    scale.port.start()
    scale.peer.load(500)
    until(lambda: scale.shows("stable", 500))
    scale.peer.hang_up()
    scale.peer.load(700)
    until(lambda: scale.shows("stable", 700))


def test_a_scale_is_zeroed_only_with_an_empty_pan() -> None:
    peer = VirtualScale(LOOPBACK, CLOCK, settle_ms=60)
    peer.start()
    bench = Bench(SerialScale(ScaleConfig(lambda: peer.url), CLOCK), peer, "toledo8217")
    assert not bench.port.zero()  # nobody is there
    bench.port.start()
    peer.load(15)
    until(lambda: bench.shows("stable", 15))
    assert bench.port.self_test() == "scale.not_zero"
    assert bench.port.zero()
    assert bench.shows("zero")
    assert bench.port.self_test() == "passed"
    peer.load(5000)
    until(lambda: bench.shows("stable", 4985))
    assert not bench.port.zero()
    assert bench.shows("stable", 4985)
    bench.port.stop()
    peer.stop()


def test_a_stream_of_text_cannot_be_zeroed_and_says_so() -> None:
    port = SerialScale(ScaleConfig(lambda: "/dev/null", protocol="continuous"), CLOCK)
    capability = port.report().capability
    assert not getattr(capability, "can_zero", True)
    assert not port.zero()


@pytest.mark.parametrize(
    ("noise", "code"), [(b"", "scale.silent"), (b"\x02garbage \xff\r", "scale.garbled")]
)
def test_a_scale_that_says_nothing_or_nonsense_is_a_fault(noise: bytes, code: str) -> None:
    host, device = pty.openpty()
    tty.setraw(device)
    port = SerialScale(ScaleConfig(lambda: os.ttyname(device), silent_ms=400), CLOCK)
    port.start()

    def is_told() -> bool:
        os.write(host, noise)
        return port.state().last_fault == code

    until(is_told)
    assert port.state().state == "failed"
    assert port.weight() is None
    assert port.self_test() == code
    assert port.report().counters["faults"] >= 1
    port.stop()
    os.close(device)
    os.close(host)


def test_a_scale_that_is_not_plugged_in_is_absent() -> None:
    port = SerialScale(ScaleConfig(lambda: "/dev/no-such-scale"), CLOCK)
    port.start()
    until(lambda: port.state().last_fault == "scale.absent")
    report = port.report()
    assert (report.id, report.kind, report.state.state) == ("scale-1", "scale", "absent")
    port.stop()


class StoppedClock(SystemClock):
    """A clock that a test moves on."""

    at_ms = 0

    def mono_ms(self) -> int:
        return super().mono_ms() + self.at_ms


def test_a_reading_older_than_a_second_is_none() -> None:
    clock = StoppedClock()
    peer = VirtualScale(LOOPBACK, CLOCK, settle_ms=60)
    peer.start()
    port = SerialScale(ScaleConfig(lambda: peer.url), clock)
    port.start()
    until(lambda: port.weight() is not None)
    before = cast("Weight", port.weight())
    peer.stop()
    clock.at_ms = 1200
    until(lambda: port.weight() is None)
    assert before.at_ms > 0
    port.stop()
