"""The customer display's port: both dialects, over TCP and over a terminal, show the same."""

from __future__ import annotations

import os
import pty
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

import pytest

from edge.clock import SystemClock
from edge.device.display import (
    DisplayConfig,
    DisplayDialect,
    DisplayEncoding,
    SerialDisplay,
    display_bytes,
)
from edge.device.ports import DisplayPort
from edge.device.virtual_display import VirtualDisplay

CLOCK = SystemClock()


def until(is_true: Callable[[], bool], within_s: float = 5.0) -> None:
    deadline = time.monotonic() + within_s
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@dataclass
class Bench:
    port: SerialDisplay
    peer: VirtualDisplay


@pytest.fixture(params=["tcp epson", "tcp cd5220", "pty epson"])
def display(request: pytest.FixtureRequest) -> Iterator[Bench]:
    where, _, dialect = request.param.partition(" ")
    peer = VirtualDisplay(("127.0.0.1", 0))
    peer.start()
    host, device = pty.openpty()
    tty.setraw(device)

    def carry() -> None:
        with suppress(OSError):
            waiting = b""
            while data := os.read(host, 64):
                waiting = peer.take(waiting + data)

    thread = threading.Thread(target=carry, daemon=True)
    thread.start()
    name = os.ttyname(device)
    config = DisplayConfig(
        (lambda: name) if where == "pty" else (lambda: peer.url),
        dialect=cast("DisplayDialect", dialect),
        encoding="gb18030",
    )
    port = SerialDisplay(config, CLOCK)
    yield Bench(port, peer)
    port.stop()
    os.close(device)
    os.close(host)
    thread.join(1)
    peer.stop()


def test_a_display_shows_the_newest_rows(display: Bench) -> None:
    port: DisplayPort = display.port
    port.show(("too early", "to be seen"))
    port.show(("燕麦片 500g", "¥3.49"))
    port.start()
    until(lambda: display.peer.rows() == ("燕麦片 500g", "¥3.49"))
    for n in range(200):
        port.show((f"row {n}", ""))
    until(lambda: display.peer.rows() == ("row 199", ""))
    assert display.port.report().counters["shown"] < 50  # the ones between were never written
    assert display.peer.unknown == 0
    port.stop()
    port.stop()
    assert display.port.state().state == "absent"


def test_a_display_that_was_away_shows_the_same_again(display: Bench) -> None:
    display.port.start()
    display.port.show(("TOTAL", "12.50"))
    until(lambda: display.peer.rows() == ("TOTAL", "12.50"))
    assert display.port.self_test() == "passed"
    display.peer.hang_up()
    display.port.show(("CHANGE", "7.50"))
    until(lambda: display.peer.rows() == ("CHANGE", "7.50"))


def test_a_display_that_is_not_there_holds_nobody_up() -> None:
    port = SerialDisplay(DisplayConfig(lambda: "/dev/no-such-display"), CLOCK)
    port.start()
    began = time.monotonic()
    for n in range(1000):
        port.show((str(n), ""))
    assert time.monotonic() - began < 0.5
    until(lambda: port.state().last_fault == "display.absent")
    report = port.report()
    assert (report.id, report.kind, report.state.state) == ("display-1", "display", "absent")
    assert port.self_test() == "display.absent"
    port.stop()


@pytest.mark.parametrize(
    ("encoding", "text", "row"),
    [
        ("ascii", "OATS 500g", b"OATS 500g  "),
        ("ascii", "燕麦 ¥3.49", b"?? ?3.49   "),
        ("ascii", "a\x1b@\x0cb\r\nc", b"a@bc       "),
        ("ascii", "a name that goes on", b"a name that"),
        ("gb18030", "燕麦片五百克装", "燕麦片五百 ".encode("gb18030")),
    ],
)
def test_a_row_fills_its_columns_and_holds_no_command(
    encoding: DisplayEncoding, text: str, row: bytes
) -> None:
    config = DisplayConfig(lambda: "", columns=11, encoding=encoding)
    assert display_bytes((text,), config) == b"\x1b@\x0c\x1f$\x01\x01" + row + b"\x1f$\x01\x02" + (
        b" " * 11
    )
