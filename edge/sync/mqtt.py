"""The line to headquarters: MQTT 5, connected again for ever.

Nothing is published while offline, and every connection is one of its own (`edge.mqtt`); paho
reconnects without jitter, so this module does it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from ssl import SSLContext, SSLError

import structlog

from edge.mqtt import CONNECT_TIMEOUT_S, Connection, Delivery, Ears, Letter, Login
from edge.sync.backoff import failures_after, full_jitter_ms
from edge.sync.link import LinkHandler, Received
from edge.sync.metrics import BAD_MESSAGES, CONNECTIONS, REFUSED_PUBLISHES

KEEPALIVE_S = 60
RECONNECT_BASE_MS = 1000
LINE_BUSY_S_MAX = 120.0
"""After so long a message that the broker has not confirmed no longer keeps the next one back."""
_STOP_S = 3.0
_HELD_LOOK_S = 0.1
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Way:
    """One way to the broker.

    `accepted` is called once it has let us in this way, `refused` when it answers and does not.
    """

    host: str
    port: int
    tls: SSLContext | None = None
    accepted: Callable[[], None] = lambda: None
    refused: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class MqttConfig:
    """Where to connect and as whom.

    `way` is asked before each connection; without it `host` and `port` are the only one.

    `state_topic` carries the retained state of the box; `state_bytes(is_online, conn)` is its
    content, sent as birth and left with the broker as last will.  `first_conn`, asked at start, is
    the ordinal of the first connection; ordinals of a later boot must be higher.

    Of `single_topic` one message at a time is on its way to the broker: on a line slower than the
    time-out, copies of a batch would else queue behind each other and grow without an end.
    """

    host: str
    port: int
    client_id: str
    password: str
    topics: tuple[str, ...]
    state_topic: str
    state_bytes: Callable[[bool, int], bytes]
    first_conn: Callable[[], int]
    single_topic: str = ""
    way: Callable[[], Way] | None = None


class MqttLink:
    """Link over paho; `jitter` gives uniform numbers in [0, 1)."""

    def __init__(self, config: MqttConfig, jitter: Callable[[], float]) -> None:
        self._config = config
        self._jitter = jitter
        self._conn = 0
        self._handler: LinkHandler | None = None
        self._connected: Connection | None = None
        self._single: tuple[Connection, Delivery, float] | None = None
        self._stop = threading.Event()
        self._held_until_s = 0.0
        self._thread: threading.Thread | None = None

    def start(self, handler: LinkHandler) -> None:
        """Begin connecting, on a thread of its own."""
        self._handler = handler
        self._conn = self._config.first_conn() - 1
        self._thread = threading.Thread(target=self._run, name="mqtt-link", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Disconnect, let the broker publish the last will, end the thread."""
        self._stop.set()
        connection = self._connected
        if connection is not None:
            connection.over.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(_STOP_S)

    def hold(self, seconds: float) -> None:
        """Hang up and connect no more for so long; 0 ends that."""
        self._held_until_s = time.monotonic() + seconds
        connection = self._connected
        if seconds > 0 and connection is not None:
            connection.over.set()

    def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, may_be_lost: bool = False
    ) -> bool:
        """Hand a message to the broker; False while not connected or the line is full."""
        connection = self._connected
        if connection is None or connection.over.is_set():
            return False
        is_single = topic == self._config.single_topic
        if is_single and self._is_line_busy(connection):
            return False
        delivery = connection.publish(topic, payload, retain=retain, may_be_lost=may_be_lost)
        if is_single and delivery is not None:
            self._single = (connection, delivery, time.monotonic())
        return delivery is not None and delivery.is_taken

    def _is_line_busy(self, connection: Connection) -> bool:
        """Whether the last single message has not left; its PUBACK says nothing more than that."""
        if self._single is None or self._single[0] is not connection:
            return False
        _, delivery, sent_at_s = self._single
        return delivery.is_open and time.monotonic() - sent_at_s < LINE_BUSY_S_MAX

    def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            if time.monotonic() < self._held_until_s:
                self._stop.wait(_HELD_LOOK_S)
                continue
            try:
                lasted_ms = self._connect_once()
            except Exception:  # noqa: BLE001 - outermost loop: the store must get its link back
                _log.exception("mqtt.link_failed")
                lasted_ms = None
            failures = failures_after(failures, lasted_ms)
            self._stop.wait(full_jitter_ms(failures, RECONNECT_BASE_MS, self._jitter()) / 1000)

    def _connect_once(self) -> int | None:
        """One connection from its start to its end; how long it stood (ms), None if never."""
        self._conn += 1
        way = self._way()
        connection = Connection(self._login(self._conn, way), self._ears(self._conn, way))
        try:
            connection.open()
            self._wait_for_end(connection)
            if connection.answered.is_set() and connection.lasted_ms() is None:
                way.refused()
        except (OSError, ValueError) as error:
            if isinstance(error, SSLError):
                way.refused()
            CONNECTIONS.labels("unreachable").inc()
            _log.info("mqtt.unreachable", host=way.host, because=str(error))
        finally:
            connection.close()
            if self._connected is connection:
                self._connected = None
                self._told(lambda handler: handler.disconnected())
        return connection.lasted_ms()

    def _wait_for_end(self, connection: Connection) -> None:
        if not connection.answered.wait(CONNECT_TIMEOUT_S):
            CONNECTIONS.labels("no_answer").inc()
            return
        connection.over.wait()

    def _way(self) -> Way:
        config = self._config
        return Way(config.host, config.port) if config.way is None else config.way()

    def _login(self, conn: int, way: Way) -> Login:
        config = self._config
        topic, state = config.state_topic, config.state_bytes
        return Login(
            host=way.host,
            port=way.port,
            tls=way.tls,
            client_id=config.client_id,
            user=config.client_id,
            topics=config.topics,
            password=config.password,
            keepalive_s=KEEPALIVE_S,
            birth=Letter(topic, state(True, conn)),  # noqa: FBT003 - a callable has no keywords
            will=Letter(topic, state(False, conn)),  # noqa: FBT003 - see above
        )

    def _ears(self, conn: int, way: Way) -> Ears:
        return Ears(
            came_up=lambda connection: self._came_up(connection, conn, way),
            received=lambda *message: self._received(Received(*message)),
            bad=lambda code: BAD_MESSAGES.labels(code).inc(),
            outcome=lambda outcome: CONNECTIONS.labels(outcome).inc(),
            unheard=lambda reason: REFUSED_PUBLISHES.labels(reason).inc(),
        )

    def _came_up(self, connection: Connection, conn: int, way: Way) -> None:
        self._connected = connection
        CONNECTIONS.labels("connected").inc()
        self._told(lambda _: way.accepted())
        self._told(lambda handler: handler.connected(conn))
        if self._stop.is_set():
            connection.over.set()

    def _received(self, message: Received) -> None:
        self._told(lambda handler: handler.received(message))

    def _told(self, tell: Callable[[LinkHandler], None]) -> None:
        if self._handler is not None:
            try:
                tell(self._handler)
            except Exception:  # noqa: BLE001 - paho's thread dies of what a callback raises
                BAD_MESSAGES.labels("callback").inc()
                _log.exception("mqtt.handler_failed")
