"""Pairing as a till page does it: over HTTP, with a scanner on a serial line nobody knows yet."""

from __future__ import annotations

import asyncio
import os
import pty
import tty
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from edge.access import Actor
from edge.clock import SystemClock
from edge.desk.state import Operator
from edge.device.code128 import bars_of
from edge.device.found import Found
from edge.device.wiring_scanner import Scanners, build_scanners
from edge.http import problems
from edge.ops.pairing_api import PairingRoom, router
from edge.settings import parse_settings
from shared.staff.role import BUILT_IN, Grant
from tests.fakes.discovery import FakeDiscovery
from tests.integration.edge.running_box import until

PAIRING = "/v1/lanes/1/pairing"


@dataclass
class Gate:
    """Lets in whoever names a role."""

    def actor(self, token: str) -> Actor | None:
        role = BUILT_IN.get(token)
        if role is None:
            return None
        return Actor(1, Operator("1", "One", token, role.holding(Grant.ALLOWED)), role)


@dataclass
class Till:
    app: FastAPI
    scanners: Scanners
    host: int
    heard: list[tuple[int, str]]

    async def ask(self, method: str, role: str = "manager") -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        headers = {"Authorization": f"Bearer {role}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://box") as client:
            return await client.request(method, PAIRING, headers=headers)

    def scan(self, code: str) -> None:
        os.write(self.host, f"{code}\r".encode())

    def listened_to(self) -> list[str]:
        """States of everything that is open, also of what nobody is to know of."""
        assert self.scanners.hub is not None
        return [slot.scanner.state().state for slot in self.scanners.hub._slots.all()]

    def state(self, id_: str) -> str:
        return {each.id: each.state.state for each in self.scanners.reports()}.get(id_, "")


@pytest.fixture
def till(tmp_path: Path) -> Iterator[Till]:
    host, device = pty.openpty()
    tty.setraw(device)
    node = os.ttyname(device)
    found = Found("1", node, "serial", "usb-1:1.0", model="1a86:7523", name="USB Serial")
    settings = parse_settings(tmp_path, {"box": {"lanes": 2}})
    clock, heard = SystemClock(), []
    scanners = build_scanners(settings, clock, lambda _: None, FakeDiscovery((found,)))
    scanners.start(lambda lane, code: heard.append((lane, code)), lambda _, __: None)
    app = FastAPI()
    app.state.gate = Gate()
    app.state.pairing = PairingRoom(scanners.hub, clock.mono_ms)
    problems.install(app, "en")
    app.include_router(router)
    yield Till(app, scanners, host, heard)
    for scanner in scanners.by_lane.values():
        scanner.stop()
    os.close(host)
    os.close(device)


def run(answer) -> httpx.Response:
    return asyncio.run(answer)


def test_the_scanner_that_reads_the_code_on_the_screen_is_the_lanes(till: Till) -> None:
    assert run(till.ask("GET")).json()["progress"] == "none"
    begun = run(till.ask("POST")).json()
    assert begun["progress"] == "waiting"
    assert begun["bars"] == bars_of(begun["code"])
    assert 59_000 < begun["left_ms"] <= 60_000
    until(lambda: till.listened_to() == ["ready"])
    assert till.scanners.adapters() == ()
    till.scan("6901234567892")
    till.scan(begun["code"])
    until(lambda: run(till.ask("GET")).json()["progress"] == "paired")
    told = run(till.ask("GET")).json()
    assert (told["device"], told["name"], told["address"]) == (
        "scanner-1",
        "USB Serial",
        "usb-1:1.0",
    )
    until(lambda: till.state("scanner-1") == "ready")
    till.scan("42")
    until(lambda: till.heard == [(1, "42")])


def test_who_stops_waiting_lets_go_of_what_was_listened_to(till: Till) -> None:
    code = run(till.ask("POST")).json()["code"]
    until(lambda: till.listened_to() == ["ready"])
    assert run(till.ask("DELETE")).status_code == 204
    until(lambda: till.listened_to() == [])
    till.scan(code)
    assert run(till.ask("GET")).json()["progress"] == "none"
    assert till.state("scanner-1") == "absent"


def test_a_cashier_pairs_nothing(till: Till) -> None:
    answers = [run(till.ask(method, "cashier")) for method in ("POST", "GET", "DELETE")]
    assert [answer.status_code for answer in answers] == [403, 403, 403]
