"""Receipts wait for a printer that takes none: in order, over a restart, and never twice."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edge.clock import SystemClock
from edge.desk.migrations import MIGRATIONS
from edge.desk.state import Command, CommandResult
from edge.device.drawer import DrawerConfig, PrinterDrawer
from edge.device.escpos import PrinterProfile
from edge.device.ports import PrinterCondition, PrinterStatus, PrintJob, PrintOutcome
from edge.device.store_printer import StorePrinter, StorePrinters
from edge.receipt import pool
from edge.receipt.layout import PrintedSale, ReceiptLayout, zone_of
from edge.receipt.spool import WAITING_MAX, Spool, job_of
from edge.sale.commands import NotePrint
from edge.sale.effects import Outside, SaleEffects
from edge.sqlite import Writer
from edge.texts import load_texts
from shared.journal.event import DrawerOpened
from shared.kernel.errors import MissingError
from shared.kernel.money import currency_of
from shared.sale.transaction import SaleHeader
from tests.builders import OPENED_AT_MS, a_sale

LAYOUT = ReceiptLayout(
    "Main Street", zone_of("UTC"), currency_of("USD"), load_texts("en"), PrinterProfile(), str
)


def until(is_true: Callable[[], object], within_s: float = 10) -> None:
    deadline = time.monotonic() + within_s
    while not is_true():
        assert time.monotonic() < deadline, "nothing happened in time"
        time.sleep(0.005)


@dataclass
class Printer:
    """A printer that does as it is told; `asked` counts every try."""

    condition: PrinterCondition = "ok"
    outcome: PrintOutcome = "printed"
    asked: list[str] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)
    happened: list[str] = field(default_factory=list)
    stall: threading.Event | None = None
    distrusted: list[bool] = field(default_factory=list)

    def hurry(self) -> None:
        """It is looked at all the time."""

    def distrust(self, *, has_scrap: bool) -> None:
        self.distrusted.append(has_scrap)

    def print(self, job: PrintJob) -> PrintOutcome:
        self.asked.append(job.job_id)
        if self.stall is not None:
            self.stall.wait(10)
        self.happened.append("paper")
        if self.outcome == "printed":
            self.printed.append(job.job_id)
        return self.outcome

    def send(self, data: bytes) -> bool:
        self.happened.append("drawer")
        return self.condition != "offline"

    def status(self) -> PrinterStatus:
        return PrinterStatus(self.condition, 0)


@dataclass
class Counter:
    """One store's printing, from the spool's file to its printers; the second is lane 2's."""

    file: Writer
    spool: Spool
    printer: Printer = field(default_factory=Printer)
    other: Printer | None = None
    notes: list[tuple[int, str, str]] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    facts: list[DrawerOpened] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    effects: SaleEffects = field(init=False)

    def start(self) -> None:
        every = [self._store_printer(1, self.printer, () if self.other is None else (1,))]
        if self.other is not None:
            every.append(self._store_printer(2, self.other, (2,)))
        outside = Outside(
            StorePrinters(tuple(every)),
            self.spool,
            SystemClock(),
            self.put,
            lambda: self.printer.happened.append("sync"),
            self.recorded,
            self.facts.append,
        )
        self.spool.recover()
        self.effects = SaleEffects(LAYOUT, outside)
        self.effects.start()

    def restart(self) -> None:
        self.effects.stop()
        self.start()

    def put(self, lane: int, command: Command) -> Future[CommandResult]:
        assert isinstance(command, NotePrint)
        self.notes.append((lane, command.receipt_no, command.print))
        self.places[command.receipt_no] = command.printer
        return Future()

    def recorded(self, receipt_no: str) -> PrintedSale:
        if receipt_no in self.lost:
            raise MissingError("receipt.unknown", receipt_no=receipt_no)
        return self.sale(receipt_no)

    def sale(self, receipt_no: str, copy: int = 0) -> PrintedSale:
        lane = int(receipt_no[0])
        return PrintedSale(a_sale(header=SaleHeader(receipt_no, lane, "1001")), OPENED_AT_MS, copy)

    def sell(self, *numbers: str) -> None:
        for number in numbers:
            self.effects.sale_done(int(number[0]), self.sale(number))

    def shown(self, receipt_no: str) -> list[str]:
        return [state for _, number, state in self.notes if number == receipt_no]

    def _store_printer(self, number: int, port: Printer, lanes: tuple[int, ...]) -> StorePrinter:
        drawer = PrinterDrawer(port, DrawerConfig(f"drawer-{number}", pin=5), SystemClock())
        return StorePrinter(f"printer-{number}", port, drawer, lanes)


