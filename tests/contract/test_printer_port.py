"""The printer port and its drawer behind each of the four plugs, and the virtual printer."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge.clock import SystemClock
from edge.device.drawer import DrawerConfig, PrinterDrawer, pulse
from edge.device.escpos import PrinterProfile, encode
from edge.device.ports import PrintJob
from edge.device.printer import AbsentPrinter, PrinterConfig, StatusPrinter
from edge.device.printer_talk import Completion, TalkConfig
from edge.device.transport import LineError, Transport
from edge.device.transport_file import FileTransport, condition_of_port
from edge.device.transport_network import NetworkTransport
from edge.device.transport_serial import SerialLine, SerialTransport
from edge.device.transport_usb import UsbAddress, UsbTransport
from edge.device.virtual_printer import PrinterFault, PrinterModel, VirtualPrinter
from shared.sale.receipt import ReceiptLine
from tests.fakes.printers import TerminalPrinter, UsbPrinter

LOOPBACK = "127.0.0.1"
CLOCK = SystemClock()
FAST = {"answer_s": 0.2, "finish_s": 0.3, "stall_s": 0.3}


def until(is_true: Callable[[], bool], within_s: float = 5.0) -> None:
    deadline = time.monotonic() + within_s
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@dataclass
class PrinterBench:
    port: StatusPrinter
    peer: PrinterModel
    transport: Transport


def a_printer(
    transport: Transport, completion: Completion = "in_order", **changed
) -> StatusPrinter:
    talk = TalkConfig(completion, **{**FAST, **changed.pop("talk", {})})
    return StatusPrinter(PrinterConfig(talk=talk, poll_s=0.05, **changed), transport, CLOCK)


def _network(completion: Completion, **changed) -> Iterator[PrinterBench]:
    peer = VirtualPrinter(LOOPBACK, 0)
    peer.start()
    transport = NetworkTransport(lambda: peer.address, is_kept=bool(changed), connect_s=1)
    port = a_printer(transport, completion, **changed)
    yield PrinterBench(port, peer, transport)
    port.stop()
    peer.stop()


def _terminal(kind: str, completion: Completion, **changed) -> Iterator[PrinterBench]:
    peer = TerminalPrinter()
    made: dict[str, Callable[[], Transport]] = {
        "serial": lambda: SerialTransport(peer.path, SerialLine(115_200)),
        "file": lambda: FileTransport(peer.path),
    }
    transport = made[kind]()
    port = a_printer(transport, completion, **changed)
    yield PrinterBench(port, peer, transport)
    port.stop()
    peer.close()


def _usb(completion: Completion, **changed) -> Iterator[PrinterBench]:
    peer = UsbPrinter()
    where = UsbAddress(UsbPrinter.VENDOR, UsbPrinter.PRODUCT, UsbPrinter.SERIAL)
    transport = UsbTransport(where, peer.backend)
    port = a_printer(transport, completion, **changed)
    yield PrinterBench(port, peer, transport)
    port.stop()
    peer.close()


def bench(kind: str, completion: Completion, **changed) -> Iterator[PrinterBench]:
    if kind == "network":
        yield from _network(completion, **changed)
    elif kind == "usb":
        yield from _usb(completion, **changed)
    else:
        yield from _terminal(kind, completion, **changed)


KINDS = ("network", "serial", "file", "usb")


@pytest.fixture(params=[*KINDS, "network-status"])
def printer(request: pytest.FixtureRequest) -> Iterator[PrinterBench]:
    kind, _, status = request.param.partition("-")
    yield from bench(kind, "status" if status else "in_order")


@pytest.fixture(params=KINDS)
def telling(request: pytest.FixtureRequest) -> Iterator[PrinterBench]:
    """A printer that pushes its status, with a switch at its drawer."""
    talk = {"pushes_status": True}
    yield from bench(request.param, "in_order", talk=talk, drawer_open_level="high")


def job(text: str = "合计 12.50") -> PrintJob:
    return PrintJob("job-1", encode([ReceiptLine(text)], PrinterProfile()))


def texts(peer: PrinterModel) -> list[str]:
    return [each.paper.text.strip() for each in peer.papers() if each.paper.text.strip()]


def test_a_job_comes_out_on_paper(printer: PrinterBench) -> None:
    assert printer.port.print(job()) == "printed"
    assert printer.port.print(job("找零 0.50")) == "printed"
    until(lambda: len(printer.peer.papers()) == 2)
    assert texts(printer.peer) == ["合计 12.50", "找零 0.50"]
    assert printer.port.status().state == "ok"
    report = printer.port.report()
    assert (report.state.state, report.counters["printed"]) == ("ready", 2)
    assert report.address == printer.transport.address


@pytest.mark.parametrize("fault", ["paper_out", "cover_open", "error", "offline"])
def test_nothing_is_sent_to_a_printer_that_cannot_print(
    printer: PrinterBench, fault: PrinterFault
) -> None:
    printer.peer.set_fault(fault)
    assert printer.port.print(job()) == "not_printed"
    assert printer.port.status().state == fault
    assert printer.port.report().state.state in {"absent", "failed"}
    printer.peer.set_fault(None)
    assert printer.peer.papers() == []
    assert printer.port.print(job()) == "printed"
    assert texts(printer.peer) == ["合计 12.50"]


def test_little_paper_still_prints(printer: PrinterBench) -> None:
    printer.peer.set_fault("paper_low")
    assert printer.port.print(job()) == "printed"
    assert printer.port.status().state == "paper_low"
    state = printer.port.report().state
    assert (state.state, state.last_fault) == ("degraded", "printer.paper_low")


def test_paper_that_ends_within_a_job_leaves_it_unknown(printer: PrinterBench) -> None:
    printer.peer.lose_next()
    assert printer.port.print(job()) == "unknown"
    assert printer.port.status().state == "paper_out"
    assert printer.peer.papers() == []


def test_a_job_after_an_unknown_one_is_whole_and_alone_on_its_paper(printer: PrinterBench) -> None:
    """The old one comes out when the paper is put in; its late answer proves nothing of the new."""
    printer.peer.lose_next()
    assert printer.port.print(job("first")) == "unknown"
    printer.peer.set_fault(None)
    assert printer.port.print(job("second")) == "printed"
    assert texts(printer.peer) == ["first", "second"]


def test_the_watcher_notices_faults_and_recovery_without_a_job(printer: PrinterBench) -> None:
    printer.port.start()
    until(lambda: printer.port.status().state == "ok")
    printer.peer.set_fault("paper_out")
    until(lambda: printer.port.status().state == "paper_out")
    printer.peer.set_fault(None)
    until(lambda: printer.port.status().state == "ok")
    assert printer.port.report().state.last_fault == "printer.paper_out"


def test_only_the_configured_pin_is_pulsed(printer: PrinterBench) -> None:
    assert PrinterDrawer(printer.port, DrawerConfig(pin=5), CLOCK).open()
    until(lambda: printer.peer.drawer_opened == 1)
    assert (printer.peer.drawer_pulses(2), printer.peer.drawer_pulses(5)) == (0, 1)


def test_a_realtime_pulse_opens_the_drawer_of_a_printer_without_paper(
    printer: PrinterBench,
) -> None:
    printer.peer.set_fault("paper_out")
    assert PrinterDrawer(printer.port, DrawerConfig(is_realtime=True), CLOCK).open()
    until(lambda: printer.peer.drawer_opened == 1)


def test_a_printer_is_tested_without_paper(printer: PrinterBench) -> None:
    assert printer.port.self_test() == "passed"
    printer.peer.set_fault("cover_open")
    assert printer.port.self_test() == "printer.cover_open"
    printer.peer.set_fault(None)
    assert printer.peer.papers() == []
    assert printer.peer.tear_off() is None


def test_what_a_printer_pushes_is_known_without_a_question(telling: PrinterBench) -> None:
    telling.port.start()
    until(lambda: telling.port.status().state == "ok")
    assert telling.port.status().is_drawer_open is False
    telling.peer.set_drawer(is_open=True)
    until(lambda: telling.port.status().is_drawer_open is True)
    assert telling.port.status().drawer_closed_at_ms is not None
    assert telling.port.print(job()) == "printed"  # which makes the printer forget to tell
    telling.peer.set_fault("cover_open")
    until(lambda: telling.port.status().state == "cover_open")
    telling.peer.set_fault(None)
    telling.peer.set_drawer(is_open=False)
    until(lambda: telling.port.status().state == "ok")
    until(lambda: telling.port.status().is_drawer_open is False)
    assert telling.port.report().capability.reports_drawer  # type: ignore[union-attr]


def test_a_pulse_is_seen_by_the_switch(telling: PrinterBench) -> None:
    telling.port.start()
    drawer = PrinterDrawer(telling.port, DrawerConfig(), CLOCK)
    assert drawer.open()
    until(lambda: drawer.is_open() is True)


def test_a_network_printer_that_is_not_there_prints_nothing() -> None:
    peer = VirtualPrinter(LOOPBACK, 0)
    peer.start()
    address = peer.address
    peer.stop()
    port = a_printer(NetworkTransport(lambda: address))
    assert port.print(job()) == "not_printed"
    assert port.send(pulse(2)) is False
    assert port.self_test() == "printer.unreachable"
    assert port.report().state.state == "absent"


@pytest.mark.parametrize("kind", ["serial", "file"])
def test_a_device_that_is_not_there_prints_nothing(kind: str, tmp_path: Path) -> None:
    path = str(tmp_path / "lp0")
    port = a_printer(SerialTransport(path) if kind == "serial" else FileTransport(path))
    assert port.print(job()) == "not_printed"
    assert port.report().state.last_fault == "printer.unreachable"
    assert port.report().state.state == "absent"


def test_a_serial_line_belongs_to_one_process_part() -> None:
    peer = TerminalPrinter()
    first = SerialTransport(peer.path).open()
    with pytest.raises(LineError) as problem:
        SerialTransport(peer.path).open()
    assert problem.value.code == "printer.in_use"
    first.close()
    SerialTransport(peer.path).open().close()
    peer.close()


def test_a_stalled_line_ends_a_job_as_unknown_within_its_time() -> None:
    peer = TerminalPrinter()
    port = a_printer(FileTransport(peer.path))
    assert port.print(job()) == "printed"
    long = PrintJob("job-2", b"x" * 200_000)
    stall = threading.Timer(0.01, lambda: setattr(peer, "is_stalled", True))
    stall.start()
    began_s = time.monotonic()
    assert port.print(long) in {"unknown", "not_printed"}
    assert time.monotonic() - began_s < 2
    assert port.print(job()) == "not_printed"
    peer.is_stalled = False
    until(lambda: port.print(job("after")) == "printed", within_s=10)
    assert texts(peer)[-1] == "after"
    port.stop()
    peer.close()


def test_a_pulled_terminal_is_absent_and_comes_back() -> None:
    peer = TerminalPrinter()
    path = [peer.path]
    port = a_printer(SerialTransport(path[0]))
    port.start()
    until(lambda: port.status().state == "ok")
    peer.close()
    until(lambda: port.report().state.state == "absent")
    assert port.print(job()) == "not_printed"
    port.stop()


def test_a_usb_printer_is_told_apart_by_its_serial_number_and_given_back() -> None:
    peer = UsbPrinter()
    where = UsbAddress(UsbPrinter.VENDOR, UsbPrinter.PRODUCT, "PRN0002")
    with pytest.raises(LineError):
        UsbTransport(where, peer.backend).open()
    assert peer.has_driver, "a printer that is not ours stays with the kernel"
    port = a_printer(UsbTransport(UsbAddress(where.vendor_id, where.product_id), peer.backend))
    assert port.print(job()) == "printed"
    assert not peer.has_driver
    port.stop()
    assert peer.has_driver


def test_a_usb_printer_that_is_pulled_out_and_back_prints_again() -> None:
    peer = UsbPrinter()
    port = a_printer(UsbTransport(UsbAddress(UsbPrinter.VENDOR, UsbPrinter.PRODUCT), peer.backend))
    port.start()
    until(lambda: port.status().state == "ok")
    peer.is_plugged = False
    until(lambda: port.report().state.state == "absent")
    peer.is_plugged = True
    until(lambda: port.print(job()) == "printed")
    port.stop()


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
        assert a_printer(NetworkTransport(lambda: address), "none").print(job()) == "printed"
        thread.join(3)
    assert b"".join(received) == job().payload


def test_a_mute_printer_at_a_pipe_gets_every_byte(tmp_path: Path) -> None:
    path = tmp_path / "lp0"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    port = a_printer(FileTransport(str(path)), "none")
    assert port.print(job()) == "printed"
    assert os.read(reader, 65_536) == job().payload
    port.stop()
    os.close(reader)


def test_a_printer_that_never_answers_gets_no_job() -> None:
    with closing(socket.create_server((LOOPBACK, 0))) as listening:
        address = (LOOPBACK, listening.getsockname()[1])
        port = a_printer(NetworkTransport(lambda: address, connect_s=0.5))
        assert port.print(job()) == "not_printed"
        assert port.status().state == "offline"
        assert port.report().state.last_fault == "printer.no_answer"


@pytest.mark.parametrize(
    ("status", "condition"),
    [(0x18, "ok"), (0x38, "paper_out"), (0x10, "error"), (0x08, "offline")],
)
def test_the_wires_of_a_printer_port_tell_its_condition(status: int, condition: str) -> None:
    assert condition_of_port(status) == condition


def test_a_box_without_a_printer_says_so() -> None:
    printer = AbsentPrinter(CLOCK)
    printer.start()
    assert printer.print(job()) == "not_printed"
    assert not PrinterDrawer(printer, DrawerConfig(), CLOCK).open()
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
