"""MQTT 5 link of the box: the only module of the box that knows paho.

What paho would do otherwise, and why it may not: it queues while offline and sends the backlog at
once after a reconnect, so nothing is published while offline and every connection has a client of
its own; an exception in a callback ends its thread silently, so every callback is wrapped;
`is_published()` is true even for refused messages, so the reason code is looked at; it reconnects
without jitter, so this module does it; a session would hide lost subscriptions, so there is none.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from paho.mqtt.client import (
    Client,
    ConnectFlags,
    DisconnectFlags,
    MQTTMessage,
    MQTTMessageInfo,
)
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge.sync.backoff import failures_after, full_jitter_ms
from edge.sync.link import LinkHandler, Received
from edge.sync.metrics import BAD_MESSAGES, CONNECTIONS, REFUSED_PUBLISHES

KEEPALIVE_S = 60
CONNECT_TIMEOUT_S = 15
INFLIGHT_MAX = 4
QUEUED_MAX = 32
PACKET_BYTES_MAX = 1 << 20
RECONNECT_BASE_MS = 1000
LINE_BUSY_S_MAX = 120.0
"""After so long a message that the broker has not confirmed no longer keeps the next one back."""
_QOS_AT_LEAST_ONCE = 1
_NO_SUBSCRIBER = 0x10
_CLEAN, _EXPIRES_AT_ONCE = True, 0
_STOP_S = 3.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class MqttConfig:
    """Where to connect and as whom.

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


