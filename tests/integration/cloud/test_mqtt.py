"""The worker's line to the broker, on the broker of production and on the fallback."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from cloud import mqtt
from cloud.mqtt import BrokerLink, BrokerLogin, LinkEvents, Message, Route
from shared.kernel.errors import RefusedError
from tests.fakes.mqtt_peer import MqttPeer
from tests.lab import broker as lab_broker
from tests.lab.broker import Broker
from tests.lab.net import LOOPBACK


class Ear:
    """Remembers what a link heard and what became of it."""

    def __init__(self) -> None:
        self.messages: queue.Queue[Message] = queue.Queue()
        self.outcomes: queue.Queue[tuple[str, str]] = queue.Queue()
        self.connections = threading.Semaphore(0)
        self.stuck = threading.Event()
        self.act: Callable[[Message], None] = lambda _: None

    def events(self) -> LinkEvents:
        return LinkEvents(
            self.connections.release,
            lambda *outcome: self.outcomes.put(outcome),
            self.stuck.set,
        )

    def handle(self, message: Message) -> None:
        self.messages.put(message)
        self.act(message)

    def hear(self) -> bytes:
        return self.messages.get(timeout=10).payload


@pytest.fixture(params=["mosquitto", "rumqttd"])
def own_broker(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Broker]:
    """A broker that a test may stop."""
    if request.param == "rumqttd":
        monkeypatch.setattr(lab_broker, "find_program", lambda _: None)
    running = Broker(tmp_path).start()
    assert running.has_logins is (request.param == "mosquitto")
    yield running
    running.stop()


@pytest.fixture
def connect(own_broker: Broker) -> Iterator[Callable[..., BrokerLink]]:
    """Makes connected links; stops them at the end."""
    with ExitStack() as stack:

        def make(ear: Ear, topic: str = "$share/secret/tb/1/+", threads: int = 2) -> BrokerLink:
            login = BrokerLogin(
                LOOPBACK,
                own_broker.internal_port,
                own_broker.internal_user,
                own_broker.internal_password,
            )
            link = BrokerLink(login, [Route("r", topic, ear.handle)], ear.events(), threads)
            link.start()
            stack.callback(link.stop)
            assert ear.connections.acquire(timeout=10)
            return link

        yield make


def peer_of(broker: Broker) -> MqttPeer:
    return MqttPeer(broker.internal_port, broker.internal_user, broker.internal_password)


def test_a_group_shares_messages_and_each_is_handled_once(
    own_broker: Broker, connect: Callable[..., BrokerLink]
) -> None:
    ears = (Ear(), Ear())
    for ear in ears:
        connect(ear)
    time.sleep(0.2)
    sent = [b"%d" % n for n in range(40)]
    with peer_of(own_broker) as peer:
        for payload in sent:
            peer.publish("tb/1/x", payload)
        deadline = time.monotonic() + 10
        while sum(ear.messages.qsize() for ear in ears) < len(sent):
            assert time.monotonic() < deadline
            time.sleep(0.01)
    got = [ear.messages.get() for ear in ears for _ in range(ear.messages.qsize())]
    assert sorted(int(message.payload) for message in got) == list(range(40))


def test_it_comes_back_after_the_broker_and_subscribes_again(
    own_broker: Broker, connect: Callable[..., BrokerLink]
) -> None:
    ear = Ear()
    link = connect(ear)
    own_broker.kill()
    deadline = time.monotonic() + 10
    while link.is_connected():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert link.publish("tb/1/x", b"lost") is False
    own_broker.start()
    assert ear.connections.acquire(timeout=20)
    time.sleep(0.2)
    assert link.publish("tb/1/x", b"back")
    assert ear.hear() == b"back"


def test_a_handler_that_raises_is_counted_and_the_next_message_comes(
    own_broker: Broker, connect: Callable[..., BrokerLink]
) -> None:
    def fail(_: Message) -> None:
        raise RefusedError("wire.message", kind="Hello", field="seq")

    ear = Ear()
    ear.act = fail
    link = connect(ear)
    time.sleep(0.2)
    for n in range(3 * mqtt.RECEIVE_MAXIMUM):
        assert link.publish("tb/1/x", b"%d" % n)
        ear.hear()
    outcomes = {ear.outcomes.get(timeout=5) for _ in range(3 * mqtt.RECEIVE_MAXIMUM)}
    assert outcomes == {("r", "failed")}


def test_messages_that_finish_out_of_order_are_acknowledged_in_order(
    own_broker: Broker, connect: Callable[..., BrokerLink]
) -> None:
    ear = Ear()
    ear.act = lambda message: time.sleep(0.05 * (int(message.payload) % 4 == 0))
    link = connect(ear, threads=4)
    time.sleep(0.2)
    for n in range(2 * mqtt.RECEIVE_MAXIMUM):
        assert link.publish("tb/1/x", b"%d" % n)
    got = {int(ear.hear()) for _ in range(2 * mqtt.RECEIVE_MAXIMUM)}
    assert got == set(range(2 * mqtt.RECEIVE_MAXIMUM))
    assert link.is_connected()
    assert ear.connections.acquire(blocking=False) is False


def test_a_retained_message_reaches_an_ordinary_subscription(
    own_broker: Broker, connect: Callable[..., BrokerLink]
) -> None:
    connect(Ear()).publish("tb/1/state", b"online", is_retained=True)
    time.sleep(0.2)
    late = Ear()
    connect(late, "tb/1/state")
    message = late.messages.get(timeout=10)
    assert (message.payload, message.is_retained) == (b"online", True)


def test_stopping_finishes_what_was_taken(
    own_broker: Broker, connect: Callable[..., BrokerLink]
) -> None:
    ear, go_on = Ear(), threading.Event()
    ear.act = lambda _: assert_set(go_on)
    link = connect(ear)
    time.sleep(0.2)
    link.publish("tb/1/x", b"slow")
    ear.hear()
    stopped = []
    stopper = threading.Thread(target=lambda: stopped.append(link.stop()))
    stopper.start()
    time.sleep(0.2)
    go_on.set()
    stopper.join(timeout=10)
    assert stopped == [True]
    assert ear.outcomes.get(timeout=1) == ("r", "done")


def assert_set(event: threading.Event) -> None:
    assert event.wait(10)


def test_a_hanging_handler_is_noticed(
    connect: Callable[..., BrokerLink], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "STUCK_AFTER_S", 0.3)
    ear, go_on = Ear(), threading.Event()
    ear.act = lambda _: assert_set(go_on)
    link = connect(ear)
    time.sleep(0.2)
    link.publish("tb/1/x", b"hang")
    assert ear.stuck.wait(10)
    go_on.set()


def test_wrong_log_ins_are_tried_again_without_an_end(tmp_path: Path) -> None:
    broker = Broker(tmp_path).start()
    ear = Ear()
    login = BrokerLogin(LOOPBACK, broker.internal_port, "ingest", "wrong")
    link = BrokerLink(login, [Route("r", "tb/1/x", ear.handle)], ear.events())
    link.start()
    assert ear.connections.acquire(timeout=1) is False
    assert link.is_connected() is False
    assert link.stop() is True
    broker.stop()