@pytest.fixture
def counter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter]:
    monkeypatch.setattr(pool, "HELP_AFTER_MS", 100)
    file = Writer(tmp_path / "desk.db", "NORMAL")
    file.open(MIGRATIONS)
    made = Counter(file, Spool(file))
    made.start()
    yield made
    made.effects.stop()
    file.close()


@pytest.fixture
def two(counter: Counter) -> Counter:
    counter.other = Printer()
    counter.restart()
    return counter


def test_the_drawer_opens_before_paper_and_neither_holds_up_the_uplink(counter: Counter) -> None:
    counter.printer.stall = threading.Event()
    counter.sell("1-000001")
    until(lambda: set(counter.printer.happened) == {"sync", "drawer"})
    counter.printer.stall.set()
    until(lambda: counter.printer.printed == ["1-000001.0"])


def test_a_sale_in_cash_leaves_its_pulse_in_the_journal(counter: Counter) -> None:
    counter.sell("1-000001")
    until(lambda: len(counter.facts) == 1)
    counter.printer.condition = "offline"
    counter.sell("1-000002")
    until(lambda: len(counter.facts) == 2)
    counter.effects.open_drawer(1)  # the journal has that one already, with who approved it
    until(lambda: counter.printer.happened.count("drawer") == 3)
    assert counter.facts == [
        DrawerOpened(1, "sale", receipt_no="1-000001", pin=5, is_sent=True),
        DrawerOpened(1, "sale", receipt_no="1-000002", pin=5, is_sent=False),
    ]


def test_a_lane_prints_at_its_own_printer(two: Counter) -> None:
    two.sell("1-000001", "2-000001", "1-000002")
    until(lambda: two.effects.depth() == 0)
    assert two.printer.printed == ["1-000001.0", "1-000002.0"]
    assert two.other is not None
    assert two.other.printed == ["2-000001.0"]
    assert two.places == {"1-000001": "", "1-000002": "", "2-000001": ""}


@pytest.mark.parametrize("is_refusing", [False, True])
def test_another_printer_helps_one_that_cannot_print_and_the_till_says_so(
    two: Counter, is_refusing: bool
) -> None:
    if is_refusing:
        two.printer.outcome = "not_printed"
    else:
        two.printer.condition = "paper_out"
    two.sell("1-000001")
    until(lambda: two.effects.depth() == 0)
    assert two.other is not None
    assert two.other.printed == ["1-000001.0"]
    assert two.places["1-000001"] == "printer-2"
    until(lambda: is_refusing or two.effects.helper(1) == "printer-2")
    assert "drawer" not in two.other.happened, "a drawer is its own lane's"


def test_a_receipt_that_may_have_come_out_is_no_helper_s_matter(two: Counter) -> None:
    two.printer.outcome = "unknown"
    two.sell("1-000001")
    until(lambda: two.shown("1-000001")[-1:] == ["unknown"])
    two.printer.condition = "offline"
    two.sell("1-000002")
    assert two.other is not None
    until(lambda: two.effects.depth() == 0)
    assert two.other.printed == ["1-000002.0"]


def test_a_stalled_printer_holds_up_no_other_and_no_other_drawer(two: Counter) -> None:
    two.printer.stall = threading.Event()
    two.sell("1-000001")
    until(lambda: two.printer.asked == ["1-000001.0"])
    two.sell("2-000001")
    assert two.other is not None
    until(lambda: two.other is not None and two.other.printed == ["2-000001.0"], 1)
    assert two.other.happened == ["drawer", "paper"]
    two.printer.stall.set()


def test_a_printer_with_half_a_job_in_it_is_told_after_a_restart(counter: Counter) -> None:
    counter.printer.condition = "paper_out"
    counter.sell("1-000001")
    assert counter.spool.begin("1-000001.0", "printer-1")
    counter.restart()
    assert counter.printer.distrusted == [False, True]


