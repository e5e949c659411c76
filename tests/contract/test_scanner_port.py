"""One suite for scanners, run against every adapter: software, a serial line, an input device."""

from __future__ import annotations

import os
import pty
import socket
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge.clock import SystemClock
from edge.device.binding_store import BindingStore
from edge.device.found import Found
from edge.device.framing import CODE_CHARACTERS_MAX, ScannerLayout
from edge.device.ports import Reporting, ScannerPort, SelfTesting
from edge.device.scanner import EvdevScanner
from edge.device.scanner_hub import HubParts, LaneScanner, ScannerHub
from edge.device.scanner_serial import SerialScanner
from edge.device.virtual import VirtualScanner
from shared.kernel.errors import UnavailableError
from tests.fakes.discovery import FakeDiscovery
from tests.fakes.key_device import KeyDevice

LOOPBACK = "127.0.0.1"
CLOCK = SystemClock()
LAYOUT = ScannerLayout()


def until(is_true: Callable[[], bool], within_s: float = 5.0) -> None:
    deadline = time.monotonic() + within_s
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@dataclass
class ScannerBench:
    port: ScannerPort
    scan: Callable[[str], object]
    is_told: bool = True
    """Troubles are told to the port; in process `scan` itself says that it refused."""


def _over_tcp(_: Path) -> Iterator[ScannerBench]:
    scanner = VirtualScanner(LOOPBACK, 0, CLOCK)

    def scan(code: str) -> None:
        with socket.create_connection((LOOPBACK, scanner.port)) as connection:
            connection.sendall(f"{code}\r\n".encode())

    yield ScannerBench(scanner, scan)
    scanner.stop()


def _in_process(_: Path) -> Iterator[ScannerBench]:
    scanner = VirtualScanner(LOOPBACK, 0, CLOCK)
    yield ScannerBench(scanner, scanner.scan, is_told=False)
    scanner.stop()


def _over_terminal(_: Path) -> Iterator[ScannerBench]:
    """A serial scanner on a pseudo terminal, its lines carried to the TCP port."""
    scanner = VirtualScanner(LOOPBACK, 0, CLOCK)
    host, device = pty.openpty()
    tty.setraw(device)

    def carry() -> None:
        with suppress(OSError):
            data = os.read(device, 4096)
            with socket.create_connection((LOOPBACK, scanner.port)) as connection:
                while data:
                    connection.sendall(data)
                    data = os.read(device, 4096)

    carrier = threading.Thread(target=carry, daemon=True)
    carrier.start()
    yield ScannerBench(scanner, lambda code: os.write(host, f"{code}\r\n".encode()))
    os.close(host)
    carrier.join(3)
    os.close(device)
    scanner.stop()


def _serial(_: Path) -> Iterator[ScannerBench]:
    host, device = pty.openpty()
    tty.setraw(device)
    scanner = SerialScanner(os.ttyname(device), LAYOUT, CLOCK)
    yield ScannerBench(scanner, lambda code: os.write(host, f"{code}\r\n".encode()))
    scanner.stop()
    os.close(host)
    os.close(device)


def _input_device(_: Path) -> Iterator[ScannerBench]:
    device = KeyDevice()
    scanner = EvdevScanner("/dev/input/event5", LAYOUT, CLOCK, device.open)
    yield ScannerBench(scanner, device.scan)
    scanner.stop()


def _discovered(folder: Path) -> Iterator[ScannerBench]:
    device = KeyDevice()
    found = Found("1", "/dev/input/event5", "keyboard", "usb-1:1.0", model="0c2e:0200")
    hub = ScannerHub(
        HubParts(
            lanes=(1,),
            layout=LAYOUT,
            clock=CLOCK,
            store=BindingStore(folder),
            discovery=FakeDiscovery((found,)),
            token=lambda: "7F3K",
            make=lambda _, place: EvdevScanner(place, LAYOUT, CLOCK, device.open),
            facts=lambda _: None,
        )
    )
    scanner = LaneScanner(hub, 1)
    yield ScannerBench(scanner, device.scan)
    scanner.stop()


SCANNERS = {
    "tcp": _over_tcp,
    "in_process": _in_process,
    "terminal": _over_terminal,
    "serial": _serial,
    "input_device": _input_device,
    "discovered": _discovered,
}


@pytest.fixture(params=SCANNERS)
def scanner(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ScannerBench]:
    yield from SCANNERS[request.param](tmp_path)


def ready(scanner: ScannerBench, codes: list[str], troubles: list[str] | None = None) -> None:
    scanner.port.start(codes.append, None if troubles is None else troubles.append)
    until(lambda: scanner.port.state().state == "ready")


def test_a_scanner_delivers_codes_in_order_without_their_terminator(scanner: ScannerBench) -> None:
    codes: list[str] = []
    ready(scanner, codes)
    for code in ("6901234567892", "2212345006789", "A-b/7"):
        scanner.scan(code)
        until(lambda code=code: codes[-1:] == [code])  # type: ignore[misc]
    assert codes == ["6901234567892", "2212345006789", "A-b/7"]


def test_a_scanner_ignores_empty_codes_and_tells_of_endless_ones(scanner: ScannerBench) -> None:
    codes: list[str] = []
    troubles: list[str] = []
    ready(scanner, codes, troubles)
    scanner.scan("")
    scanner.scan("9" * (CODE_CHARACTERS_MAX + 1))
    scanner.scan("42")
    until(lambda: bool(codes))
    assert codes == ["42"]
    assert troubles == (["scanner.too_long"] if scanner.is_told else [])


def test_a_scanner_says_how_it_is(scanner: ScannerBench) -> None:
    assert scanner.port.state().state == "absent"
    ready(scanner, [])
    scanner.port.stop()
    scanner.port.stop()
    assert scanner.port.state().state == "absent"


def test_a_scanner_starts_again_after_a_stop(scanner: ScannerBench) -> None:
    ready(scanner, [])
    scanner.port.stop()
    codes: list[str] = []
    ready(scanner, codes)
    scanner.scan("42")
    until(lambda: codes == ["42"])


ADAPTERS = [name for name in SCANNERS if name != "discovered"]


@pytest.mark.parametrize("scanner", ADAPTERS, indirect=True)
def test_an_adapter_reports_and_tests_itself(scanner: ScannerBench) -> None:
    codes: list[str] = []
    assert isinstance(scanner.port, SelfTesting)
    port: Reporting = scanner.port
    assert scanner.port.self_test() == "scanner.absent"
    ready(scanner, codes)
    scanner.scan("42")
    until(lambda: codes == ["42"])
    report = port.report()
    assert (report.kind, report.state.state) == ("scanner", "ready")
    assert report.counters["scans"] == 1
    assert report.address
    assert scanner.port.self_test() == "passed"


def test_an_endless_line_costs_no_memory_and_the_next_line_counts() -> None:
    codes: list[str] = []
    scanner = VirtualScanner(LOOPBACK, 0, CLOCK)
    scanner.start(codes.append)
    with socket.create_connection((LOOPBACK, scanner.port)) as connection:
        for _ in range(64):
            connection.sendall(b"9" * 65_536)
        connection.sendall(b"\n42\n")
        until(lambda: codes == ["42"])
    scanner.stop()


def test_a_taken_port_is_said_in_one_sentence() -> None:
    with closing(socket.create_server((LOOPBACK, 0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UnavailableError) as problem:
            VirtualScanner(LOOPBACK, port, CLOCK).start(lambda _: None)
    assert problem.value.code == "device.port_in_use"
    assert problem.value.params == {"device": "virtual-scanner", "port": port}
