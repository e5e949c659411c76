"""A lane with its thread, its print queue and its journal; paper and drawer are promises."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from edge.desk.desk import Desk
from edge.desk.migrations import MIGRATIONS
from edge.desk.state import Command, CommandResult, LaneState
from edge.desk.store import DeskStore
from edge.device.escpos import PrinterProfile
from edge.device.ports import PrinterStatus, PrintJob, PrintOutcome
from edge.device.store_printer import StorePrinter, StorePrinters
from edge.ids import Ids
from edge.journal.store import Journal
from edge.receipt.layout import ReceiptLayout, zone_of
from edge.receipt.spool import Spool
from edge.replica.store import Replica
from edge.sale.effects import Outside, SaleEffects
from edge.sale.recorded import printed_sale
from edge.sale.recovery import recover_lane
from edge.sale.service import sale_handlers
from edge.sale.shop import Shop
from edge.sqlite import Writer
from edge.texts import load_texts
from shared.kernel.money import currency_of
from tests.integration.edge.boxes import Publisher, a_clock, a_journal, a_stocked_replica
from tests.integration.edge.lanes import ANN

LANE = 1
_WAIT_S = 20.0


@dataclass
class Outdoors:
    """Printer and drawer: what comes out of them is in the world, and no power cut undoes it."""

    tell: Callable[..., None]
    papers: list[str] = field(default_factory=list)
    drawers: int = 0
    pin: int = 2

    def hurry(self) -> None:
        """Always ready."""

    def distrust(self, *, has_scrap: bool) -> None:
        """Always in order."""

    def status(self) -> PrinterStatus:
        return PrinterStatus("ok", 0)

    def print(self, job: PrintJob) -> PrintOutcome:
        self.tell(paper=job.job_id)
        self.papers.append(job.job_id)
        return "printed"

    def open(self) -> bool:
        self.tell(drawer=1)
        self.drawers += 1
        return True


@dataclass
class Counter:
    """A running lane."""

    desk: Desk
    journal: Journal
    spool: Spool
    outdoors: Outdoors

    @property
    def state(self) -> LaneState:
        return self.desk.state(LANE)

    def do(self, command: Command, key: str | None = None) -> CommandResult:
        return self.desk.put(LANE, command, key).result(_WAIT_S)

    def wait_printed(self) -> None:
        deadline = time.monotonic() + _WAIT_S
        while self.spool.open_jobs():
            assert time.monotonic() < deadline, "the paper did not come"
            time.sleep(0.001)


def a_catalogue_beside(folder: Path) -> Replica:
    """Twenty items that cost 1.00 to 20.00, in a folder that is not recorded."""
    return a_stocked_replica(folder / "catalogue", Publisher(folder / "objects"))


@contextmanager
def a_counter(folder: Path, replica: Replica, tell: Callable[..., None]) -> Iterator[Counter]:
    """Start lane 1 with what is in the folder, as a box does; Ann has it."""
    journal = a_journal(folder)
    desk_file = Writer(folder / "desk.db", "NORMAL")
    desk_file.open(MIGRATIONS)
    store, spool, outdoors = DeskStore(desk_file), Spool(desk_file), Outdoors(tell)
    spool.recover()
    if store.load(LANE)[0].operator is None:
        store.save(LaneState(LANE, operator=ANN), None, CommandResult(0))
    desk = Desk(store, (LANE,))
    clock = a_clock()
    layout = ReceiptLayout(
        "Main Street",
        zone_of("UTC"),
        currency_of("USD"),
        load_texts("en"),
        PrinterProfile(),
        str,
    )
    outside = Outside(
        StorePrinters((StorePrinter("printer-1", outdoors, outdoors),)),
        spool,
        clock,
        desk.put,
        lambda: None,
        lambda receipt_no: printed_sale(journal.sale_by_receipt(receipt_no)),
        lambda fact: None,
    )
    effects = SaleEffects(layout, outside)
    shop = Shop(journal, replica, clock, Ids(clock), layout, effects)
    desk.start(
        sale_handlers(shop),
        lambda state: {"seq": state.seq},
        lambda state: recover_lane(shop=shop, spool=spool, state=state),
    )
    effects.start()
    try:
        yield Counter(desk, journal, spool, outdoors)
    finally:
        desk.stop()
        effects.stop()
        desk_file.close()
        journal.close()