def test_a_z_slip_waits_like_a_receipt_and_comes_once(counter: Counter) -> None:
    counter.printer.condition = "paper_out"
    counter.effects.print_z_slip(1, "2017-08-07")
    counter.effects.print_z_slip(1, "2017-08-07")
    assert counter.effects.depth(1) == 1
    counter.printer.condition = "ok"
    until(lambda: counter.effects.depth() == 0)
    assert counter.notes == []
    assert counter.printer.asked == [], "this store lays out no Z slip"


def test_receipts_wait_and_come_out_in_order_by_themselves(counter: Counter) -> None:
    counter.printer.condition = "paper_out"
    counter.sell("1-000001", "2-000001", "1-000002")
    assert counter.effects.depth() == 3
    until(lambda: "drawer" in counter.printer.happened)
    assert counter.printer.asked == []
    counter.printer.condition = "paper_low"
    until(lambda: counter.effects.depth() == 0)
    assert counter.printer.printed == ["1-000001.0", "2-000001.0", "1-000002.0"]
    assert counter.shown("2-000001") == ["printing", "printed"]


def test_a_refused_job_keeps_its_place_and_is_not_tried_in_a_tight_loop(counter: Counter) -> None:
    counter.printer.outcome = "not_printed"
    counter.sell("1-000001", "1-000002")
    until(lambda: "queued" in counter.shown("1-000001"))
    time.sleep(0.2)
    assert counter.printer.asked == ["1-000001.0"]
    counter.printer.outcome = "printed"
    until(lambda: counter.effects.depth() == 0)
    assert counter.printer.printed == ["1-000001.0", "1-000002.0"]


def test_waiting_receipts_outlive_a_restart(counter: Counter) -> None:
    counter.printer.condition = "offline"
    counter.sell("1-000001", "1-000002")
    counter.restart()
    assert counter.effects.depth() == 2
    counter.printer.condition = "ok"
    until(lambda: counter.effects.depth() == 0)
    assert counter.printer.printed == ["1-000001.0", "1-000002.0"]


def test_what_may_have_come_out_is_never_printed_again_by_itself(counter: Counter) -> None:
    counter.printer.outcome = "unknown"
    counter.sell("1-000001")
    until(lambda: counter.shown("1-000001") == ["printing", "unknown"])
    counter.printer.outcome = "printed"
    counter.restart()
    counter.sell("1-000002")
    until(lambda: counter.printer.printed)
    assert counter.printer.printed == ["1-000002.0"]
    assert not counter.effects.waits_for_original("1-000001")
    counter.effects.reprint(1, counter.sale("1-000001", copy=1))
    until(lambda: "1-000001.1" in counter.printer.printed)


def test_a_job_that_was_cut_off_at_the_printer_is_for_a_person(counter: Counter) -> None:
    counter.printer.condition = "paper_out"
    counter.sell("1-000001")
    assert counter.spool.begin("1-000001.0", "printer-1")
    assert not counter.spool.begin("1-000001.0", "printer-1")
    counter.restart()
    assert counter.spool.outcome("1-000001") == "unknown"
    assert counter.effects.depth() == 0


def test_a_tap_on_a_waiting_receipt_adds_no_second_one(counter: Counter) -> None:
    counter.printer.condition = "paper_out"
    counter.sell("1-000001")
    assert counter.effects.waits_for_original("1-000001")
    counter.effects.reprint(1, counter.sale("1-000001"))
    assert counter.effects.depth() == 1
    counter.printer.condition = "ok"
    until(lambda: counter.effects.depth() == 0)
    assert counter.printer.printed == ["1-000001.0"]
    assert not counter.effects.waits_for_original("1-000001")


def test_the_oldest_are_given_up_when_too_many_wait(counter: Counter) -> None:
    for number in range(1, WAITING_MAX + 3):
        given_up = counter.spool.add(job_of(1, f"1-{number:06}", 0, number))
    assert [job.receipt_no for job in given_up] == ["1-000002"]
    assert counter.spool.open_jobs() == WAITING_MAX
    assert counter.spool.outcome("1-000001") == "not_printed"
    assert counter.effects.waits_for_original("1-000001")


def test_without_a_printer_nothing_waits(counter: Counter) -> None:
    counter.spool = Spool(counter.file, waiting_max=0)
    counter.restart()
    counter.sell("1-000001")
    assert counter.shown("1-000001") == ["failed"]
    assert counter.effects.depth() == 0


