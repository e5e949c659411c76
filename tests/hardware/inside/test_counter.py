"""A scale and a customer display on USB's serial class, through the kernel's own cdc_acm."""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from edge.clock import SystemClock
from edge.device.display import DisplayConfig, SerialDisplay
from edge.device.scale import ScaleConfig, SerialScale
from edge.device.virtual_display import VirtualDisplay
from edge.device.virtual_scale import VirtualScale
from tests.hardware.gadgets import Identity, SerialGadget
from tests.hardware.inside.conftest import Bench
from tests.hardware.inside.listening import PATIENCE_S, until

CLOCK = SystemClock()
NODE = Path("/dev/ttyACM0")
SCALE = Identity(0x0EB8, 0xF000, "Serial scale", "SCL0001")
DISPLAY = Identity(0x0525, 0xA4A7, "Pole display", "DSP0001")
REPLUG_S = 1.0
PULLS_WHEN_BUSY = 10
Answer = Callable[[bytes], bytes]
Measure = Callable[[str, object], None]


class FarEnd:
    """The device's end of the cable: gives what comes to `answer`, and its answer back.

    The kernel takes no device apart whose end is held open: `unplug` lets go of it first.
    """

    def __init__(self, gadget: SerialGadget, answer: Answer) -> None:
        self._gadget = gadget
        self._answer = answer
        self._is_closing = False
        self._thread = threading.Thread(target=self._work, daemon=True)

    def plug(self) -> None:
        self._is_closing = False
        self._gadget.plug(0)
        until(NODE.exists, "the line")
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        self._is_closing = True
        if self._thread.ident is not None:
            self._thread.join()
        self._gadget.unplug()

    def _work(self) -> None:
        deadline, descriptor = time.monotonic() + PATIENCE_S, None
        while descriptor is None and time.monotonic() < deadline:
            with suppress(OSError):
                descriptor = self._gadget.open()
        assert descriptor is not None
        while not self._is_closing:
            if select.select([descriptor], [], [], 0.05)[0]:
                with suppress(OSError):
                    answer = self._answer(os.read(descriptor, 4096))
                    if answer:
                        os.write(descriptor, answer)
        os.close(descriptor)


Wire = Callable[[Identity, Answer], FarEnd]


@pytest.fixture
def wire(bench: Bench) -> Iterator[Wire]:
    """Makes far ends; all are unplugged after the check, however it went."""
    made: list[FarEnd] = []

    def wired(identity: Identity, answer: Answer) -> FarEnd:
        made.append(FarEnd(bench.serial(identity), answer))
        return made[-1]

    yield wired
    for end in made:
        end.unplug()


@pytest.fixture
def peer() -> VirtualScale:
    return VirtualScale(("127.0.0.1", 0), CLOCK, settle_ms=100)


@pytest.fixture
def scale() -> Iterator[SerialScale]:
    made = SerialScale(ScaleConfig(lambda: str(NODE)), CLOCK)
    yield made
    made.stop()


def test_a_scale_weighs_over_usb_and_is_back_within_a_second(
    wire: Wire, peer: VirtualScale, scale: SerialScale, record_property: Measure
) -> None:
    # An adapter of a real scale takes the parity bits off.
    end = wire(SCALE, lambda data: bytes(b & 0x7F for b in peer.answer(data)))
    end.plug()
    scale.start()

    def shows(condition: str, milli: int = 0) -> bool:
        weight = scale.weight()
        return weight is not None and (weight.condition, weight.weight_milli) == (condition, milli)

    until(lambda: shows("zero"), "an empty pan")
    peer.load(1235)
    until(lambda: shows("stable", 1235), "a weight")
    took: list[float] = []
    # A busy machine makes the kernel slow too; a pause of the box's own would show in every pull.
    while not took or (min(took) > REPLUG_S and len(took) < PULLS_WHEN_BUSY):
        end.unplug()
        until(lambda: scale.weight() is None, "the last weight to be forgotten")
        until(lambda: scale.state().state == "absent", "the scale to be missed")
        end.plug()
        took.append(until(lambda: shows("stable", 1235), "the weight again"))
    record_property("re-plug to weight, s", [round(each, 3) for each in took])
    assert min(took) <= REPLUG_S
    peer.load(20_000)
    until(lambda: shows("over"), "too much")


def test_a_customer_display_shows_the_same_again_after_its_plug(wire: Wire) -> None:
    shown = VirtualDisplay(("127.0.0.1", 0))
    waiting = b""

    def take(data: bytes) -> bytes:
        nonlocal waiting
        waiting = shown.take(waiting + data)
        return b""

    end = wire(DISPLAY, take)
    end.plug()
    display = SerialDisplay(DisplayConfig(lambda: str(NODE), encoding="gb18030"), CLOCK)
    display.show(("燕麦片 500g", "合计 3.49"))
    display.start()
    until(lambda: shown.rows() == ("燕麦片 500g", "合计 3.49"), "the rows")
    end.unplug()
    display.show(("找零", "1.51"))
    until(lambda: display.state().state == "absent", "the display to be missed")
    end.plug()
    until(lambda: shown.rows() == ("找零", "1.51"), "the newer rows")
    display.stop()
