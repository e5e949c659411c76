"""Scanners in keyboard mode through usbhid, evdev and udev."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import evdev
import pytest

from edge.clock import SystemClock
from edge.device.framing import ScannerLayout
from edge.device.scanner import EvdevScanner
from tests.hardware.gadgets import GROUP_SEPARATOR, SCANNER_A, SCANNER_B, KeyboardGadget
from tests.hardware.inside.conftest import Bench
from tests.hardware.inside.listening import Till, until

CLOCK = SystemClock()
PATH_A = "/dev/input/by-id/usb-Lab_1D_Scanner_SCN0001-event-kbd"
PATH_B = "/dev/input/by-id/usb-Lab_1D_Scanner_SCN0002-event-kbd"
Measure = Callable[[str, object], None]


class Wired:
    """A scanner on a port, and the till that it delivers to."""

    def __init__(self, gadget: KeyboardGadget, path: str, port: int) -> None:
        self.gadget = gadget.plug(port)
        self.port = port
        self.till = Till()
        self.scanner = EvdevScanner(path, ScannerLayout(), CLOCK)

    def ready(self) -> float:
        return until(lambda: self.scanner.state().state == "ready", "a scanner to be ready")

    def got(self, count: int) -> list[str]:
        until(lambda: len(self.till.codes) >= count, f"{count} codes")
        return self.till.codes


@pytest.fixture
def first(bench: Bench) -> Iterator[Wired]:
    wired = Wired(bench.keyboard(SCANNER_A), PATH_A, 0)
    wired.scanner.start(wired.till.scanned, wired.till.trouble)
    wired.ready()
    yield wired
    wired.scanner.stop()


@pytest.fixture
def second(bench: Bench) -> Iterator[Wired]:
    wired = Wired(bench.keyboard(SCANNER_B), PATH_B, 1)
    wired.scanner.start(wired.till.scanned, wired.till.trouble)
    wired.ready()
    yield wired
    wired.scanner.stop()


def codes_of(lane: int, count: int) -> list[str]:
    return [f"690{lane}{number:09d}" for number in range(count)]


def scan_at_pace(gadget: KeyboardGadget, codes: list[str], took: list[float]) -> None:
    """One code every 0.1 s, as fast as no person is."""
    began = time.monotonic()
    for number, code in enumerate(codes):
        time.sleep(max(0.0, began + number * 0.1 - time.monotonic()))
        gadget.scan(code, gap_s=0.001)
    took.append(time.monotonic() - began)


def test_two_scanners_at_once_lose_nothing_and_keep_their_order(
    first: Wired, second: Wired, record_property: Measure
) -> None:
    ours, theirs = codes_of(1, 20), codes_of(2, 20)
    took: list[float] = []
    threads = [
        threading.Thread(target=scan_at_pace, args=(wired.gadget, codes, took))
        for wired, codes in ((first, ours), (second, theirs))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert first.got(20) == ours
    assert second.got(20) == theirs
    assert first.till.troubles == second.till.troubles == []
    record_property("20 scans on each of two scanners, typed in s", round(max(took), 2))


def test_what_is_on_a_label_arrives_as_it_is(first: Wired) -> None:
    codes = [
        "ABCdef-123",
        "https://id.example/01/09501101530003?a=B_c",
        f"]C1010950{GROUP_SEPARATOR}10A",
    ]
    for code in codes:
        first.gadget.scan(code)
    assert first.got(3) == codes


def test_a_scan_is_never_a_key_stroke_elsewhere(first: Wired) -> None:
    other = evdev.InputDevice(PATH_A)
    with pytest.raises(OSError, match="busy") as refused:
        other.grab()
    assert refused.value.errno == errno.EBUSY
    first.gadget.scan("6901234567892")
    assert first.got(1) == ["6901234567892"]
    with pytest.raises(BlockingIOError):
        other.read_one() or other.read().__next__()
    other.close()


def test_a_scanner_pulled_out_in_mid_code_is_back_and_half_a_code_is_dropped(
    first: Wired, record_property: Measure
) -> None:
    for character in "69012":
        first.gadget.press(character)
    pulled = time.monotonic()
    first.gadget.unplug()
    until(lambda: first.scanner.state().state == "absent", "the scanner to be missed")
    noticed_s = time.monotonic() - pulled
    plugged = time.monotonic()
    first.gadget.plug(first.port)
    first.ready()
    ready_s = time.monotonic() - plugged
    first.gadget.scan("4006381333931")
    assert first.got(1) == ["4006381333931"]
    record_property("unplugged, noticed after s", round(noticed_s, 3))
    record_property("plugged in again, ready after s", round(ready_s, 3))
    assert first.till.troubles == ["scanner.partial"]


def test_keys_lost_by_the_kernel_spoil_a_code_and_are_told(first: Wired) -> None:
    first.till.slow_s = 1.5
    first.gadget.scan("1")
    for code in codes_of(1, 12):
        first.gadget.scan(code, gap_s=0)
    first.till.slow_s = 0
    until(lambda: first.scanner.state().last_fault == "scanner.keys_lost", "lost keys to be told")
    time.sleep(0.5)
    first.gadget.scan("4006381333931")
    until(lambda: first.till.codes[-1:] == ["4006381333931"], "the next code")
    assert set(first.till.codes) <= {"1", "4006381333931", *codes_of(1, 12)}
    assert first.till.troubles
    assert set(first.till.troubles) == {"scanner.keys_lost"}


def test_a_stopped_scanner_leaves_the_device_to_others(first: Wired) -> None:
    first.scanner.stop()
    other = evdev.InputDevice(PATH_A)
    other.grab()
    other.close()
    assert Path(PATH_A).exists()
