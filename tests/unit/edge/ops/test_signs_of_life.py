"""What systemd hears, and how late the event loop is."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

from edge.ops.heartbeat import BEAT_S, Heartbeat
from edge.ops.systemd import ALIVE, READY, Notifier


def listening(address: str) -> socket.socket:
    there = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    there.settimeout(5)
    there.bind("\0" + address[1:] if address.startswith("@") else address)
    return there


@pytest.mark.parametrize("is_abstract", [False, True])
def test_systemd_is_told_where_it_listens(tmp_path: Path, is_abstract: bool) -> None:
    address = f"@tillbox-{os.getpid()}" if is_abstract else str(tmp_path / "notify")
    with closing(listening(address)) as there:
        assert Notifier({"NOTIFY_SOCKET": address}).tell(READY)
        assert there.recv(64) == b"READY=1"


def test_nobody_is_told_where_nobody_listens(tmp_path: Path) -> None:
    assert not Notifier({}).tell(READY)
    assert not Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).tell(READY)


@pytest.mark.parametrize(
    ("environment", "period_s"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 10),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 10),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_a_sign_of_life_comes_thrice_in_the_time_allowed(
    environment: dict[str, str], period_s: float | None
) -> None:
    assert Notifier(environment).period_s == period_s


def beat(heart: Heartbeat, for_s: float, blocked_s: float = 0) -> None:
    async def live() -> None:
        task = asyncio.create_task(heart.run())
        await asyncio.sleep(BEAT_S / 2)
        time.sleep(blocked_s)  # noqa: ASYNC251 - what must be seen
        await asyncio.sleep(for_s)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(live())


def test_a_loop_that_was_held_up_is_measured() -> None:
    heart = Heartbeat(Notifier({}))
    beat(heart, 2 * BEAT_S, blocked_s=0.3)
    assert heart.lag_max_s > 0.2


def test_a_living_loop_says_so_and_one_that_is_stuck_does_not(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    environment = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "300000"}
    with closing(listening(address)) as there:
        beat(Heartbeat(Notifier(environment)), 3 * BEAT_S)
        assert there.recv(64) == ALIVE
        while select_now(there):
            there.recv(64)
        beat(Heartbeat(Notifier(environment), is_alive=lambda: False), 3 * BEAT_S)
        assert not select_now(there)


def select_now(there: socket.socket) -> bool:
    there.setblocking(False)
    try:
        there.recv(64, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    return True
