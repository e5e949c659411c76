"""A box that only obeys: the box's own memory and line, around work that counts itself."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Self

from edge.desk.migrations import MIGRATIONS
from edge.ops.command_book import CommandBook
from edge.ops.remote import Outcome, Remote, RemoteParts, Task
from edge.sqlite import Writer
from edge.sync.link import Received
from edge.sync.mqtt import MqttConfig, MqttLink
from shared.kernel.ids import DeviceId
from shared.wire import topics
from shared.wire.message import (
    Birth,
    CommandResult,
    DesiredCommand,
    DesiredState,
    message_bytes,
    parse_message,
)
from tests.lab.broker import Broker
from tests.lab.cloud_api import SettableClock
from tests.lab.net import LOOPBACK

PASSWORD = "far-away"


class FarBox:
    """Connects on entering a `with`; what it has done stays in `folder` over several of them.

    `lost` results are taken for sent and never arrive.
    """

    def __init__(self, broker: Broker, dev: str, folder: Path, clock: SettableClock) -> None:
        self.dev = DeviceId(dev)
        self.done: list[str] = []
        self.lost = 0
        self.documents: list[DesiredState] = []
        self.heard = threading.Event()
        self._file = Writer(folder / f"{dev}.db", "NORMAL")
        tasks = {"self_test": Task(self._work)}
        parts = RemoteParts(CommandBook(self._file), tasks, clock.now_ms, clock.mono_ms, self._tell)
        self._remote = Remote(parts)
        config = MqttConfig(
            host=LOOPBACK,
            port=broker.device_port,
            client_id=dev,
            password=PASSWORD,
            topics=(topics.down_desired(self.dev),),
            state_topic=topics.up_state(self.dev),
            state_bytes=lambda is_online, conn: message_bytes(Birth(is_online, conn)),
            first_conn=lambda: 1,
        )
        self._link = MqttLink(config, lambda: 0.0)

    def __enter__(self) -> Self:
        self._file.open(MIGRATIONS)
        self._remote.start()
        self._link.start(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._link.stop()
        self._remote.stop()
        self._file.close()

    def say(self, topic: str, payload: bytes) -> bool:
        """Send a message that may be lost."""
        return self._link.publish(topic, payload, may_be_lost=True)

    def connected(self, conn: int) -> None:
        """See LinkHandler."""
        del conn

    def disconnected(self) -> None:
        """See LinkHandler."""

    def received(self, message: Received) -> None:
        """See LinkHandler."""
        if message.payload:
            state = parse_message(DesiredState, message.payload)
            self.documents.append(state)
            self._remote.desire(state)
            self.heard.set()

    def _work(self, command: DesiredCommand, _: threading.Event) -> Outcome:
        self.done.append(command.id)
        return Outcome("done", detail="tested=3 failed=0")

    def _tell(self, result: CommandResult) -> bool:
        if self.lost:
            self.lost -= 1
            return True
        return self._link.publish(topics.up_result(self.dev), message_bytes(result))
