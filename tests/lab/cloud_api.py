"""The cloud's API on a free port of this machine, in a thread of this program."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from cloud import compose
from cloud.context import Context
from cloud.identity.people import put_user
from cloud.server import open_socket, server_of
from cloud.settings import Settings
from cloud.signing import create_hq_key
from shared.kernel.clock import Clock, ClockQuality
from tests.lab.net import LOOPBACK, sleep_briefly

PASSWORD = "correct horse"
START_SECONDS = 15


@dataclass(slots=True)
class SettableClock:
    """Says what it is told; both clocks go on together."""

    at_ms: int = 1_795_000_000_000

    def now_ms(self) -> int:
        """See `shared.kernel.clock.Clock`."""
        return self.at_ms

    def mono_ms(self) -> int:
        """See `shared.kernel.clock.Clock`."""
        return self.at_ms

    def quality(self) -> ClockQuality:
        """See `shared.kernel.clock.Clock`."""
        return ClockQuality.NTP


@dataclass(slots=True)
class CloudApi:
    """A running API over a migrated database, its files below `folder`."""

    database_url: str
    folder: Path
    clock: Clock = field(default_factory=SettableClock)
    changed: dict[str, Any] = field(default_factory=dict)
    """Settings that differ."""
    context: Context = field(init=False)
    url: str = field(init=False)
    _server: uvicorn.Server = field(init=False)
    _thread: threading.Thread = field(init=False)
    _clients: list[httpx.Client] = field(init=False, default_factory=list)

    def start(self) -> CloudApi:
        """Listen and answer; every role has a user of its own name."""
        listener = open_socket(LOOPBACK, 0)
        port: int = listener.getsockname()[1]
        self.url = f"http://{LOOPBACK}:{port}"
        known: dict[str, Any] = {
            "database_url": self.database_url,
            "object_dir": str(self.folder / "objects"),
            "public_url": self.url,
            "require_totp": False,
            "session_idle_min": 720,
        }
        settings = Settings(**(known | self.changed))
        key = create_hq_key(self.folder / "hq.key")
        self.context = compose.context_of(settings, key, self.clock)
        self._server = server_of(compose.app_of(self.context))
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, daemon=True
        )
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not self._server.started and time.monotonic() < deadline:
            sleep_briefly()
        return self

    def stop(self) -> None:
        """Close every client, end the thread and close the database."""
        for client in self._clients:
            client.close()
        self._server.should_exit = True
        self._thread.join()

    def client(self, role: str = "admin") -> httpx.Client:
        """A client signed in as a user of that role."""
        database = self.context.database
        put_user(database, name=role, display_name="", role=role, password=PASSWORD)
        client = self.stranger()
        answer = client.post("/v1/session", json={"user": role, "password": PASSWORD})
        client.cookies.clear()
        client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        return client

    def stranger(self) -> httpx.Client:
        """A client that is not signed in."""
        client = httpx.Client(base_url=self.url, timeout=30)
        self._clients.append(client)
        return client
