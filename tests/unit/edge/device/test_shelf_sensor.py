import json
from dataclasses import replace

from edge.device.shelf_sensor import (
    NO_BROKER,
    NO_VALUE,
    OFFLINE,
    RANGE,
    SILENT,
    STUCK,
    WEAK,
    ShelfLine,
    ShelfSensor,
)
from edge.device.shelf_setup import SensorSetup
from tests.lab.cloud_api import SettableClock

JAM = SensorSetup("jam", "weight", "Jam, left", silent_ms=60_000, max_g=10_000)
FRIDGE = SensorSetup("fridge", "temperature", "Fridge", silent_ms=60_000)


class Bench:
    """A sensor on a line that is up, and a clock that is moved by hand."""

    def __init__(self, setup: SensorSetup = JAM) -> None:
        self.clock = SettableClock()
        self.sensor = ShelfSensor(setup, self.clock)
        self.line = ShelfLine(None, [self.sensor], self.clock)
        self.sensor.line_up(is_up=True)
        self.seq = 0

    def say(self, **fields: object) -> None:
        self.seq += 1
        told = {"v": 1, "seq": self.seq, "raw": 1000 + self.seq, **fields}
        self.line.deliver(f"tb/s/{self.sensor.setup.name}/state", json.dumps(told).encode())

    def wait_s(self, seconds: float) -> None:
        self.clock.at_ms += int(seconds * 1000)
        self.sensor.check()

    @property
    def fault(self) -> tuple[str, str | None]:
        state = self.sensor.state()
        return state.state, state.last_fault


def test_it_is_looked_for_until_it_speaks() -> None:
    bench = Bench()
    assert bench.sensor.state().state == "connecting"
    bench.say(grams=500)
    assert bench.sensor.state().state == "ready"
    assert bench.sensor.report().id == "shelf:jam"
    assert bench.sensor.report().counters["readings"] == 1


def test_silence_makes_it_absent_and_its_word_brings_it_back() -> None:
    bench = Bench()
    bench.say(grams=500)
    bench.wait_s(59)
    assert bench.sensor.reading() is not None
    bench.wait_s(1)
    assert bench.fault == ("absent", SILENT)
    assert bench.sensor.reading() is None
    bench.say(grams=500)
    assert bench.sensor.state().state == "ready"


def test_a_sensor_that_never_spoke_is_absent_in_the_end() -> None:
    bench = Bench()
    bench.wait_s(60)
    assert bench.fault == ("absent", SILENT)


def test_the_last_will_counts_at_once() -> None:
    bench = Bench()
    bench.say(grams=500)
    bench.line.deliver("tb/s/jam/online", b"0", is_retained=True)
    assert bench.fault == ("absent", OFFLINE)


def test_a_lost_broker_is_not_the_sensors_fault() -> None:
    bench = Bench()
    bench.say(grams=500)
    bench.sensor.line_up(is_up=False)
    assert bench.fault == ("absent", NO_BROKER)
    assert bench.sensor.reading() is None


def test_a_message_that_the_broker_kept_is_no_measurement() -> None:
    bench = Bench()
    bench.line.deliver("tb/s/jam/state", b'{"v": 1, "seq": 1, "grams": 5}', is_retained=True)
    assert bench.sensor.reading() is None


def test_a_weak_signal_is_degraded_but_believed() -> None:
    bench = Bench()
    bench.say(grams=500, rssi=-90)
    assert bench.fault == ("degraded", WEAK)
    assert bench.sensor.reading() is not None


def test_impossible_values_are_not_believed() -> None:
    bench = Bench()
    for grams in (-900, 10_001):
        bench.say(grams=grams)
        assert bench.fault == ("degraded", RANGE)
        assert bench.sensor.reading() is None
    bench.say(grams=10_000)
    assert bench.sensor.state().state == "ready"
    fridge = Bench(FRIDGE)
    fridge.say(celsius=-127.0)  # what a one-wire sensor says when its wire is off
    assert fridge.fault == ("degraded", RANGE)


def test_a_value_that_is_missing_is_not_believed() -> None:
    bench = Bench()
    bench.say(grams=None)
    assert bench.fault == ("degraded", NO_VALUE)
    assert bench.sensor.reading() is None


def test_a_load_cell_that_says_the_very_same_for_long_is_stuck() -> None:
    bench = Bench(replace(JAM, silent_ms=10_000_000))
    for _ in range(12):
        bench.say(grams=500, raw=4242)
        bench.wait_s(120)
    assert bench.fault == ("degraded", STUCK)
    assert bench.sensor.reading() is None
    bench.say(grams=500, raw=4243)
    assert bench.sensor.state().state == "ready"


def test_a_steady_fridge_is_not_stuck() -> None:
    bench = Bench(replace(FRIDGE, silent_ms=10_000_000))
    for _ in range(20):
        bench.say(celsius=4.0625, raw=65)
        bench.wait_s(120)
    assert bench.sensor.state().state == "ready"


def test_bad_messages_are_counted_and_change_nothing() -> None:
    bench = Bench()
    bench.say(grams=500)
    for payload in (b"", b"\xff", b'{"v": 9}', b"[" * 500):
        bench.line.deliver("tb/s/jam/state", payload)
    assert bench.sensor.report().counters["bad"] == 4
    assert bench.sensor.state().state == "ready"


def test_restarts_and_missed_messages_are_counted() -> None:
    bench = Bench()
    bench.say(grams=1, up_s=10)
    bench.seq = 4
    bench.say(grams=1, up_s=20)
    bench.seq = 0
    bench.say(grams=1, up_s=1)
    counters = bench.sensor.report().counters
    assert (counters["missed"], counters["restarts"]) == (3, 1)


def test_sensors_that_nobody_set_up_are_named_and_bounded() -> None:
    bench = Bench()
    for n in range(40):
        bench.line.deliver(f"tb/s/new-{n}/state", b"{}")
        bench.line.deliver(f"tb/s/new-{n}/state", b"{}")
    assert list(bench.line.unknown) == [f"new-{n}" for n in range(24, 40)]
    bench.line.deliver("tb/s/Nonsense/state", b"{}")
    assert bench.line.report().counters["bad"] == 1
