"""One suite for shelf sensors: over the store's real broker, and virtual ones in both ways."""

import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge.clock import SystemClock
from edge.device.ports import ShelfReading, ShelfSensorPort
from edge.device.shelf_sensor import NO_BROKER, OFFLINE, ShelfLine, ShelfSensor
from edge.device.shelf_setup import SensorSetup
from edge.device.virtual_shelf import VirtualShelf
from edge.mqtt import Connection, Ears, Login
from shared.wire.shelf_sensor import ONLINES, STATES
from tests.fakes.mqtt_peer import MqttPeer, Will
from tests.lab.net import LOOPBACK
from tests.lab.store_broker import StoreBroker

CLOCK = SystemClock()
SETUPS = tuple(
    SensorSetup(name, kind, name, silent_ms=60_000)
    for name, kind in (("jam", "weight"), ("fridge", "temperature"), ("fridge-door", "door"))
)
PASSWORDS = {each.name: f"password of {each.name}" for each in SETUPS}
NEEDS_MOSQUITTO = pytest.mark.skipif(
    not StoreBroker.is_possible(), reason="no mosquitto here: passwords and topic rights need it"
)


def until(is_true: Callable[[], bool], within_s: float = 10.0) -> None:
    deadline = time.monotonic() + within_s
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def login_of(broker: StoreBroker) -> Login:
    return Login(
        host=LOOPBACK,
        port=broker.box_port,
        client_id="tillbox-box",
        user="box",
        topics=(STATES, ONLINES),
        password=broker.box_password,
    )


@dataclass
class Bench:
    """`say` has a sensor tell a value, `leave` be gone without a goodbye."""

    line: ShelfLine
    say: Callable[[str, float], None]
    leave: Callable[[str], None]

    def port(self, name: str) -> ShelfSensorPort:
        return self.line.sensors[name]

    def reading(self, name: str) -> ShelfReading | None:
        return self.port(name).reading()


