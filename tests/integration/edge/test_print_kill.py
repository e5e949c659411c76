"""The box is killed (SIGKILL) between two states of a print job: what the next life does of it."""

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edge.clock import SystemClock
from edge.desk.migrations import MIGRATIONS
from edge.device.drawer import DrawerConfig, PrinterDrawer
from edge.device.escpos import PrinterProfile, encode
from edge.device.printer import PrinterConfig, StatusPrinter
from edge.device.printer_talk import TalkConfig
from edge.device.store_printer import StorePrinter, StorePrinters
from edge.device.transport_network import NetworkTransport
from edge.device.virtual_printer import VirtualPrinter
from edge.receipt.pool import PoolParts, PrintPool
from edge.receipt.spool import JobOutcome, Spool, SpooledJob, job_of
from edge.sqlite import Writer
from shared.sale.receipt import ReceiptLine
from tests.lab.net import LOOPBACK

RECEIPT_NO = "1-000001"
TALK = TalkConfig(answer_s=0.5, finish_s=2, stall_s=1)


def payload(job: SpooledJob, profile: PrinterProfile) -> bytes:
    mark = f"COPY {job.copy} " if job.copy else ""
    return encode([ReceiptLine(f"{mark}{job.receipt_no}")], profile)


def told(job: SpooledJob, outcome: JobOutcome, printer: StorePrinter) -> None:
    """No till is looking."""


class Life:
    """One life of a box: its spool, its pool and its printer."""

    def __init__(self, folder: Path, peer: VirtualPrinter) -> None:
        clock = SystemClock()
        self.file = Writer(folder / "desk.db", "NORMAL")
        self.file.open(MIGRATIONS)
        self.spool = Spool(self.file)
        self.spool.recover()
        transport = NetworkTransport(lambda: peer.address)
        self.port = StatusPrinter(PrinterConfig(talk=TALK), transport, clock)
        drawer = PrinterDrawer(self.port, DrawerConfig(), clock)
        printers = StorePrinters((StorePrinter("printer-1", self.port, drawer),))
        self.pool = PrintPool(
            PoolParts(printers, self.spool, clock, payload, told, lambda fact: None)
        )
        self.pool.distrust()

    def work(self) -> None:
        for _ in range(20):  # a machine under load may not answer in time
            self.port.self_test()
            while self.pool.step(0):
                """Until nothing can be done."""
            if not self.spool.open_jobs():
                return

    def add(self, copy: int = 0) -> None:
        self.spool.add(job_of(1, RECEIPT_NO, copy, 5))

    def close(self) -> None:
        self.port.stop()
        self.file.close()


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def live_until(state: str, folder: Path, peer: VirtualPrinter) -> None:
    """The first life, in a process of its own, up to a state of its job."""
    life = Life(folder, peer)
    life.add()
    if state == "queued":
        die()
    if state == "begun":
        life.port.print = die
    if state == "printed":
        life.spool.close_job = die
    life.work()
    die()


@pytest.fixture
def peer() -> Iterator[VirtualPrinter]:
    made = VirtualPrinter(LOOPBACK, 0)
    made.start()
    yield made
    made.stop()


@pytest.mark.parametrize(
    ("state", "outcome", "papers"),
    [
        ("queued", "printed", [RECEIPT_NO]),
        ("begun", "unknown", []),
        ("printed", "unknown", [RECEIPT_NO]),
        ("closed", "printed", [RECEIPT_NO]),
    ],
)
def test_a_kill_doubles_no_receipt_and_hides_none(
    tmp_path: Path, peer: VirtualPrinter, state: str, outcome: JobOutcome, papers: list[str]
) -> None:
    child = os.fork()
    if child == 0:
        live_until(state, tmp_path, peer)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL

    with closing(Life(tmp_path, peer)) as life:
        life.work()
        assert life.spool.original(RECEIPT_NO) == outcome
        assert texts(peer) == papers
        life.add(copy=1)
        life.work()
    assert texts(peer) == [*papers, f"COPY 1 {RECEIPT_NO}"]


def texts(peer: VirtualPrinter) -> list[str]:
    found = [each.paper.text.strip() for each in peer.papers()]
    return [text for text in found if text]
