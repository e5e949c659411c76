"""One printer class over three plugs: the kernel's usblp, pyusb without it, and a serial line."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from edge.clock import SystemClock
from edge.device.drawer import pulse
from edge.device.escpos import PrinterProfile, encode
from edge.device.framing import ScannerLayout
from edge.device.ports import PrintJob
from edge.device.printer import PrinterConfig, StatusPrinter
from edge.device.printer_talk import TalkConfig
from edge.device.scanner import EvdevScanner
from edge.device.transport import Transport
from edge.device.transport_file import FileTransport
from edge.device.transport_serial import SerialTransport
from edge.device.transport_usb import UsbAddress, UsbTransport
from shared.sale.receipt import ReceiptLine
from tests.hardware.gadgets import (
    PRINTER,
    SCANNER_A,
    SERIAL_PRINTER,
    PrinterGadget,
    SerialGadget,
)
from tests.hardware.inside.conftest import OUT, PRINTED, Bench
from tests.hardware.inside.listening import Till, until
from tests.hardware.inside.paper_end import PORT_ERROR, PORT_OK, PORT_PAPER_OUT, Condition, PaperEnd

CLOCK = SystemClock()
LP = Path("/dev/usb/lp0")
STALL_S = 1.0
TALK = TalkConfig(answer_s=1.0, finish_s=3.0, stall_s=STALL_S)
# More than the kernel and the gadget keep for a printer that takes nothing (ten times 8 KiB).
LONG = 200_000
Measure = Callable[[str, object], None]


@dataclass
class Desk:
    """A printer on its cable, the box's side and its own."""

    gadget: PrinterGadget | SerialGadget
    port: StatusPrinter
    end: PaperEnd
    node: Path

    def plug(self) -> None:
        self.gadget.plug(2)
        until(self.node.exists, f"{self.node}")
        self.end = PaperEnd(self.gadget.open)

    def pull(self) -> None:
        self.end.close()
        self.gadget.unplug()

    def ready(self) -> float:
        return until(lambda: self.port.report().state.state == "ready", "the printer to be ready")


TRANSPORTS: dict[str, tuple[Transport, Path]] = {
    "file": (FileTransport(str(LP)), LP),
    "usb": (UsbTransport(UsbAddress(PRINTER.vendor_id, PRINTER.product_id)), LP),
    "serial": (SerialTransport("/dev/ttyACM0"), Path("/dev/ttyACM0")),
}


def desk_of(bench: Bench, plug: str, talk: TalkConfig = TALK) -> Desk:
    transport, node = TRANSPORTS[plug]
    gadget = bench.serial(SERIAL_PRINTER) if plug == "serial" else bench.printer()
    gadget.plug(2)
    until(node.exists, str(node))
    port = StatusPrinter(PrinterConfig(talk=talk, poll_s=0.2), transport, CLOCK)
    desk = Desk(gadget, port, PaperEnd(gadget.open), node)
    # libusb sees a device only after udev has told everybody about it.
    until(lambda: port.self_test() == "passed", "the printer to be found")
    return desk


@pytest.fixture(params=TRANSPORTS)
def desk(request: pytest.FixtureRequest, bench: Bench) -> Iterator[Desk]:
    made = desk_of(bench, request.param)
    yield made
    made.port.stop()
    made.end.close()


def receipt() -> PrintJob:
    lines = [ReceiptLine("合计 ￥12.50"), ReceiptLine("Nr. 42 鱼香肉丝")]
    return PrintJob("job-1", encode(lines, PrinterProfile()))


