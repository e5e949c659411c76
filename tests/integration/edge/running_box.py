"""A whole box as its own process, with what a till page and a scanner do to it."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from shared.publication.revision import Record
from tests.integration.edge.boxes import (
    DAY,
    MANAGER,
    MANAGER_PIN,
    WEIGHED_NUMBER,
    prepare_data,
    price_record,
)
from tests.lab.net import LOOPBACK, free_port
from tests.lab.processes import ChildProcess, Command

READY_WITHIN_S = 60


def until(is_true: Callable[[], Any], within_s: float = 20) -> Any:
    deadline = time.monotonic() + within_s
    while not (found := is_true()):
        assert time.monotonic() < deadline, "nothing happened in time"
        time.sleep(0.01)
    return found


class Screen:
    """A till page's event stream, read on a thread."""

    def __init__(self, url: str, token: str | None, lane: int = 1) -> None:
        self.views: list[dict[str, Any]] = []
        self.statuses: list[dict[str, Any]] = []
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._url = f"{url}/v1/lanes/{lane}/events"
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        until(lambda: self.views)

    @property
    def view(self) -> dict[str, Any]:
        return self.views[-1]

    def wait(self, is_true: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        until(lambda: is_true(self.view))
        return self.view

    def close(self) -> None:
        self._closing.set()
        self._thread.join(10)

    def _read(self) -> None:
        name = ""
        try:
            with httpx.stream("GET", self._url, headers=self._headers, timeout=10) as answer:
                for line in answer.iter_lines():
                    if line.startswith("event: "):
                        name = line[7:]
                    elif line.startswith("data: "):
                        kept = self.views if name == "view" else self.statuses
                        kept.append(json.loads(line[6:]))
                    if self._closing.is_set():
                        return
        except httpx.HTTPError:
            return


@dataclass
class RunningBox:
    """A box process with the client of one till."""

    data: Path
    port: int
    process: ChildProcess
    screens: list[Screen] = field(default_factory=list)
    token: str = ""
    keys: int = 0
    health: str = "/healthz"

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def start(self) -> RunningBox:
        self.process.start()
        self.process.wait_http(f"{self.url}{self.health}", READY_WITHIN_S)
        return self

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        self.keys += 1
        sent = {"Idempotency-Key": f"{os.getpid()}-{self.keys}"}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        return httpx.request(
            method, self.url + path, json=body, headers={**sent, **headers}, timeout=20
        )

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        answer = self.call("POST", path, body or {}, **headers)
        assert answer.status_code in {200, 204}, answer.text
        return answer.json() if answer.content else None

    def get(self, path: str) -> Any:
        return self.call("GET", path).json()

    def sign_in(self, operator: str = MANAGER, pin: str = MANAGER_PIN, lane: int = 1) -> str:
        answer = self.post(f"/v1/lanes/{lane}/session", {"operator": operator, "pin": pin})
        self.token = answer["token"]
        return self.token

    def screen(self, token: str | None = None, lane: int = 1) -> Screen:
        opened = Screen(self.url, token, lane)
        self.screens.append(opened)
        return opened

    def scan(self, *codes: str, lane: int = 1) -> None:
        """At the device port, as a scanner would."""
        port = self.get("/virtual/page-data")["ports"][str(lane)]
        with socket.create_connection((LOOPBACK, port), timeout=10) as scanner:
            scanner.sendall("".join(f"{code}\r\n" for code in codes).encode())

    def papers(self, count: int) -> list[Any]:
        found: list[Any] = until(lambda: _at_least(count, self.get("/virtual/printer/papers")))
        return found

    def stop(self) -> None:
        for screen in self.screens:
            screen.close()
        self.process.stop(15)


def _at_least(count: int, answer: dict[str, Any]) -> list[Any]:
    papers: list[Any] = answer["papers"]
    return papers if len(papers) >= count else []


def a_running_box(
    folder: Path,
    *more: Record,
    prepare: Callable[[Path], None] = lambda _: None,
    health: str = "/healthz",
    **settings: str,
) -> RunningBox:
    """`prepare` changes the data folder before the box starts; it runs once `health` answers."""
    port = free_port()
    data = folder / "data"
    data.mkdir(parents=True)
    prepare_data(data, port=port, more=more, **settings)
    prepare(data)
    command = Command(
        "box", [sys.executable, "-m", "edge", "run", "--data", data], folder / "box.log"
    )
    return RunningBox(data, port, ChildProcess(command), health=health).start()


COUNTER = """
[scale]
kind = "virtual"
[display]
kind = "virtual"
encoding = "gb18030"
"""


def a_weighing_box(folder: Path) -> RunningBox:
    """A box with a scale and a customer display at each lane; its day is open, Bananas cost 10.00.

    The manager is signed in at lane 1.
    """
    data, port = folder / "data", free_port()
    data.mkdir(parents=True)
    prepare_data(data, port=port, more=[price_record(WEIGHED_NUMBER, 1000)])
    settings = data / "edge.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + COUNTER, encoding="utf-8")
    command = Command(
        "box", [sys.executable, "-m", "edge", "run", "--data", data], folder / "box.log"
    )
    running = RunningBox(data, port, ChildProcess(command)).start()
    running.sign_in()
    running.post("/v1/day/open", {"business_date": DAY})
    return running
