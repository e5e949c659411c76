"""What may go wrong between an input device and its lane, and that it is told."""

import errno
import time
from collections.abc import Callable, Iterator

import pytest

from edge.clock import SystemClock
from edge.device.framing import ScannerLayout
from edge.device.scanner import EvdevScanner, KeySource
from edge.device.scanner_base import Place
from edge.device.scanner_serial import SerialScanner, usb_model
from tests.fakes.key_device import KeyDevice

CLOCK = SystemClock()


def until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


class Bench:
    """A scanner on a device, and what its lane hears."""

    def __init__(self, layout: ScannerLayout, place: Place | str) -> None:
        self.device = KeyDevice()
        self.codes: list[str] = []
        self.troubles: list[str] = []
        self.scanner = EvdevScanner(place, layout, CLOCK, self.device.open)

    def start(self, until_state: str = "ready") -> None:
        self.scanner.start(self.codes.append, self.troubles.append)
        until(lambda: self.scanner.state().state == until_state)

    def told(self) -> tuple[str, str | None]:
        state = self.scanner.state()
        return state.state, state.last_fault


@pytest.fixture
def make_bench() -> Iterator[Callable[..., Bench]]:
    benches: list[Bench] = []

    def make(place: Place | str = "/dev/input/event5", **layout) -> Bench:
        benches.append(Bench(ScannerLayout(**layout), place))
        return benches[-1]

    yield make
    for bench in benches:
        bench.scanner.stop()


def test_lost_keys_cost_one_code_and_are_told_until_a_code_comes_whole(make_bench) -> None:
    bench = make_bench()
    bench.start()
    bench.device.type("6901")
    bench.device.lose_keys()
    bench.device.scan("67892")
    until(lambda: bench.troubles == ["scanner.keys_lost"])
    assert bench.told() == ("degraded", "scanner.keys_lost")
    bench.device.scan("42")
    until(lambda: bench.codes == ["42"])
    until(lambda: bench.scanner.state().state == "ready")
    assert bench.scanner.report().counters["keys_lost"] == 1


def test_after_lost_keys_shift_is_what_the_device_says(make_bench) -> None:
    bench = make_bench()
    bench.start()
    bench.device.held = [42]
    bench.device.lose_keys()
    bench.device.scan("x")
    bench.device.scan("abc")
    until(lambda: bench.codes == ["ABC"])


def test_a_plug_pulled_in_mid_code_drops_it_and_tells(make_bench) -> None:
    bench = make_bench()
    bench.start()
    bench.device.type("6901")
    time.sleep(0.05)
    bench.device.pull_out()
    until(lambda: bench.troubles == ["scanner.partial"])
    until(lambda: bench.told() == ("absent", "scanner.absent"))
    bench.device.is_plugged = True
    until(lambda: bench.scanner.state().state == "ready")
    bench.device.scan("42")
    until(lambda: bench.codes == ["42"])


def test_a_scanner_that_somebody_else_holds_is_waited_for(make_bench) -> None:
    bench = make_bench()
    other = bench.device.open("")
    other.grab()
    bench.start("failed")
    assert bench.told() == ("failed", "scanner.in_use")
    other.close()
    until(lambda: bench.scanner.state().state == "ready")


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.EACCES, ("failed", "scanner.not_readable")),
        (errno.ENODEV, ("absent", "scanner.absent")),
    ],
)
def test_a_device_that_cannot_be_opened_says_why(number: int, told: tuple[str, str]) -> None:
    def refuse(path: str) -> KeySource:
        raise OSError(number, "no", path)

    scanner = EvdevScanner("/dev/input/event5", ScannerLayout(), CLOCK, refuse)
    scanner.start(lambda _: None)
    until(lambda: (scanner.state().state, scanner.state().last_fault) == told)
    assert scanner.self_test() == told[1]
    scanner.stop()


def test_a_node_that_another_device_has_by_now_is_let_alone(make_bench) -> None:
    place = Place("/dev/input/event5", "usb-1", "0c2e:0200", "usb-1/input0")
    bench = make_bench(place)
    bench.device.phys = "usb-2/input0"
    bench.start("absent")
    until(lambda: bench.device.opened > 0)
    until(lambda: bench.told() == ("absent", "scanner.absent"))
    assert not any(source.is_grabbed for source in bench.device._sources)


def test_more_that_udev_tells_of_a_scanner_costs_no_key(make_bench) -> None:
    bench = make_bench(Place("/dev/input/event5", "usb-1", "0c2e:0200"))
    bench.start()
    bench.scanner.move_to(Place("/dev/input/event5", "usb-1", "0c2e:0200", "usb-1/input0"))
    bench.device.type("69")
    time.sleep(0.1)  # it has taken them, and looks up whether anything has changed
    bench.device.scan("01")
    until(lambda: bench.codes == ["6901"])
    assert bench.device.opened == 1


def test_a_scanner_put_back_into_the_same_port_is_opened_anew(make_bench) -> None:
    place = Place("/dev/input/event5", "usb-1", "0c2e:0200")
    bench = make_bench(place)
    bench.start()
    bench.scanner.move_to(None)
    bench.scanner.move_to(Place("/dev/input/event5", "usb-1", "0c2e:0200"))
    until(lambda: bench.device.opened == 2)
    bench.device.scan("42")
    until(lambda: bench.codes == ["42"])


def test_the_self_test_notices_a_grab_that_does_not_hold(make_bench) -> None:
    bench = make_bench()
    bench.start()
    assert bench.scanner.self_test() == "passed"
    bench.device._sources[0].is_grabbed = False
    assert bench.scanner.self_test() == "scanner.silent_grab"


def test_a_scanner_that_sends_no_end_is_found_out(make_bench) -> None:
    bench = make_bench()
    bench.start()
    for n in range(3):
        bench.device.type("6901")
        until(lambda n=n: len(bench.troubles) == n + 1)
    assert bench.troubles == ["scanner.partial"] * 3
    assert bench.told() == ("degraded", "scanner.no_end")
    bench.device.scan("42")
    until(lambda: bench.told()[0] == "ready")


def test_a_pause_ends_a_code_of_a_scanner_without_a_terminator(make_bench) -> None:
    bench = make_bench(terminator="none", gap_ms=40)
    bench.start()
    bench.device.type("6901234567892")
    until(lambda: bench.codes == ["6901234567892"])


def test_a_lane_that_takes_its_time_holds_the_scanner_back_and_loses_nothing(make_bench) -> None:
    bench = make_bench()
    taken: list[str] = []

    def take(code: str) -> None:
        time.sleep(0.02)
        taken.append(code)

    bench.scanner.start(take)
    until(lambda: bench.scanner.state().state == "ready")
    wanted = [f"{n:08}" for n in range(20)]
    for code in wanted:
        bench.device.scan(code)
    until(lambda: taken == wanted)


def test_a_serial_scanner_that_is_not_there_is_absent_and_no_scanner_is_failed(tmp_path) -> None:
    absent = SerialScanner(str(tmp_path / "ttyACM0"), ScannerLayout(), CLOCK)
    file = tmp_path / "a file"
    file.touch()
    wrong = SerialScanner(str(file), ScannerLayout(), CLOCK)
    for scanner in (absent, wrong):
        scanner.start(lambda _: None)
    until(lambda: absent.state().last_fault == "scanner.absent")
    until(lambda: wrong.state().last_fault == "scanner.not_readable")
    assert (absent.state().state, wrong.state().state) == ("absent", "failed")
    assert usb_model(str(file)) == ""
    absent.stop()
    wrong.stop()