def long_job() -> PrintJob:
    return PrintJob("job-2", b"0123456789abcde\n" * (LONG // 16))


def test_a_receipt_arrives_byte_for_byte(
    desk: Desk, keep: Callable[[str, bytes], None], request: pytest.FixtureRequest
) -> None:
    job = PrintJob("job-1", (OUT / PRINTED).read_bytes())
    assert desk.port.print(job) == "printed"
    assert desk.end.received.count(job.payload) == 1
    assert desk.port.status().state == "ok"
    keep(f"receipt_{request.node.callspec.id}.bin", desk.end.received)


def test_the_drawer_pulse_arrives_as_it_is(desk: Desk) -> None:
    assert desk.port.send(pulse(2))
    until(lambda: pulse(2) in desk.end.received, "the pulse")


@pytest.mark.parametrize("condition", ["paper_out", "cover_open"])
def test_nothing_is_sent_to_a_printer_that_cannot_print(desk: Desk, condition: Condition) -> None:
    desk.end.condition = condition
    job = receipt()
    assert desk.port.print(job) == "not_printed"
    assert desk.port.status().state == condition
    assert job.payload not in desk.end.received
    desk.end.condition = "ok"
    assert desk.port.print(job) == "printed"
    assert desk.end.received.count(job.payload) == 1


def test_paper_that_is_pulled_is_noticed_and_so_is_new_paper(desk: Desk) -> None:
    desk.port.start()
    desk.ready()
    desk.end.condition = "paper_low"
    until(lambda: desk.port.report().state.last_fault == "printer.paper_low", "little paper")
    assert desk.port.report().state.state == "degraded"
    desk.end.condition = "paper_out"
    until(lambda: desk.port.report().state.state == "failed", "no paper")
    assert desk.port.report().state.last_fault == "printer.paper_out"
    desk.end.condition = "ok"
    desk.ready()


def test_a_printer_that_stalls_in_mid_job_ends_as_unknown_and_no_scan_waits(
    desk: Desk, bench: Bench, record_property: Measure
) -> None:
    scanner, till = bench.keyboard(SCANNER_A).plug(0), Till()
    reader = EvdevScanner(
        "/dev/input/by-id/usb-Lab_1D_Scanner_SCN0001-event-kbd", ScannerLayout(), CLOCK
    )
    reader.start(till.scanned)
    until(lambda: reader.state().state == "ready", "the scanner")
    desk.end.stall(after=20_000)
    outcomes: list[str] = []
    printing = threading.Thread(target=lambda: outcomes.append(desk.port.print(long_job())))
    began = time.monotonic()
    printing.start()
    until(lambda: len(desk.end.received) >= 20_000, "half of the job")
    scanner.scan("6901234567892")
    scan_s = until(lambda: till.codes == ["6901234567892"], "a scan beside a stalled printer")
    assert outcomes == []
    printing.join()
    took_s = time.monotonic() - began
    reader.stop()
    assert outcomes == ["unknown"]
    record_property("a stalled job ended after s", round(took_s, 2))
    assert took_s < STALL_S + TALK.finish_s
    assert scan_s < 0.5


def test_a_plug_pulled_in_mid_job_ends_it_as_unknown_and_the_next_is_whole(
    desk: Desk, record_property: Measure
) -> None:
    desk.port.start()
    desk.ready()
    desk.end.stall(after=20_000)
    outcomes: list[str] = []
    printing = threading.Thread(target=lambda: outcomes.append(desk.port.print(long_job())))
    printing.start()
    until(lambda: len(desk.end.received) >= 20_000, "half of the job")
    desk.pull()
    printing.join()
    assert outcomes == ["unknown"]
    until(lambda: desk.port.report().state.state == "absent", "the printer to be missed")
    plugged = time.monotonic()
    desk.plug()
    desk.ready()
    ready_s = time.monotonic() - plugged
    record_property("plugged in again, ready after s", round(ready_s, 2))
    assert ready_s <= 2.0
    job = receipt()
    assert desk.port.print(job) == "printed"
    assert desk.end.received.count(job.payload) == 1


def test_a_printer_that_answers_nothing_is_known_by_the_wires_of_its_port(bench: Bench) -> None:
    desk = desk_of(bench, "file", TalkConfig(completion="none", stall_s=STALL_S))
    states = {PORT_PAPER_OUT: "paper_out", PORT_ERROR: "error", PORT_OK: "ok"}
    job = receipt()
    for status, state in states.items():
        desk.end.port_status(status)
        outcome = "printed" if state == "ok" else "not_printed"
        assert (desk.port.print(job), desk.port.status().state) == (outcome, state)
    until(lambda: desk.end.received.count(job.payload) == 1, "the one job that was printed")
    desk.port.stop()
    desk.end.close()


def test_pyusb_takes_the_printer_from_the_kernel_and_gives_it_back(bench: Bench) -> None:
    desk = desk_of(bench, "usb")
    assert desk.port.print(receipt()) == "printed"
    assert not LP.exists()
    desk.port.stop()
    until(LP.exists, "the kernel's driver to have it again")
    through_kernel = StatusPrinter(PrinterConfig(talk=TALK), FileTransport(str(LP)), CLOCK)
    assert through_kernel.print(receipt()) == "printed"
    through_kernel.stop()
    desk.end.close()


def test_two_printers_of_a_kind_are_told_apart_by_their_serial_numbers(bench: Bench) -> None:
    twin = partial(UsbAddress, PRINTER.vendor_id, PRINTER.product_id)
    first = bench.printer().plug(2)
    second = bench.printer(replace(PRINTER, serial="PRN0002")).plug(3)
    ends = [PaperEnd(first.open), PaperEnd(second.open)]
    until(Path("/dev/usb/lp1").exists, "the second printer")
    port = StatusPrinter(PrinterConfig(talk=TALK), UsbTransport(twin("PRN0002")), CLOCK)
    job = receipt()
    until(lambda: port.self_test() == "passed", "the second printer to be found")
    assert port.print(job) == "printed"
    port.stop()
    assert [job.payload in end.received for end in ends] == [False, True]
    for end in ends:
        end.close()
