"""What becomes of the devices' reports: facts, history, metrics, the self-test."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from edge.desk.migrations import MIGRATIONS
from edge.device.ports import DeviceReport, DeviceState, ScannerCapability
from edge.device.reports import Reports, self_tests_of
from edge.ops.care import DeviceCollector
from edge.ops.devices_view import csv_rows, devices_of, self_test_of
from edge.ops.errand import ask
from edge.ops.fault_book import KEPT_PER_DEVICE, FaultBook, FaultRow, SelfTestRow
from edge.ops.self_test import (
    IDLE_MS,
    PASSED,
    TIMED_OUT,
    Premises,
    SelfTest,
    SelfTestParts,
    disk_test,
    is_due,
    is_quiet,
    run_tests,
)
from edge.ops.watch import DeviceWatch, WatchParts
from edge.sqlite import Writer
from shared.journal.device_event import DeviceFaulted, DeviceRecovered, DevicesTested
from shared.journal.event import Event
from shared.kernel.clock import ClockQuality

MINUTE_MS = 60_000
LOOK_MS = 250
AT_MS = int(datetime.fromisoformat("2026-11-22T03:30:30+08:00").timestamp() * 1000)


@dataclass
class Hands:
    """A clock that is moved by hand."""

    at_ms: int = AT_MS

    def now_ms(self) -> int:
        return self.at_ms

    def mono_ms(self) -> int:
        return self.at_ms - AT_MS + MINUTE_MS

    def quality(self) -> ClockQuality:
        return ClockQuality.NTP


def a_report(
    state: str = "ready", fault: str | None = None, device: str = "scanner-1"
) -> DeviceReport:
    return DeviceReport(
        id=device,
        kind="scanner",
        lane=1,
        adapter="EvdevScanner",
        address="usb-1.2",
        capability=ScannerCapability(),
        state=DeviceState(state, AT_MS, fault),  # type: ignore[arg-type]
        counters={"scans": 3},
    )


@dataclass
class Shop:
    """A watch over devices that say what a test tells them to."""

    book: FaultBook
    clock: Hands = field(default_factory=Hands)
    reports: tuple[DeviceReport, ...] = (a_report(),)
    facts: list[Event] = field(default_factory=list)
    watch: DeviceWatch = field(init=False)

    def __post_init__(self) -> None:
        self.watch = self.a_watch()

    def a_watch(self) -> DeviceWatch:
        return DeviceWatch(
            WatchParts(lambda: self.reports, self.facts.append, self.book, self.clock)
        )

    def is_for(self, for_ms: int, *reports: DeviceReport) -> None:
        self.reports = reports
        for _ in range(for_ms // LOOK_MS):
            self.clock.at_ms += LOOK_MS
            self.watch.look()


@pytest.fixture
def book(tmp_path: Path) -> Iterator[FaultBook]:
    file = Writer(tmp_path / "desk.db", "NORMAL")
    file.open(MIGRATIONS)
    yield FaultBook(file)
    file.close()


def test_a_trouble_is_a_fact_and_a_row_and_so_is_its_end(book: FaultBook) -> None:
    shop = Shop(book)
    shop.is_for(5_000, a_report())
    shop.is_for(5_000, a_report("absent", "scanner.unplugged"))
    assert shop.facts == [DeviceFaulted("scanner-1", "scanner", 1, "scanner.unplugged", "absent")]
    assert [row.device for row in book.standing()] == ["scanner-1"]
    assert shop.watch.seen().troubled == ("scanner-1",)
    shop.is_for(5_000, a_report())
    assert isinstance(shop.facts[-1], DeviceRecovered)
    [row] = book.history(1)
    assert (row.code, row.times) == ("scanner.unplugged", 1)
    assert row.until_ms is not None
    assert row.until_ms > row.at_ms


def test_a_page_is_told_to_look_again_only_when_a_state_changes(book: FaultBook) -> None:
    shop = Shop(book)
    shop.is_for(5_000, a_report())
    revision = shop.watch.seen().revision
    shop.is_for(5_000, a_report())
    assert shop.watch.seen().revision == revision
    shop.is_for(250, a_report("absent", "scanner.unplugged"))
    assert shop.watch.seen().revision == revision + 1


def test_a_restart_does_not_tell_a_trouble_that_stands_a_second_time(book: FaultBook) -> None:
    shop = Shop(book)
    shop.is_for(5_000, a_report("absent", "scanner.absent"))
    shop.watch = shop.a_watch()
    shop.watch.start()
    shop.watch.stop()
    shop.is_for(5_000, a_report("absent", "scanner.absent"))
    shop.is_for(5_000, a_report())
    assert [type(each) for each in shop.facts] == [DeviceFaulted, DeviceRecovered]


def test_a_device_that_left_the_store_leaves_no_trouble_behind(book: FaultBook) -> None:
    shop = Shop(book)
    shop.is_for(5_000, a_report("absent", "scanner.absent"))
    shop.is_for(5_000)
    assert book.standing() == []


def test_an_adapter_whose_report_fails_does_not_end_the_watch(book: FaultBook) -> None:
    shop = Shop(book)
    looks = threading.Semaphore(0)

    def reports() -> tuple[DeviceReport, ...]:
        looks.release()
        raise RuntimeError("defect")

    watch = DeviceWatch(WatchParts(reports, shop.facts.append, book, shop.clock))
    watch.start()
    assert looks.acquire(timeout=10)
    assert looks.acquire(timeout=10)
    watch.stop()


def test_the_last_fifty_troubles_of_a_device_are_kept(book: FaultBook) -> None:
    for number in range(KEPT_PER_DEVICE + 7):
        book.begin(FaultRow("printer-1", "printer.paper_out", "failed", AT_MS + number))
    book.begin(FaultRow("scanner-1", "scanner.absent", "absent", AT_MS))
    rows = book.history(8)
    assert len(rows) == KEPT_PER_DEVICE + 1
    assert rows[1].at_ms == AT_MS + KEPT_PER_DEVICE + 6
    assert len(book.standing()) == 2, "a new trouble takes the place of the one that stood"


def test_the_page_begins_with_what_wants_something(book: FaultBook) -> None:
    reports = [a_report(), a_report("failed", "printer.paper_out", "printer-1")]
    book.begin(FaultRow("printer-1", "printer.paper_out", "failed", AT_MS))
    first, second = devices_of(reports, book.history(2))
    assert (first.id, first.fault, len(first.history)) == ("printer-1", "printer.paper_out", 1)
    assert (second.id, second.fault, second.history) == ("scanner-1", None, [])
    assert first.capability["has_symbology_ids"] == "no"
    heading, *rows = csv_rows(reports, book.history(2))
    assert heading[0] == "device"
    assert [row[0] for row in rows] == ["scanner-1", "printer-1", "printer-1"]


def test_metrics_name_the_state_that_a_device_is_in() -> None:
    registry = CollectorRegistry()
    registry.register(DeviceCollector(lambda: (a_report("degraded", "scanner.keys_lost"),)))
    text = generate_latest(registry).decode()
    labels = 'device="scanner-1",kind="scanner",lane="1"'
    assert f'tillbox_device_state{{{labels},state="degraded"}} 1.0' in text
    assert f'tillbox_device_state{{{labels},state="ready"}} 0.0' in text
    assert 'tillbox_device_events_total{device="scanner-1",what="scans"} 3.0' in text


@pytest.mark.parametrize(
    ("now", "last_on", "due"),
    [
        ("03:29", None, False),
        ("03:30", None, True),
        ("05:29", None, True),
        ("05:30", None, False),
        ("04:00", "2026-11-22", False),
        ("04:00", "2026-11-21", True),
    ],
)
def test_the_night_test_is_due_once_within_its_window(
    now: str, last_on: str | None, due: bool
) -> None:
    at = datetime.fromisoformat(f"2026-11-22T{now}:00+08:00")
    assert is_due(at, "03:30", date.fromisoformat(last_on) if last_on else None) is due
    assert not is_due(at, "", None)


@pytest.mark.parametrize(
    ("baskets", "is_open", "idle_ms", "quiet"),
    [
        (0, False, 0, True),
        (0, True, IDLE_MS, True),
        (0, True, IDLE_MS - 1, False),
        (1, False, IDLE_MS, False),
    ],
)
def test_nobody_is_disturbed_by_a_self_test(
    baskets: int, is_open: bool, idle_ms: int, quiet: bool
) -> None:
    assert is_quiet(Premises(lambda: baskets, lambda: is_open, lambda: idle_ms)) is quiet


def a_self_test(
    shop: Shop,
    tests: Mapping[str, Callable[[], str]],
    premises: Premises | None = None,
    told: Callable[[], None] = lambda: None,
    folder: Path | None = None,
    *,
    zone: str = "Asia/Shanghai",
) -> SelfTest:
    parts = SelfTestParts(
        reports=lambda: shop.reports,
        device_tests=lambda: tests,
        box_tests={"box:disk": lambda: PASSED},
        put=shop.facts.append,
        book=shop.book,
        clock=shop.clock,
        premises=premises or Premises(lambda: 0, lambda: False, lambda: 0),
        at="03:30",
        zone=zone,
        told=told,
        folder=folder or Path("nowhere"),
    )
    return SelfTest(parts)


def test_at_night_every_device_is_tried_and_the_result_stays_until_seen(book: FaultBook) -> None:
    shop = Shop(book, reports=(a_report(), a_report("failed", "printer.offline", "printer-1")))
    told: list[int] = []
    night = a_self_test(
        shop, {"scanner-1": lambda: "scanner.silent_grab"}, None, lambda: told.append(1)
    )
    assert not night.look(), "the box was switched on a moment ago"
    shop.clock.at_ms += IDLE_MS
    assert night.look()
    assert not night.look(), "once a night"
    results = {
        "scanner-1": "scanner.silent_grab",
        "printer-1": "printer.offline",
        "box:disk": PASSED,
    }
    assert shop.facts == [DevicesTested(results, is_passed=False)]
    last = book.last_test()
    assert last == SelfTestRow(AT_MS + IDLE_MS, results)
    body = self_test_of(last)
    assert body is not None
    assert [each.result for each in body.results][-1] == PASSED
    night.seen()
    assert night.last() == SelfTestRow(AT_MS + IDLE_MS, results, is_seen=True)
    assert len(told) == 2
    again = a_self_test(shop, {})
    again.start()
    again.stop()
    shop.clock.at_ms += IDLE_MS
    assert not again.look(), "a restart in the same night changes nothing"


def test_a_zone_that_the_machine_does_not_know_keeps_no_box_from_starting(book: FaultBook) -> None:
    book.keep_test(SelfTestRow(AT_MS, {}))
    night = a_self_test(Shop(book), {}, zone="Mars/Olympus")
    night.start()
    night.stop()
    assert not night.look()


def test_a_shop_that_sells_at_night_is_waited_for(book: FaultBook) -> None:
    shop = Shop(book)
    baskets = [1]
    night = a_self_test(shop, {}, Premises(lambda: baskets[0], lambda: True, lambda: IDLE_MS))
    shop.clock.at_ms += IDLE_MS
    assert not night.look()
    baskets[0] = 0
    assert night.look()


def test_a_test_that_hangs_or_breaks_costs_its_own_result_only() -> None:
    clock, never = Hands(), threading.Event()

    def mono_ms() -> int:
        clock.at_ms += 100
        return clock.mono_ms()

    def broken() -> str:
        raise RuntimeError("defect")

    tests = {
        "hangs": lambda: str(never.wait(20)),
        "breaks": broken,
        "well": lambda: PASSED,
    }
    found = run_tests(tests, mono_ms, 0.5)
    never.set()
    assert found == {"hangs": TIMED_OUT, "breaks": "device.work_failed", "well": PASSED}


def test_the_disk_is_written_and_read_back(tmp_path: Path) -> None:
    assert disk_test(tmp_path, 7) == PASSED
    assert list(tmp_path.iterdir()) == []
    assert disk_test(tmp_path / "gone", 7) == "disk.not_writable"


def test_the_command_line_asks_a_running_box(book: FaultBook, tmp_path: Path) -> None:
    shop = Shop(book)
    night = a_self_test(shop, {"scanner-1": lambda: "scanner.silent_grab"}, folder=tmp_path)
    pause = threading.Event()
    assert ask(tmp_path, "first", lambda: None, (3, 3)) is None, "no box runs here"
    night.start()
    found = ask(tmp_path, "second", lambda: pause.wait(0.02) or None, (500, 500))
    night.stop()
    assert found == {"scanner-1": "scanner.silent_grab", "box:disk": PASSED}
    assert list(tmp_path.glob("self-test*")) == []


def test_who_asks_while_a_self_test_runs_gets_its_result(book: FaultBook) -> None:
    shop, is_free, runs = Shop(book), threading.Event(), list[int]()

    def slow() -> str:
        runs.append(1)
        is_free.wait(10)
        return PASSED

    night = a_self_test(shop, {"printer-1": slow})
    asked = [night.begin("1001") for _ in range(6)]
    is_free.set()
    rows = {id(each.result(10)) for each in asked}
    assert (len(rows), len(runs)) == (1, 1)
    assert night.begin("1001").result(10).asked_by == "1001"
    assert len(runs) == 2


def test_a_report_that_fails_hides_no_other_device() -> None:
    is_broken = [False]

    def breaking() -> tuple[DeviceReport, ...]:
        if is_broken[0]:
            raise RuntimeError("defect")
        return (a_report(device="scanner-2"),)

    reports = Reports()
    asks = (breaking, lambda: (a_report(),))
    assert [each.state.state for each in reports.of(asks)] == ["ready", "ready"]
    is_broken[0] = True
    first, second = reports.of(asks)
    assert (first.id, first.state.state, first.state.last_fault) == (
        *("scanner-2", "failed", "device.work_failed"),
    )
    assert second.state.state == "ready"
    is_broken[0] = False
    assert reports.of(asks)[0].state.state == "ready"


def test_a_report_that_fails_keeps_no_other_device_from_its_test() -> None:
    class Device:
        def __init__(self, name: str) -> None:
            self.name = name

        def report(self) -> DeviceReport:
            return {"scanner-1": a_report()}[self.name]

        def self_test(self) -> str:
            return PASSED

    class Untested:
        def report(self) -> DeviceReport:
            return a_report()

    tests = self_tests_of((Device("broken"), Untested(), Device("scanner-1")))
    assert {name: test() for name, test in tests.items()} == {"scanner-1": PASSED}