class Sensors:
    """Real ones to the broker: a connection each, with a last will."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._peers: dict[str, MqttPeer] = {}
        self._seq = 0

    def say(self, name: str, value: float) -> None:
        if name not in self._peers:
            will = Will(f"tb/s/{name}/online", b"0")
            peer = MqttPeer(self._port, name, PASSWORDS[name], will)
            self._peers[name] = peer.__enter__()
            peer.client.publish(f"tb/s/{name}/online", b"1", qos=1, retain=True)
        self._seq += 1
        kind = next(each.kind for each in SETUPS if each.name == name)
        told = {
            "weight": {"grams": value, "raw": value * 420},
            "temperature": {"celsius": value},
            "door": {"open": bool(value)},
        }[kind]
        payload = {"v": 1, "seq": self._seq, "rssi": -60, "up_s": 9, "from_the_future": {}, **told}
        self._peers[name].client.publish(f"tb/s/{name}/state", json.dumps(payload), qos=1)

    def leave(self, name: str) -> None:
        peer = self._peers.pop(name)
        peer.client._sock_close()  # no DISCONNECT: the broker has to say it
        peer.client.loop_stop()

    def end(self) -> None:
        for peer in self._peers.values():
            peer.__exit__()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreBroker]:
    folder = tmp_path_factory.mktemp("store-broker")
    running = StoreBroker(folder, is_training=True).start(PASSWORDS)
    yield running
    running.stop()


def _over_mqtt(broker: StoreBroker) -> Iterator[Bench]:
    line = ShelfLine(login_of(broker), [ShelfSensor(each, CLOCK) for each in SETUPS], CLOCK)
    line.start()
    until(lambda: line.report().state.state == "ready")
    sensors = Sensors(broker.sensor_port)
    yield Bench(line, sensors.say, sensors.leave)
    sensors.end()
    line.stop()


def _virtual(login: Login | None) -> Iterator[Bench]:
    line = ShelfLine(login, [ShelfSensor(each, CLOCK) for each in SETUPS], CLOCK)
    speaker = None if login is None else Login(
        LOOPBACK, login.port, "tillbox-virtual-shelf", login.user, (), login.password
    )  # fmt: skip
    virtual = VirtualShelf(SETUPS, line, speaker, CLOCK)
    line.start()
    until(lambda: line.report().state.state == "ready")
    virtual.start()
    scale = {"jam": 1, "fridge": 1000, "fridge-door": 1}
    yield Bench(
        line,
        lambda name, value: virtual.move(name, int(value * scale[name])) and None,
        lambda name: virtual.move(name, 0, is_on=False) and None,
    )
    virtual.stop()
    line.stop()


@pytest.fixture(params=["mqtt", "virtual_mqtt", "virtual"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    if request.param == "virtual":
        yield from _virtual(None)
        return
    if not StoreBroker.is_possible():
        pytest.skip("no mosquitto here: passwords and topic rights need it")
    broker: StoreBroker = request.getfixturevalue("broker")
    if request.param == "mqtt":
        yield from _over_mqtt(broker)
    else:
        yield from _virtual(login_of(broker))


def test_a_sensor_tells_its_newest_value_and_how_it_is(bench: Bench) -> None:
    bench.say("jam", 1250)
    bench.say("fridge", 4.5)
    bench.say("fridge-door", 1)
    until(lambda: getattr(bench.reading("jam"), "grams", None) == 1250)
    until(lambda: getattr(bench.reading("fridge"), "celsius_milli", None) == 4_500)
    until(lambda: getattr(bench.reading("fridge-door"), "is_open", None) is True)
    bench.say("jam", 800)
    until(lambda: getattr(bench.reading("jam"), "grams", None) == 800)
    assert bench.port("jam").state().state == "ready"


def test_a_sensor_that_is_gone_is_absent_and_comes_back(bench: Bench) -> None:
    bench.say("jam", 500)
    until(lambda: bench.reading("jam") is not None)
    bench.leave("jam")
    until(lambda: bench.port("jam").state().state == "absent")
    assert bench.port("jam").state().last_fault == OFFLINE
    assert bench.reading("jam") is None
    bench.say("jam", 700)
    until(lambda: getattr(bench.reading("jam"), "grams", None) == 700)


def test_a_stopped_line_knows_nothing_and_stops_twice(bench: Bench) -> None:
    bench.say("jam", 500)
    until(lambda: bench.reading("jam") is not None)
    bench.line.stop()
    bench.line.stop()
    assert bench.reading("jam") is None
    assert bench.port("jam").state().state == "absent"


@NEEDS_MOSQUITTO
def test_a_broker_that_is_gone_is_said_and_reached_again(tmp_path: Path) -> None:
    broker = StoreBroker(tmp_path).start(PASSWORDS)
    line = ShelfLine(login_of(broker), [ShelfSensor(SETUPS[0], CLOCK)], CLOCK)
    line.start()
    until(lambda: line.report().state.state == "ready")
    broker.stop()
    until(lambda: line.report().state.state == "absent")
    assert line.sensors["jam"].state().last_fault == NO_BROKER
    broker.start(PASSWORDS)
    until(lambda: line.report().state.state == "ready")
    sensors = Sensors(broker.sensor_port)
    sensors.say("jam", 300)
    until(lambda: line.sensors["jam"].reading() is not None)
    sensors.end()
    line.stop()
    broker.stop()


@NEEDS_MOSQUITTO
def test_a_sensor_cannot_speak_for_another_one_nor_hear_anything(broker: StoreBroker) -> None:
    hears = next(_over_mqtt(broker))
    with MqttPeer(broker.sensor_port, "fridge", PASSWORDS["fridge"]) as thief:
        thief.subscribe("tb/s/#")
        payload = b'{"v": 1, "seq": 1, "raw": 1, "grams": 0}'
        thief.client.publish("tb/s/jam/state", payload, qos=1)
        hears.say("fridge-door", 1)
        until(lambda: hears.reading("fridge-door") is not None)
        assert hears.reading("jam") is None
        assert thief._got.empty()
    hears.line.stop()


@NEEDS_MOSQUITTO
def test_a_sensor_has_its_two_topics_and_no_endless_others(broker: StoreBroker) -> None:
    denied: queue.Queue[str] = queue.Queue()
    ears = Ears(*([lambda *_: None] * 4), denied.put)
    login = Login(LOOPBACK, broker.sensor_port, "jam", "jam", (), PASSWORDS["jam"])
    sensor = Connection(login, ears)
    sensor.open()
    assert sensor.answered.wait(5)
    for topic in ("tb/s/jam/1", "tb/s/jam/state/1"):
        sensor.publish(topic, b"x", retain=True)
        assert "Not authorized" in denied.get(timeout=5)
    sensor.close()


@NEEDS_MOSQUITTO
def test_a_wrong_password_lets_nobody_in(broker: StoreBroker) -> None:
    refused = threading.Event()
    ears = Ears(*([lambda *_: None] * 3), lambda _: refused.set(), lambda _: None)
    connection = Connection(Login(LOOPBACK, broker.sensor_port, "jam", "jam", (), "guessed"), ears)
    connection.open()
    assert connection.answered.wait(5)
    assert refused.is_set()
    assert not connection.is_up
    connection.close()


@NEEDS_MOSQUITTO
def test_the_box_only_listens(tmp_path: Path) -> None:
    broker = StoreBroker(tmp_path).start(PASSWORDS)
    line = ShelfLine(login_of(broker), [ShelfSensor(SETUPS[0], CLOCK)], CLOCK)
    line.start()
    until(lambda: line.report().state.state == "ready")
    denied = threading.Event()
    ears = Ears(*([lambda *_: None] * 4), lambda _: denied.set())
    box = Connection(Login(LOOPBACK, broker.box_port, "x", "box", (), broker.box_password), ears)
    box.open()
    assert box.answered.wait(5)
    box.publish("tb/s/jam/state", b'{"v": 1, "seq": 1, "raw": 1, "grams": 0}')
    assert denied.wait(5)
    assert line.sensors["jam"].reading() is None
    box.close()
    line.stop()
    broker.stop()
