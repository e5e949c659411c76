"""One suite per device port, run against every adapter that can run without hardware."""

import os
import pty
import socket
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass

import pytest

from edge.clock import SystemClock
from edge.device.framing import CODE_CHARACTERS_MAX
from edge.device.ports import ScannerPort
from edge.device.virtual import VirtualScanner
from shared.kernel.errors import UnavailableError

LOOPBACK = "127.0.0.1"
CLOCK = SystemClock()


def until(is_true: Callable[[], bool], within_s: float = 5.0) -> None:
    deadline = time.monotonic() + within_s
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@dataclass
class ScannerBench:
    port: ScannerPort
    scan: Callable[[str], object]


def _over_tcp() -> Iterator[ScannerBench]:
    scanner = VirtualScanner(LOOPBACK, 0, CLOCK)

    def scan(code: str) -> None:
        with socket.create_connection((LOOPBACK, scanner.port)) as connection:
            connection.sendall(f"{code}\r\n".encode())

    yield ScannerBench(scanner, scan)
    scanner.stop()


def _in_process() -> Iterator[ScannerBench]:
    scanner = VirtualScanner(LOOPBACK, 0, CLOCK)
    yield ScannerBench(scanner, scanner.scan)
    scanner.stop()


def _over_terminal() -> Iterator[ScannerBench]:
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


SCANNERS = {"tcp": _over_tcp, "in_process": _in_process, "terminal": _over_terminal}


@pytest.fixture(params=SCANNERS)
def scanner(request: pytest.FixtureRequest) -> Iterator[ScannerBench]:
    yield from SCANNERS[request.param]()


def test_a_scanner_delivers_codes_in_order_without_their_terminator(scanner: ScannerBench) -> None:
    codes: list[str] = []
    scanner.port.start(codes.append)
    for code in ("6901234567892", "2212345006789", "A-b/7"):
        scanner.scan(code)
        until(lambda code=code: codes[-1:] == [code])  # type: ignore[misc]
    assert codes == ["6901234567892", "2212345006789", "A-b/7"]


def test_a_scanner_ignores_empty_and_endless_codes(scanner: ScannerBench) -> None:
    codes: list[str] = []
    scanner.port.start(codes.append)
    scanner.scan("")
    scanner.scan("9" * (CODE_CHARACTERS_MAX + 1))
    scanner.scan("42")
    until(lambda: bool(codes))
    assert codes == ["42"]


def test_a_scanner_says_how_it_is(scanner: ScannerBench) -> None:
    assert scanner.port.state().state == "absent"
    scanner.port.start(lambda _: None)
    assert scanner.port.state().state == "ready"
    scanner.port.stop()
    scanner.port.stop()
    assert scanner.port.state().state == "absent"


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
