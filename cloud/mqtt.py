"""The worker's line to the broker: the only user of paho in the cloud.

The broker is a lossy, duplicating, reordering pipe, so nothing here promises delivery: a message
that is lost is sent again by its box.  What this module does promise is that the client stays
alive.  Each connection is a paho client of its own (MQTT 5, clean start, a random client id, every
subscription made anew), so an acknowledgement can never reach a later connection; callbacks never
raise, because paho's network thread would die silently; handlers run in a bounded pool, and the
broker never has more than `RECEIVE_MAXIMUM` messages open with us.
"""

from __future__ import annotations

import secrets
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import structlog
from paho.mqtt.client import Client, MQTTMessage, topic_matches_sub
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from shared.kernel.errors import RetailError

RECEIVE_MAXIMUM = 32
"""Messages that the broker may have open with one worker."""
UNLIMITED = 65_535
"""What a broker allows that names no receive maximum (MQTT 5, 3.2.2.3.3)."""
QUEUED_MAXIMUM = 1_000
"""Own messages waiting in the client; beyond it `publish` says no."""
CONNECT_TIMEOUT_S = 15.0
KEEPALIVE_S = 60
RETRY_S_MAX = 10.0
STUCK_AFTER_S = 30.0
POLL_S = 0.05

_log = structlog.get_logger("cloud.mqtt")


@dataclass(frozen=True, slots=True)
class BrokerLogin:
    """Where the internal listener is, and who we are there."""

    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    in_flight: int = 20
    """Own messages that the broker may not have confirmed yet."""
    ca_file: str = ""
    """Speak TLS, and believe a broker whose certificate comes from one of these (PEM)."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message as a handler sees it."""

    topic: str
    payload: bytes
    is_retained: bool


@dataclass(frozen=True, slots=True)
class Route:
    """Which topics go to which handler; `topic_filter` may begin with `$share/<group>/`."""

    name: str
    topic_filter: str
    handler: Callable[[Message], None]
    is_light: bool = False
    """Its handler returns at once and touches nothing but memory: it runs on the link's own
    thread, and what comes in masses does not take the turns of what must not be lost."""

    def matches(self, topic: str) -> bool:
        """Whether a message of `topic` belongs here."""
        return topic_matches_sub(_unshared(self.topic_filter), topic)


@dataclass(frozen=True, slots=True)
class LinkEvents:
    """What the composition root wants to hear of; every call comes from a thread of the pool."""

    on_connected: Callable[[], None]
    on_outcome: Callable[[str, str], None]
    """Name of the route, and `done`, `failed` or `dropped`."""
    on_stuck: Callable[[], None]
    """Nothing was finished for `STUCK_AFTER_S` while messages wait."""


