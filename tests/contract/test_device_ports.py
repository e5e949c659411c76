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
from typing import cast

import pytest

from edge.clock import SystemClock
from edge.device.drawer import PrinterDrawer, pulse
from edge.device.escpos import PrinterProfile, encode
from edge.device.ports import PrinterPort, PrintJob, ScannerPort
from edge.device.printer import AbsentPrinter, Completion, NetworkPrinter, NetworkPrinterConfig
from edge.device.virtual import CODE_CHARACTERS_MAX, PrinterFault, VirtualPrinter, VirtualScanner
from shared.kernel.errors import UnavailableError
from shared.sale.receipt import ReceiptLine

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


@dataclass
class PrinterBench:
    port: NetworkPrinter
    peer: VirtualPrinter


@pytest.fixture(params=["in_order", "status"])
def printer(request: pytest.FixtureRequest) -> Iterator[PrinterBench]:
    peer = VirtualPrinter(LOOPBACK, 0)
    peer.start()
    completion = cast("Completion", request.param)
    config = NetworkPrinterConfig(
        lambda: peer.address, completion, connect_s=1, answer_s=0.3, finish_s=0.3, poll_s=0.1
    )
    port = NetworkPrinter(config, CLOCK)
    yield PrinterBench(port, peer)
    port.stop()
    peer.stop()


def job(text: str = "合计 12.50") -> PrintJob:
    return PrintJob("job-1", encode([ReceiptLine(text)], PrinterProfile()))


def test_a_job_comes_out_on_paper(printer: PrinterBench) -> None:
    assert printer.port.print(job()) == "printed"
    until(lambda: len(printer.peer.papers()) == 1)
    [paper] = printer.peer.papers()
    assert paper.paper.text.splitlines()[0] == "合计 12.50"
    assert printer.port.status().state == "ok"


@pytest.mark.parametrize("fault", ["paper_out", "cover_open", "offline"])
def test_nothing_is_sent_to_a_printer_that_cannot_print(
    printer: PrinterBench, fault: PrinterFault
) -> None:
    printer.peer.set_fault(fault)
    assert printer.port.print(job()) == "not_printed"
    assert printer.port.status().state == fault
    printer.peer.set_fault(None)
    assert printer.peer.papers() == []
    assert printer.port.print(job()) == "printed"


def test_little_paper_still_prints(printer: PrinterBench) -> None:
    printer.peer.set_fault("paper_low")
    assert printer.port.print(job()) == "printed"
    assert printer.port.status().state == "paper_low"


def test_paper_that_ends_within_a_job_leaves_it_unknown(printer: PrinterBench) -> None:
    printer.peer.lose_next()
    assert printer.port.print(job()) == "unknown"
    assert printer.port.status().state == "paper_out"
    assert printer.peer.papers() == []


def test_a_printer_that_is_not_there_prints_nothing(printer: PrinterBench) -> None:
    printer.peer.stop()
    assert printer.port.print(job()) == "not_printed"
    assert printer.port.status().state == "offline"
    assert printer.port.send(pulse(2)) is False


def test_the_watcher_notices_faults_and_recovery_without_a_job(printer: PrinterBench) -> None:
    printer.port.start()
    until(lambda: printer.port.status().state == "ok")
    printer.peer.set_fault("paper_out")
    until(lambda: printer.port.status().state == "paper_out")
    printer.peer.set_fault(None)
    until(lambda: printer.port.status().state == "ok")


def test_only_the_configured_pin_is_pulsed(printer: PrinterBench) -> None:
    assert PrinterDrawer(printer.port, 5).open()
    until(lambda: printer.peer.drawer_opened == 1)
    assert (printer.peer.drawer_pulses(2), printer.peer.drawer_pulses(5)) == (0, 1)


def test_a_realtime_pulse_opens_the_drawer_of_a_printer_without_paper(
    printer: PrinterBench,
) -> None:
    printer.peer.set_fault("paper_out")
    assert PrinterDrawer(printer.port, 2, is_realtime=True).open()
    until(lambda: printer.peer.drawer_opened == 1)


def test_a_mute_printer_is_believed_once_it_took_the_job() -> None:
    received: list[bytes] = []

    def swallow(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            while data := connection.recv(4096):
                received.append(data)

    with closing(socket.create_server((LOOPBACK, 0))) as listening:
        thread = threading.Thread(target=swallow, args=(listening,), daemon=True)
        thread.start()
        address = (LOOPBACK, listening.getsockname()[1])
        printer = NetworkPrinter(NetworkPrinterConfig(lambda: address, "none"), CLOCK)
        assert printer.print(job()) == "printed"
        thread.join(3)
    assert b"".join(received) == job().payload


def test_a_printer_that_never_answers_gets_no_job() -> None:
    with closing(socket.create_server((LOOPBACK, 0))) as listening:
        address = (LOOPBACK, listening.getsockname()[1])
        config = NetworkPrinterConfig(lambda: address, connect_s=0.5, answer_s=0.1)
        printer: PrinterPort = NetworkPrinter(config, CLOCK)
        assert printer.print(job()) == "not_printed"
        assert printer.status().state == "offline"


def test_a_box_without_a_printer_says_so() -> None:
    printer = AbsentPrinter(CLOCK)
    printer.start()
    assert printer.print(job()) == "not_printed"
    assert not PrinterDrawer(printer, 2).open()
    printer.stop()


def test_only_the_last_papers_are_kept() -> None:
    peer = VirtualPrinter(LOOPBACK, 0)
    peer.start()
    with socket.create_connection(peer.address) as connection:
        connection.sendall(b"".join(b"%d\n\x1dV\x00" % n for n in range(250)))
        until(lambda: bool(peer.papers(after=249)))
    papers = peer.papers()
    assert (len(papers), papers[0].number, papers[-1].number) == (200, 51, 250)
    peer.stop()
