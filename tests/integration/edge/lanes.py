"""A lane without its thread, over a real journal, replica and catalogue; only paper is imagined."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.desk.state import LaneState, Operator, Turn
from edge.device.escpos import PrinterProfile
from edge.device.ports import PrintOutcome
from edge.ids import Ids
from edge.journal.store import Journal
from edge.receipt.layout import PrintedSale, ReceiptLayout, zone_of
from edge.replica.store import Replica
from edge.sale.commands import ScanCode, TakeTender
from edge.sale.service import sale_handlers
from edge.sale.shop import Shop
from edge.texts import load_texts
from shared.kernel.money import currency_of
from shared.publication.revision import Record
from shared.sale.tender import TenderKind
from shared.staff.role import Measure
from tests.builders import OPENED_AT_MS
from tests.integration.edge.boxes import (
    Publisher,
    a_clock,
    a_journal,
    a_stocked_replica,
    open_day,
)

ANN = Operator("1001", "Ann", "manager", ("sale.operate",))
CASH = TenderKind.CASH


def alone(permission: str, measure: Measure) -> str:
    """Whoever asks may do it without anybody's word."""
    del permission, measure
    return ""


@dataclass
class Paper:
    """Effects that only write down what they were asked for."""

    asked: list[str] = field(default_factory=list)
    waiting: set[str] = field(default_factory=set)

    def sale_done(self, lane: int, printed: PrintedSale) -> None:
        self.asked.append(f"receipt {printed.sale.receipt_no}")

    def waits_for_original(self, receipt_no: str) -> bool:
        return receipt_no in self.waiting

    def reprint(self, lane: int, printed: PrintedSale) -> None:
        self.asked.append(f"copy {printed.copy} of {printed.sale.receipt_no}")

    def shown(self, receipt_no: str) -> None:
        """Nothing is printed here."""

    def open_drawer(self, lane: int) -> None:
        self.asked.append("drawer")

    def print_test_page(self, printer_id: str) -> Future[PrintOutcome]:
        self.asked.append(f"test page of {printer_id}")
        return Future()


@dataclass
class Lane:
    """A lane without its thread: commands take effect at once."""

    shop: Shop
    journal: Journal
    replica: Replica
    publisher: Publisher
    paper: Paper
    state: LaneState = field(default_factory=lambda: LaneState(1, operator=ANN))

    def do(self, command: Any) -> Turn:
        turn = sale_handlers(self.shop)[type(command)](self.state, command)
        self.state = turn.state
        for follow_up in turn.after:
            follow_up()
        return turn

    def scan(self, *codes: str) -> None:
        for code in codes:
            self.do(ScanCode(code))

    def basket(self) -> Any:
        assert self.state.basket is not None
        return self.state.basket

    def pay(self, minor: int, kind: TenderKind = CASH) -> Turn:
        return self.do(TakeTender(kind, minor))

    def publish(self, *records: Record) -> None:
        """Let a revision with these changes become active."""
        manifest = self.publisher.publish(records)
        self.replica.stage(manifest, self.publisher.objects)
        self.replica.activate(manifest.rev, OPENED_AT_MS)


@contextmanager
def a_lane(folder: Path) -> Iterator[Lane]:
    """Lane 1 of an open store with twenty items; Ann has it."""
    journal = a_journal(folder)
    open_day(journal)
    publisher = Publisher(folder / "objects")
    replica = a_stocked_replica(folder / "replica", publisher)
    clock, paper = a_clock(), Paper()
    layout = ReceiptLayout(
        "Main Street",
        zone_of("America/New_York"),
        currency_of("USD"),
        load_texts("en"),
        PrinterProfile(),
        lambda operator: f"<{operator}>",
    )
    shop = Shop(journal, replica, clock, Ids(clock), layout, paper)
    yield Lane(shop, journal, replica, publisher, paper)
    replica.close()
    journal.close()