class MqttLink:
    """Link over paho; `jitter` gives uniform numbers in [0, 1)."""

    def __init__(self, config: MqttConfig, jitter: Callable[[], float]) -> None:
        self._config = config
        self._jitter = jitter
        self._conn = 0
        self._handler: LinkHandler | None = None
        self._connected: _Connection | None = None
        self._stop = threading.Event()
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

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Hand a message to the broker, QoS 1; False while not connected or the line is full."""
        connection = self._connected
        if connection is None or connection.over.is_set():
            return False
        return connection.publish(topic, payload, retain=retain)

    def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
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
        connection = _Connection(self._config, self._conn, self._came_up, self._received)
        try:
            connection.open()
            self._wait_for_end(connection)
        except (OSError, ValueError) as error:
            CONNECTIONS.labels("unreachable").inc()
            _log.info("mqtt.unreachable", host=self._config.host, because=str(error))
        finally:
            connection.close()
            if self._connected is connection:
                self._connected = None
                self._told(lambda handler: handler.disconnected())
        return connection.lasted_ms()

    def _wait_for_end(self, connection: _Connection) -> None:
        if not connection.answered.wait(CONNECT_TIMEOUT_S):
            CONNECTIONS.labels("no_answer").inc()
            return
        connection.over.wait()

    def _came_up(self, connection: _Connection) -> None:
        self._connected = connection
        CONNECTIONS.labels("connected").inc()
        self._told(lambda handler: handler.connected(connection.conn))
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


class _Connection:
    """One paho client for one connection, so that no state outlives it."""

    def __init__(
        self,
        config: MqttConfig,
        conn: int,
        came_up: Callable[[_Connection], None],
        received: Callable[[Received], None],
    ) -> None:
        self.conn = conn
        self.answered = threading.Event()
        self.over = threading.Event()
        self._up_at_s: float | None = None
        self._config = config
        self._came_up = came_up
        self._received = received
        self._single: MQTTMessageInfo | None = None
        self._single_at_s = 0.0
        self._client = self._make_client()

    def open(self) -> None:
        """Connect the socket and send CONNECT; raises OSError."""
        connect = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        connect.MaximumPacketSize = PACKET_BYTES_MAX
        connect.SessionExpiryInterval = _EXPIRES_AT_ONCE
        config = self._config
        self._client.connect(
            config.host, config.port, KEEPALIVE_S, clean_start=_CLEAN, properties=connect
        )
        self._client.loop_start()

    def close(self) -> None:
        """Disconnect; the broker publishes the last will, and nothing is left running."""
        goodbye = ReasonCode(PacketTypes.DISCONNECT, "Disconnect with will message")
        self._client.disconnect(reasoncode=goodbye)
        self._client.loop_stop()

    def lasted_ms(self) -> int | None:
        """How long it has stood by now; None when it never did."""
        return None if self._up_at_s is None else int((time.monotonic() - self._up_at_s) * 1000)

    def publish(self, topic: str, payload: bytes, *, retain: bool) -> bool:
        """Hand over; False when paho's short queue is full or the connection is going."""
        is_single = topic == self._config.single_topic
        if is_single and self._is_line_busy():
            return False
        try:
            info = self._client.publish(topic, payload, _QOS_AT_LEAST_ONCE, retain)
        except ValueError:
            return False
        if is_single:
            self._single, self._single_at_s = info, time.monotonic()
        return info.rc is MQTTErrorCode.MQTT_ERR_SUCCESS

    def _is_line_busy(self) -> bool:
        """Whether the last single message has not left; its PUBACK says nothing more than that."""
        single = self._single
        if single is None or single.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            return False
        age_s = time.monotonic() - self._single_at_s
        return not single.is_published() and age_s < LINE_BUSY_S_MAX

    def _make_client(self) -> Client:
        config = self._config
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=config.client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.suppress_exceptions = True
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.max_inflight_messages_set(INFLIGHT_MAX)
        client.max_queued_messages_set(QUEUED_MAX)
        client.username_pw_set(config.client_id, config.password)
        will = config.state_bytes(False, self.conn)  # noqa: FBT003 - a callable has no keywords
        client.will_set(config.state_topic, will, _QOS_AT_LEAST_ONCE, retain=True)
        client.on_socket_open = _send_small_packets_at_once
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        return client

    def _on_connect(
        self,
        client: Client,
        _data: object,
        _flags: ConnectFlags,
        reason: ReasonCode,
        _props: object,
    ) -> None:
        if reason.is_failure:
            CONNECTIONS.labels("refused").inc()
            _log.warning("mqtt.refused", because=str(reason))
            self._end()
            return
        options = SubscribeOptions(qos=_QOS_AT_LEAST_ONCE)
        client.subscribe([(topic, options) for topic in self._config.topics])
        birth = self._config.state_bytes(True, self.conn)  # noqa: FBT003 - see above
        client.publish(self._config.state_topic, birth, _QOS_AT_LEAST_ONCE, retain=True)
        self._up_at_s = time.monotonic()
        self._came_up(self)
        self.answered.set()

    def _on_disconnect(
        self,
        _client: Client,
        _data: object,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _props: object,
    ) -> None:
        _log.info("mqtt.disconnected", conn=self.conn, because=str(reason))
        self._end()

    def _end(self) -> None:
        self.over.set()
        self.answered.set()

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        if len(message.payload) > PACKET_BYTES_MAX:
            BAD_MESSAGES.labels("wire.too_large").inc()
            return
        try:
            topic = message.topic
        except UnicodeDecodeError:
            BAD_MESSAGES.labels("wire.topic").inc()
            return
        self._received(Received(topic, bytes(message.payload), bool(message.retain)))

    def _on_publish(
        self, _client: Client, _data: object, _mid: int, reason: ReasonCode, _props: object
    ) -> None:
        # No lock of ours may be taken here: paho holds the one that publish() needs.
        if reason.is_failure or reason.value == _NO_SUBSCRIBER:
            REFUSED_PUBLISHES.labels(str(reason)).inc()
            if reason.is_failure:
                _log.warning("mqtt.publish_refused", because=str(reason))


def _send_small_packets_at_once(_client: Client, _data: object, end: object) -> None:
    """Without this an acknowledgement waits up to 40 ms for the packet before it."""
    if isinstance(end, socket.socket):
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
