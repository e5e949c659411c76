"""One connection to an MQTT 5 broker: the only module of the box that knows paho.

Two rooms need it: the line to headquarters and the sensors of the store.  Both make a new client
for each connection, so that no state outlives it.  What paho would do otherwise: it queues while
offline and sends the backlog at once after a reconnect; an exception in a callback ends its thread
silently, so every callback is wrapped; `is_published()` is true even for refused messages, so the
reason code is looked at; a session would hide lost subscriptions, so there is none.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from ssl import SSLContext

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

CONNECT_TIMEOUT_S = 15
PACKET_BYTES_MAX = 1 << 20
_INFLIGHT_MAX = 4
_QUEUED_MAX = 32
_QOS_AT_MOST_ONCE, _QOS_AT_LEAST_ONCE = 0, 1
_NO_SUBSCRIBER = 0x10
_CLEAN, _EXPIRES_AT_ONCE = True, 0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Letter:
    """A retained message that the broker sends for us, or that we send ourselves."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Login:
    """Where to connect and as whom, what to hear, and what the broker says when we are gone."""

    host: str
    port: int
    client_id: str
    user: str
    topics: tuple[str, ...]
    password: str = field(repr=False)
    tls: SSLContext | None = None
    keepalive_s: int = 60
    birth: Letter | None = None
    will: Letter | None = None


@dataclass(frozen=True, slots=True)
class Ears:
    """What is told of a connection, on paho's thread.

    `received` gets topic, payload and whether the broker had kept it; `bad` the code of a message
    that cannot be; `outcome` "refused" when the broker does not let us in; `unheard` the reason
    why a message of ours reached nobody.
    """

    came_up: Callable[[Connection], None]
    received: Callable[[str, bytes, bool], None]
    bad: Callable[[str], None]
    outcome: Callable[[str], None]
    unheard: Callable[[str], None]


class Delivery:
    """A message on its way; whether it has left says nothing about who got it."""

    def __init__(self, info: MQTTMessageInfo) -> None:
        self._info = info

    @property
    def is_taken(self) -> bool:
        """Whether it was handed over."""
        return self._info.rc is MQTTErrorCode.MQTT_ERR_SUCCESS

    @property
    def is_open(self) -> bool:
        """Whether it was handed over and the broker has not confirmed it yet."""
        return self.is_taken and not self._info.is_published()


class Connection:
    """One paho client for one connection, so that no state outlives it."""

    def __init__(self, login: Login, ears: Ears) -> None:
        self.answered = threading.Event()
        self.over = threading.Event()
        self._up_at_s: float | None = None
        self._login = login
        self._ears = ears
        self._client = self._make_client()

    def open(self) -> None:
        """Connect the socket and send CONNECT; raises OSError."""
        connect = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        connect.MaximumPacketSize = PACKET_BYTES_MAX
        connect.SessionExpiryInterval = _EXPIRES_AT_ONCE
        login = self._login
        self._client.connect(
            login.host, login.port, login.keepalive_s, clean_start=_CLEAN, properties=connect
        )
        self._client.loop_start()

    def close(self) -> None:
        """Disconnect; the broker publishes the last will, and nothing is left running."""
        goodbye = ReasonCode(PacketTypes.DISCONNECT, "Disconnect with will message")
        self._client.disconnect(reasoncode=goodbye)
        self._client.loop_stop()
        left = self._client.socket()
        if left is not None:  # paho's thread may end without closing it
            left.close()

    @property
    def is_up(self) -> bool:
        """Whether the broker has let us in and nothing has ended it since."""
        return self._up_at_s is not None and not self.over.is_set()

    def lasted_ms(self) -> int | None:
        """How long it has stood by now; None when it never did."""
        return None if self._up_at_s is None else int((time.monotonic() - self._up_at_s) * 1000)

    def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, may_be_lost: bool = False
    ) -> Delivery | None:
        """Hand over, QoS 1; None when paho's short queue is full or the connection is going.

        What `may_be_lost` goes with QoS 0: the broker confirms nothing, nothing is sent again.
        """
        qos = _QOS_AT_MOST_ONCE if may_be_lost else _QOS_AT_LEAST_ONCE
        try:
            return Delivery(self._client.publish(topic, payload, qos, retain))
        except ValueError:
            return None

    def _make_client(self) -> Client:
        login = self._login
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=login.client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.suppress_exceptions = True
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.max_inflight_messages_set(_INFLIGHT_MAX)
        client.max_queued_messages_set(_QUEUED_MAX)
        if login.tls is not None:  # the certificate says who we are
            client.tls_set_context(login.tls)
        else:
            client.username_pw_set(login.user, login.password)
        if login.will is not None:
            client.will_set(login.will.topic, login.will.payload, _QOS_AT_LEAST_ONCE, retain=True)
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
            self._ears.outcome("refused")
            _log.warning("mqtt.refused", because=str(reason))
            self._end()
            return
        if self._login.topics:
            options = SubscribeOptions(qos=_QOS_AT_LEAST_ONCE)
            client.subscribe([(topic, options) for topic in self._login.topics])
        if self._login.birth is not None:
            birth = self._login.birth
            client.publish(birth.topic, birth.payload, _QOS_AT_LEAST_ONCE, retain=True)
        self._up_at_s = time.monotonic()
        self._ears.came_up(self)
        self.answered.set()

    def _on_disconnect(
        self,
        _client: Client,
        _data: object,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _props: object,
    ) -> None:
        _log.info("mqtt.disconnected", client=self._login.client_id, because=str(reason))
        self._end()

    def _end(self) -> None:
        self.over.set()
        self.answered.set()

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        if len(message.payload) > PACKET_BYTES_MAX:
            self._ears.bad("wire.too_large")
            return
        try:
            topic = message.topic
        except UnicodeDecodeError:
            self._ears.bad("wire.topic")
            return
        self._ears.received(topic, bytes(message.payload), bool(message.retain))

    def _on_publish(
        self, _client: Client, _data: object, _mid: int, reason: ReasonCode, _props: object
    ) -> None:
        # No lock of ours may be taken here: paho holds the one that publish() needs.
        if reason.is_failure or reason.value == _NO_SUBSCRIBER:
            self._ears.unheard(str(reason))
            if reason.is_failure:
                _log.warning("mqtt.publish_refused", because=str(reason))


def _send_small_packets_at_once(_client: Client, _data: object, end: object) -> None:
    """Without this an acknowledgement waits up to 40 ms for the packet before it."""
    if isinstance(end, socket.socket):
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
