"""One box's MQTT connection on a shared event loop: thousands of them in one thread.

paho's own loop takes a thread per client; here its socket is watched by asyncio, as paho's
documentation of external event loops describes.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

if TYPE_CHECKING:
    from paho.mqtt.client import SocketLike

KEEPALIVE_S = 60
QUEUED_MAX = 32
AT_LEAST_ONCE = 1


@dataclass(frozen=True, slots=True)
class LightLogin:
    """Where to connect and as whom, what to hear, and the last will."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    topics: tuple[str, ...]
    will: tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class LightEars:
    """What is told of the connection, on the loop: nothing here may block."""

    came_up: Callable[[], None]
    received: Callable[[str, bytes], None]
    went_down: Callable[[], None]


class LightLink:
    """One connection at a time; `open` again after `went_down`."""

    def __init__(self, login: LightLogin, ears: LightEars) -> None:
        self._login = login
        self._ears = ears
        self._loop = asyncio.get_running_loop()
        self._client: Client | None = None
        self.is_up = False
        self.is_opening = False

    async def open(self) -> None:
        """Connect; `came_up` follows. Raises OSError."""
        self.is_opening = True
        self._client = client = self._make_client()
        connect = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        connect.SessionExpiryInterval = 0
        login = self._login
        # The socket is connected and CONNECT sent in a thread: the loop has others to serve.
        try:
            await self._loop.run_in_executor(
                None,
                lambda: client.connect(
                    login.host, login.port, KEEPALIVE_S, clean_start=True, properties=connect
                ),
            )
        except OSError:
            self.is_opening = False
            raise

    def publish(
        self, topic: str, payload: bytes, *, qos: int = AT_LEAST_ONCE, retain: bool = False
    ) -> bool:
        """Hand over; False while there is no connection or too much is on its way."""
        if self._client is None or not self.is_up:
            return False
        try:
            self._client.publish(topic, payload, qos, retain)
        except ValueError:
            return False
        return True

    def keep_alive(self) -> None:
        """Ping when it is time; to be called every few seconds."""
        if self._client is not None:
            self._client.loop_misc()

    def close(self) -> None:
        """Hang up."""
        if self._client is not None:
            self._client.disconnect()

    def _make_client(self) -> Client:
        login = self._login
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=login.user,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.suppress_exceptions = True
        client.max_queued_messages_set(QUEUED_MAX)
        client.username_pw_set(login.user, login.password)
        client.will_set(*login.will, AT_LEAST_ONCE, retain=True)
        client.on_socket_open = self._watch
        client.on_socket_close = self._unwatch
        client.on_socket_register_write = self._watch_writing
        client.on_socket_unregister_write = self._unwatch_writing
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        return client

    # By number, not by object: paho names the wrapper of a web socket as possible, too.

    def _watch(self, client: Client, _data: object, end: SocketLike) -> None:
        if isinstance(end, socket.socket):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        number = end.fileno()
        self._loop.call_soon_threadsafe(lambda: self._loop.add_reader(number, client.loop_read))

    def _unwatch(self, _client: Client, _data: object, end: SocketLike) -> None:
        self._loop.remove_reader(end.fileno())
        self._loop.remove_writer(end.fileno())

    def _watch_writing(self, client: Client, _data: object, end: SocketLike) -> None:
        number = end.fileno()
        self._loop.call_soon_threadsafe(lambda: self._loop.add_writer(number, client.loop_write))

    def _unwatch_writing(self, _client: Client, _data: object, end: SocketLike) -> None:
        number = end.fileno()
        self._loop.call_soon_threadsafe(lambda: self._loop.remove_writer(number))

    def _on_connect(
        self, client: Client, _data: object, _flags: object, reason: ReasonCode, _props: object
    ) -> None:
        self.is_opening = False
        if reason.is_failure:
            return
        options = SubscribeOptions(qos=AT_LEAST_ONCE)
        client.subscribe([(topic, options) for topic in self._login.topics])
        self.is_up = True
        self._ears.came_up()

    def _on_disconnect(self, *_: object) -> None:
        self.is_up = self.is_opening = False
        self._ears.went_down()

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        self._ears.received(message.topic, bytes(message.payload))