class BrokerLink:
    """A line that keeps itself up.  `start` and `stop` once each; `publish` from any thread."""

    def __init__(
        self, login: BrokerLogin, routes: Sequence[Route], events: LinkEvents, threads: int = 4
    ) -> None:
        self._login = login
        self._routes = tuple(routes)
        self._events = events
        self._threads = threads
        self._work = _Work(events)
        self._session: _Session | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._stopping = threading.Event()
        self._keeper = threading.Thread(target=self._keep_up, name="mqtt-keeper", daemon=True)
        self._watchdog = threading.Thread(target=self._watch, name="mqtt-watchdog", daemon=True)

    def start(self) -> None:
        """Begin connecting; returns at once."""
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="mqtt-work")
        self._keeper.start()
        self._watchdog.start()

    def is_connected(self) -> bool:
        """Whether the broker has accepted us and has not hung up."""
        session = self._session
        return session is not None and session.is_up()

    def publish(
        self, topic: str, payload: bytes, *, is_retained: bool = False, expiry_s: int | None = None
    ) -> bool:
        """Hand a QoS 1 message to the broker.

        False: not connected, or too much is waiting; nothing was queued then.
        """
        session = self._session
        if session is None or not session.is_up():
            return False
        return session.publish(topic, payload, is_retained=is_retained, expiry_s=expiry_s)

    def stop(self, drain_s: float = 10.0) -> bool:
        """Unsubscribe, finish and acknowledge what is under way, disconnect.

        False: something was still under way after `drain_s` seconds.
        """
        session = self._session
        if session is not None:
            session.unsubscribe([route.topic_filter for route in self._routes])
        is_idle = self._work.wait_idle(drain_s)
        self._stopping.set()
        if self._pool is not None:
            self._pool.shutdown(wait=is_idle, cancel_futures=True)
        if session is not None:
            session.close()
        for thread in (self._keeper, self._watchdog):
            if thread.is_alive():
                thread.join(timeout=CONNECT_TIMEOUT_S)
        return is_idle

    def _keep_up(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            session = _Session(self._login, self._on_up, self._on_message)
            self._session = session
            is_opened = session.open()
            while is_opened and session.is_open() and not self._stopping.is_set():
                session.closed.wait(POLL_S * 10)
            session.close()
            failures = 0 if is_opened else failures + 1
            self._stopping.wait(_full_jitter(failures))

    def _on_up(self, session: _Session) -> None:
        session.subscribe([route.topic_filter for route in self._routes])
        self._submit(self._events.on_connected, "connected")

    def _submit(self, call: Callable[[], None], name: str) -> None:
        def guarded() -> None:
            try:
                call()
            except Exception:  # noqa: BLE001 - outermost loop of the pool: log, count, go on
                _log.exception("mqtt.hook_failed", hook=name)
                self._events.on_outcome(name, "failed")

        if self._pool is not None and not self._stopping.is_set():
            self._pool.submit(guarded)

    def _on_message(self, session: _Session, message: MQTTMessage) -> None:
        route = next((one for one in self._routes if one.matches(message.topic)), None)
        if route is not None and route.is_light:
            self._handle_light(session, route, message)
            return
        if route is None or self._pool is None or not self._work.begin():
            self._events.on_outcome("none" if route is None else route.name, "dropped")
            session.ack(message)
            return
        self._pool.submit(self._handle, session, route, message)

    def _handle_light(self, session: _Session, route: Route, message: MQTTMessage) -> None:
        try:
            self._outcome(route, message)
        finally:
            session.ack(message)

    def _handle(self, session: _Session, route: Route, message: MQTTMessage) -> None:
        try:
            self._outcome(route, message)
        finally:
            session.ack(message)
            self._work.end()

    def _outcome(self, route: Route, message: MQTTMessage) -> None:
        outcome = "done"
        try:
            route.handler(Message(message.topic, bytes(message.payload), bool(message.retain)))
        except RetailError as error:
            outcome = "failed"
            _log.warning(
                "mqtt.message_refused", route=route.name, topic=message.topic, because=str(error)
            )
        except Exception:  # noqa: BLE001 - outermost loop of the consumer: log, count, go on
            outcome = "failed"
            _log.exception("mqtt.handler_failed", route=route.name, topic=message.topic)
        finally:
            self._events.on_outcome(route.name, outcome)

    def _watch(self) -> None:
        while not self._stopping.wait(1.0):
            if self._work.is_stuck(STUCK_AFTER_S):
                _log.critical("mqtt.stuck", pending=self._work.pending)
                self._events.on_stuck()
                return


class _Work:
    """Messages taken and not finished."""

    def __init__(self, events: LinkEvents) -> None:
        self._events = events
        self._changed = threading.Condition()
        self._moved_at = time.monotonic()
        self.pending = 0

    def begin(self) -> bool:
        with self._changed:
            # QoS 0 messages do not count against ReceiveMaximum: the bound must be ours as well.
            if self.pending >= 2 * RECEIVE_MAXIMUM:
                return False
            if self.pending == 0:
                self._moved_at = time.monotonic()
            self.pending += 1
            return True

    def end(self) -> None:
        with self._changed:
            self.pending -= 1
            self._moved_at = time.monotonic()
            self._changed.notify_all()

    def wait_idle(self, seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self.pending == 0, timeout=seconds)

    def is_stuck(self, after_s: float) -> bool:
        with self._changed:
            return self.pending > 0 and time.monotonic() - self._moved_at > after_s


class _Session:
    """One connection, from CONNECT to the hang-up."""

    def __init__(
        self,
        login: BrokerLogin,
        on_up: Callable[[_Session], None],
        on_message: Callable[[_Session, MQTTMessage], None],
    ) -> None:
        self._login = login
        self._on_up = on_up
        self._deliver = on_message
        self._answered = threading.Event()
        self._is_accepted = False
        self._ack_turn = threading.Lock()
        self._unacked: deque[MQTTMessage] = deque()
        self._finished: set[int] = set()
        self.closed = threading.Event()
        client = _client(login, f"tillbox-cloud-{secrets.token_hex(8)}")
        client.max_queued_messages_set(QUEUED_MAXIMUM)
        client.max_inflight_messages_set(login.in_flight)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        self._client = client

    def open(self) -> bool:
        """Connect and wait for the broker's answer; False when it stays away or refuses."""
        properties = _properties(
            PacketTypes.CONNECT, ReceiveMaximum=RECEIVE_MAXIMUM, SessionExpiryInterval=0
        )
        try:
            self._client.connect(
                self._login.host,
                self._login.port,
                keepalive=KEEPALIVE_S,
                clean_start=True,
                properties=properties,
            )
        except OSError as error:
            _log.warning("mqtt.unreachable", because=str(error))
            return False
        self._client.loop_start()
        self._answered.wait(CONNECT_TIMEOUT_S)
        return self._is_accepted

    def is_up(self) -> bool:
        return self._is_accepted and not self.closed.is_set()

    def is_open(self) -> bool:
        return not self.closed.is_set()

    def subscribe(self, topic_filters: Sequence[str]) -> None:
        options = SubscribeOptions(qos=1)
        self._client.subscribe([(topic_filter, options) for topic_filter in topic_filters])

    def unsubscribe(self, topic_filters: Sequence[str]) -> None:
        if self.is_up():
            self._client.unsubscribe(list(topic_filters))

    def publish(
        self, topic: str, payload: bytes, *, is_retained: bool, expiry_s: int | None
    ) -> bool:
        properties = None
        if expiry_s is not None:
            properties = _properties(PacketTypes.PUBLISH, MessageExpiryInterval=expiry_s)
        sent = self._client.publish(
            topic, payload, qos=1, retain=is_retained, properties=properties
        )
        return sent.rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def ack(self, message: MQTTMessage) -> None:
        """Acknowledge as soon as everything that came before is acknowledged.

        PUBACKs keep the order of their PUBLISHes (MQTT 5, 4.6); rumqttd hangs up on who does not.
        """
        with self._ack_turn:
            self._finished.add(id(message))
            while self._unacked and id(self._unacked[0]) in self._finished:
                first = self._unacked.popleft()
                self._finished.remove(id(first))
                if self.is_up():
                    self._client.ack(first.mid, first.qos)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        self.closed.set()

    def _on_connect(
        self, _client: Client, _userdata: object, _flags: object, reason: ReasonCode, props: object
    ) -> None:
        try:
            if reason.is_failure:
                _log.error("mqtt.refused", because=str(reason))
            else:
                self._look_at_limit(getattr(props, "ReceiveMaximum", UNLIMITED))
                self._is_accepted = True
                self._on_up(self)
                _log.info("mqtt.connected", host=self._login.host, port=self._login.port)
        except Exception:  # noqa: BLE001 - an exception would end paho's thread
            _log.exception("mqtt.connect_callback_failed")
        finally:
            self._answered.set()

    def _look_at_limit(self, most: int) -> None:
        """A strict broker hangs up on who has more open than it allows; paho does not look."""
        if most < self._login.in_flight:
            _log.warning("mqtt.too_much_in_flight", broker=most, ours=self._login.in_flight)

    def _on_disconnect(
        self, _client: Client, _userdata: object, _flags: object, reason: ReasonCode, _props: object
    ) -> None:
        self.closed.set()
        self._answered.set()
        _log.info("mqtt.disconnected", because=str(reason))

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        self._unacked.append(message)
        try:
            self._deliver(self, message)
        except Exception:  # noqa: BLE001 - an exception would end paho's thread
            _log.exception("mqtt.message_callback_failed")
            self.ack(message)

    def _on_publish(
        self, _client: Client, _userdata: object, _mid: int, reason: ReasonCode, _props: object
    ) -> None:
        if reason.is_failure:  # paho itself calls such a message "published"
            _log.error("mqtt.publish_refused", because=str(reason))


def take_over(login: BrokerLogin, client_id: str) -> bool:
    """Connect under a box's name and leave: the broker drops whoever had that name.

    Answers whether the broker let us. Must not run on a thread that is waited for.
    """
    client, answered, is_accepted = _client(login, client_id), threading.Event(), []

    def on_connect(_c: Client, _u: object, _f: object, reason: ReasonCode, _p: object) -> None:
        if not reason.is_failure:
            is_accepted.append(True)
        answered.set()

    client.on_connect = on_connect
    try:
        client.connect(login.host, login.port, keepalive=KEEPALIVE_S, clean_start=True)
    except OSError as error:
        _log.warning("mqtt.unreachable", because=str(error))
        return False
    client.loop_start()
    answered.wait(CONNECT_TIMEOUT_S)
    client.disconnect()
    client.loop_stop()
    return bool(is_accepted)


def _client(login: BrokerLogin, client_id: str) -> Client:
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        protocol=MQTTProtocolVersion.MQTTv5,
        reconnect_on_failure=False,
        manual_ack=True,
    )
    client.suppress_exceptions = True
    client.connect_timeout = CONNECT_TIMEOUT_S
    client.username_pw_set(login.user, login.password)
    client.on_socket_open = _send_at_once
    if login.ca_file:
        client.tls_set_context(ssl.create_default_context(cafile=login.ca_file))
    return client


def _properties(packet_type: int, **values: int) -> Properties:
    properties = Properties(packet_type)  # type: ignore[no-untyped-call]  # paho leaves it untyped
    for name, value in values.items():
        setattr(properties, name, value)
    return properties


def _send_at_once(_client: Client, _userdata: object, sock: Any) -> None:  # noqa: ANN401
    # Small messages would otherwise wait up to 40 ms for the answer to the one before.
    with suppress(OSError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _unshared(topic_filter: str) -> str:
    if topic_filter.startswith("$share/"):
        return topic_filter.split("/", 2)[2]
    return topic_filter


def _full_jitter(failures: int) -> float:
    """Seconds before the next attempt: uniform up to a doubling limit."""
    limit_s = min(RETRY_S_MAX, 0.5 * 2.0 ** min(failures, 10))
    return limit_s * secrets.randbelow(1_000) / 1_000