def test_a_receipt_that_cannot_be_laid_out_holds_back_no_other(counter: Counter) -> None:
    counter.lost.add("1-000001")
    counter.sell("1-000001", "1-000002")
    until(lambda: counter.printer.printed == ["1-000002.0"])
    assert counter.shown("1-000001") == ["failed"]


def test_old_jobs_are_carried_over(tmp_path: Path) -> None:
    """Before jobs waited, `queued` was noted just before the first byte."""
    file = Writer(tmp_path / "desk.db", "NORMAL")
    file.open(MIGRATIONS[:1])
    with file.transaction() as connection:
        connection.executemany(
            "INSERT INTO print_job(job_id, lane, receipt_no, copy, outcome, at_ms)"
            " VALUES(?,1,?,0,?,?)",
            [("a", "1-000001", "queued", 1), ("b", "1-000002", "printed", 2)],
        )
    file.close()
    file.open(MIGRATIONS)
    spool = Spool(file)
    spool.recover()
    assert [spool.original(f"1-00000{n}") for n in (1, 2)] == ["unknown", "printed"]
    assert spool.open_jobs() == 0
    file.close()


def test_a_test_page_comes_out_at_the_printer_that_is_named(two: Counter) -> None:
    assert two.effects.print_test_page("printer-2").result(10) == "printed"
    assert two.other is not None
    assert (two.printer.asked, two.other.asked) == ([], ["test-printer-2"])
    with pytest.raises(MissingError):
        two.effects.print_test_page("printer-3")


def test_two_stalled_printers_hold_up_the_stop_no_longer_than_one(
    two: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_STOP_TIMEOUT_S", 0.5)
    assert two.other is not None
    two.printer.stall = two.other.stall = threading.Event()
    two.sell("1-000001", "2-000001")
    until(lambda: two.printer.asked and two.other is not None and two.other.asked)
    began_s = time.monotonic()
    two.effects.stop()
    assert time.monotonic() - began_s < 0.9
    two.printer.stall.set()


def test_taps_on_a_stalled_printer_are_one_test_page(two: Counter) -> None:
    two.printer.stall = threading.Event()
    pages = [two.effects.print_test_page("printer-1") for _ in range(9)]
    assert two.effects.print_test_page("printer-2").result(10) == "printed"
    two.printer.stall.set()
    assert {page.result(10) for page in pages} == {"printed"}
    assert two.printer.asked == ["test-printer-1"]


def test_a_job_whose_till_is_gone_comes_out_all_the_same(counter: Counter) -> None:
    def nobody(lane: int, command: Command) -> Future[CommandResult]:
        raise MissingError("lane.unknown", lane=lane)

    counter.put = nobody  # type: ignore[method-assign]
    counter.restart()
    counter.sell("2-000001")
    until(lambda: counter.printer.printed == ["2-000001.0"])
    until(lambda: counter.effects.depth() == 0)


def test_an_adapter_that_fails_leaves_its_job_unknown_and_the_next_is_printed(
    counter: Counter,
) -> None:
    def fail(job: PrintJob) -> PrintOutcome:
        del counter.printer.print  # type: ignore[method-assign]
        raise ZeroDivisionError

    counter.printer.print = fail  # type: ignore[method-assign]
    counter.sell("1-000001", "1-000002")
    until(lambda: counter.printer.printed == ["1-000002.0"])
    assert counter.spool.outcome("1-000001") == "unknown"


def test_a_till_without_a_printer_of_its_own_opens_nobody_s_drawer(two: Counter) -> None:
    two.sell("3-000001")
    until(lambda: two.effects.depth() == 0)
    assert two.other is not None
    assert "drawer" not in two.printer.happened + two.other.happened


def test_the_list_of_receipts_keeps_what_the_screen_no_longer_shows(counter: Counter) -> None:
    counter.printer.outcome = "unknown"
    counter.sell("1-000001")
    until(lambda: counter.effects.shown("1-000001") == "unknown")
    counter.printer.outcome = "printed"
    counter.effects.reprint(1, counter.sale("1-000001", copy=1))
    until(lambda: counter.effects.shown("1-000001") == "printed")
    assert counter.effects.shown("1-000002") is None
