"""A printer that others have written understands what the box sends, and is understood by it."""

import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from edge.clock import SystemClock
from edge.device.drawer import pulse
from edge.device.paper import ImageRow, SymbolRow
from edge.device.ports import PrintJob
from edge.device.printer import PrinterConfig, StatusPrinter
from edge.device.transport_network import NetworkTransport
from tests.golden.made_paper import PaperCase, PrinterProfile, paper_of, payload_of
from tests.integration.edge.test_printing import until
from tests.lab import emupos
from tests.lab.net import LOOPBACK
from tests.lab.paper_png import render, row_tops

pytestmark = pytest.mark.skipif(emupos.python_313() is None, reason=emupos.MISSING)

RECEIPT = PaperCase("en", PrinterProfile(48, "cp858"), has_logo=True)
ALL_PICTURES = PaperCase("en", PrinterProfile(48, "cp437", has_native_qr=False), has_logo=True)


@pytest.fixture(scope="module")
def peer() -> Iterator[emupos.EmulatedPrinter]:
    with (
        tempfile.TemporaryDirectory() as folder,
        emupos.emulated_printer(Path(folder), "epson-tm-t20iii") as running,
    ):
        yield running


@pytest.fixture(scope="module")
def printer(peer: emupos.EmulatedPrinter) -> Iterator[StatusPrinter]:
    transport = NetworkTransport(lambda: (LOOPBACK, peer.port))
    made = StatusPrinter(PrinterConfig(poll_s=0.05), transport, SystemClock())
    made.start()
    until(lambda: made.status().state == "ok")
    yield made
    made.stop()


def test_a_receipt_is_printed_as_our_own_reader_shows_it(
    peer: emupos.EmulatedPrinter, printer: StatusPrinter
) -> None:
    assert printer.print(PrintJob("1", payload_of(RECEIPT))) == "printed"
    until(peer.receipts)
    theirs = peer.text("latest").splitlines()
    ours = [row for row in paper_of(RECEIPT).rows if not isinstance(row, ImageRow | SymbolRow)]
    their_text = [row for row in theirs if not row.startswith("[")]
    assert [row.strip() for row in their_text if row.strip()] == [
        row.text.strip() for row in ours if row.text.strip()
    ]
    assert "[barcode CODE128 343-1-000128]" in theirs
    assert any(row.startswith("[qr https://receipts.example/r/343/") for row in theirs)
    assert theirs[0].startswith("[image 304x96]")


def test_pictures_are_the_same_dots_in_the_same_place(
    peer: emupos.EmulatedPrinter, printer: StatusPrinter
) -> None:
    before = len(peer.receipts())
    assert printer.print(PrintJob("2", payload_of(ALL_PICTURES))) == "printed"
    until(lambda: len(peer.receipts()) > before)
    logo, code = _pictures_of(ALL_PICTURES)
    with Image.open(io.BytesIO(peer.image("latest"))) as image:
        theirs = image.convert("1")
    assert _is_same(theirs.crop((0, 0, 576, logo.height)), logo)
    # Only the height of a line of text differs between the two.
    tops = range(logo.height, theirs.height - code.height)
    assert any(_is_same(theirs.crop((0, top, 576, top + code.height)), code) for top in tops)


def _pictures_of(case: PaperCase) -> list[Image.Image]:
    """The pictures on a paper, each on a strip as wide as the paper."""
    paper = paper_of(case)
    page, tops = render(paper), row_tops(paper)
    return [
        page.crop((0, tops[n], page.width, tops[n + 1]))
        for n, row in enumerate(paper.rows)
        if isinstance(row, ImageRow)
    ]


def _is_same(one: Image.Image, other: Image.Image) -> bool:
    return ImageChops.logical_xor(one, other).getbbox() is None


@pytest.mark.parametrize(
    ("fault", "state"),
    [("paper-out", "paper_out"), ("cover-open", "cover_open"), ("offline", "offline")],
)
def test_a_fault_is_seen_and_nothing_is_sent_into_it(
    peer: emupos.EmulatedPrinter, printer: StatusPrinter, fault: str, state: str
) -> None:
    before = len(peer.receipts())
    peer.set_fault(fault, is_on=True)
    until(lambda: printer.status().state == state)
    assert printer.print(PrintJob(fault, payload_of(RECEIPT))) == "not_printed"
    peer.set_fault(fault, is_on=False)
    printer.hurry()
    until(lambda: printer.status().state == "ok")
    assert len(peer.receipts()) == before


def test_paper_that_runs_low_is_told_and_still_printed_on(
    peer: emupos.EmulatedPrinter, printer: StatusPrinter
) -> None:
    peer.set_fault("paper-near-end", is_on=True)
    until(lambda: printer.status().state == "paper_low")
    assert printer.print(PrintJob("low", payload_of(RECEIPT))) == "printed"
    peer.set_fault("paper-near-end", is_on=False)
    until(lambda: printer.status().state == "ok")


@pytest.mark.parametrize("is_realtime", [False, True])
def test_the_drawer_opens(
    peer: emupos.EmulatedPrinter, printer: StatusPrinter, *, is_realtime: bool
) -> None:
    assert printer.send(pulse(2, is_realtime=is_realtime))
    until(lambda: peer.state()["drawer"] == "open")
    peer.close_drawer()
    until(lambda: peer.state()["drawer"] == "closed")


def test_no_command_was_strange_to_it(peer: emupos.EmulatedPrinter) -> None:
    """But `ESC R 0`, which asks for the American signs that it always has."""
    happened = peer.process.output().splitlines()
    strange = [line for line in happened if "unknown" in line or "unsupported" in line]
    assert {line.rpartition("bytes ")[2].strip() for line in strange} == {"1b 52 00"}
