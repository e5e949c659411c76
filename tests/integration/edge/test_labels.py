"""Labels of changed prices: the list, the paper, the sheets."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from edge.desk.migrations import MIGRATIONS
from edge.device.escpos_profile import PrinterProfile
from edge.device.ports import PrintJob, PrintOutcome
from edge.label.service import PRINT_MAX, LabelParts, Labels, RepricedItem
from edge.label.sheet import label_sheets
from edge.label.store import LabelStore
from edge.sqlite import Writer
from edge.texts import load_texts
from shared.kernel.errors import RefusedError
from shared.kernel.money import currency_of
from shared.price.price_book import DatedPrice
from tests.fakes.paper_shop import StillClock

DAY_MS = 86_400_000
CNY = currency_of("CNY")
MILK = "06901234567892"


@dataclass
class Paper:
    """A printer that keeps its jobs, or says what it is told to say."""

    profile: PrinterProfile = field(default_factory=PrinterProfile)
    outcome: PrintOutcome = "printed"
    jobs: list[PrintJob] = field(default_factory=list)

    @property
    def port(self) -> Paper:
        return self

    def of(self, lane: int) -> Paper:
        assert lane == 1
        return self

    def print(self, job: PrintJob) -> PrintOutcome:
        self.jobs.append(job)
        return self.outcome


@pytest.fixture
def paper() -> Paper:
    return Paper()


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def labels(tmp_path: Path, paper: Paper, clock: StillClock) -> Iterator[Labels]:
    desk_file = Writer(tmp_path / "desk.db", "NORMAL")
    desk_file.open(MIGRATIONS)
    numbers = count()
    yield Labels(
        LabelParts(
            LabelStore(desk_file),
            paper,  # type: ignore[arg-type]
            clock,  # type: ignore[arg-type]
            CNY,
            load_texts("zh-CN"),
            lambda: f"label-{next(numbers)}",
        )
    )
    desk_file.close()


def milk(before: int, *after: tuple[int, int]) -> RepricedItem:
    new = tuple(DatedPrice(*entry) for entry in after)
    return RepricedItem(MILK, "鲜牛奶", "1 L", (DatedPrice(0, before),), new)


def prices(labels: Labels, days: int = 0) -> list[tuple[int | None, int | None]]:
    return [(each.change.old_minor, each.change.new_minor) for each in labels.due(days)]


def test_a_price_that_changed_twice_before_anybody_printed_needs_one_label(labels: Labels) -> None:
    labels.activated([milk(500, (0, 450))], 2)
    labels.activated([milk(450, (0, 470))], 3)
    assert prices(labels) == [(500, 470)]


def test_a_price_that_is_taken_back_before_anybody_printed_needs_none(labels: Labels) -> None:
    labels.activated([milk(500, (0, 450))], 2)
    labels.activated([milk(450, (0, 500))], 3)
    assert prices(labels) == []


def test_a_price_of_tomorrow_is_printed_today_and_one_that_is_called_off_is_not(
    labels: Labels, clock: StillClock
) -> None:
    tomorrow = clock.at_ms + DAY_MS
    labels.activated([milk(500, (0, 500), (tomorrow, 450))], 2)
    assert (prices(labels), prices(labels, days=1)) == ([], [(500, 450)])
    labels.activated([milk(500, (0, 500))], 3)
    assert prices(labels, days=1) == []


def test_printed_labels_are_due_no_more(labels: Labels, paper: Paper) -> None:
    labels.activated([milk(500, (0, 450))], 2)
    assert labels.print(labels.due(0), 1, "2041") == "printed"
    text = paper.jobs[0].payload
    assert "鲜牛奶".encode("gb18030") in text
    assert b"4.50" in text
    assert b"6901234567892" in text
    assert prices(labels) == []


@pytest.mark.parametrize("outcome", ["not_printed", "unknown"])
def test_labels_that_may_not_have_come_out_stay_due(
    labels: Labels, paper: Paper, outcome: PrintOutcome
) -> None:
    paper.outcome = outcome
    labels.activated([milk(500, (0, 450))], 2)
    assert labels.print(labels.due(0), 1, "2041") == outcome
    assert prices(labels) == [(500, 450)]


def test_more_labels_than_a_roll_should_bear_are_refused(labels: Labels, paper: Paper) -> None:
    many = [
        RepricedItem(f"{n:014d}", f"item {n}", "", (), (DatedPrice(0, 100),))
        for n in range(PRINT_MAX + 1)
    ]
    labels.activated(many, 2)
    with pytest.raises(RefusedError, match=r"label\.too_many"):
        labels.print(labels.due(0), 1, "2041")
    assert paper.jobs == []
    pages = label_sheets(labels.due(0), CNY, load_texts("en"))
    assert pages.startswith(b"%PDF")
    assert pages.count(b"/Type /Page\n") == 3


def test_labels_that_nobody_waits_for_are_not_printed(labels: Labels) -> None:
    labels.activated([milk(500, (0, 450))], 2)
    with pytest.raises(RefusedError, match=r"label\.none"):
        labels.chosen([("00000000000000", 1)], 1)


def member_milk(before: tuple[int, int | None], after: tuple[int, int | None]) -> RepricedItem:
    was, now = DatedPrice(0, *before), DatedPrice(0, *after)
    return RepricedItem(MILK, "鲜牛奶", "1 L", (was,), (now,))


def test_a_member_price_that_changed_twice_before_anybody_printed_stays_due(
    labels: Labels,
) -> None:
    labels.activated([member_milk((500, None), (500, 450))], 2)
    labels.activated([member_milk((500, 450), (500, 430))], 3)
    assert [label.change.member_minor for label in labels.due(0)] == [430]
    labels.activated([member_milk((500, 430), (500, None))], 4)
    assert labels.due(0) == []


def test_a_member_price_that_is_lost_with_a_price_that_is_taken_back_needs_a_label(
    labels: Labels,
) -> None:
    labels.activated([member_milk((500, 450), (520, None))], 2)
    labels.activated([member_milk((520, None), (500, None))], 3)
    assert [label.change.new_minor for label in labels.due(0)] == [500]
    labels.activated([member_milk((500, None), (500, 450))], 4)
    assert labels.due(0) == []


def test_a_price_that_is_over_before_anybody_printed_is_not_put_on_the_shelf(
    labels: Labels, clock: StillClock
) -> None:
    friday, monday = clock.at_ms + DAY_MS, clock.at_ms + 4 * DAY_MS
    labels.activated([milk(500, (0, 500), (friday, 450), (monday, 500))], 2)
    clock.at_ms = friday
    assert prices(labels) == [(500, 450)]
    assert prices(labels, days=7) == [(500, 450), (450, 500)]
    clock.at_ms = monday
    assert [new for _, new in prices(labels)] == [500]
    labels.done(labels.due(0), "2041")
    assert prices(labels, days=7) == []


def test_a_label_printed_ahead_leaves_the_one_of_today_due(
    labels: Labels, clock: StillClock
) -> None:
    labels.activated([milk(500, (0, 450), (clock.at_ms + DAY_MS, 400))], 2)
    labels.done(labels.due(1)[1:], "2041")
    assert prices(labels, days=1) == [(500, 450)]


def test_lanes_write_while_a_large_revision_is_compared(labels: Labels) -> None:
    """They share the file: who holds it while all items are read keeps every scan waiting."""
    waited: list[bool] = []

    def items() -> Iterator[RepricedItem]:
        for n in range(3):
            scan = threading.Thread(target=labels.due, args=(0,), daemon=True)
            scan.start()
            scan.join(5)
            waited.append(scan.is_alive())
            yield RepricedItem(f"{n:014d}", f"item {n}", "", (), (DatedPrice(0, 100),))

    labels.activated(items(), 2)
    assert waited == [False] * 3
    assert len(labels.due(0)) == 3


def test_a_label_printed_ahead_of_a_price_that_is_called_off_is_replaced(
    labels: Labels, clock: StillClock
) -> None:
    tomorrow = clock.at_ms + DAY_MS
    labels.activated([milk(500, (0, 500), (tomorrow, 450))], 2)
    labels.done(labels.due(1), "2041")
    labels.activated([milk(500, (0, 500), (tomorrow, 450), (tomorrow + DAY_MS, 400))], 3)
    assert prices(labels, days=1) == [], "it is on paper already"
    labels.activated([milk(500, (0, 500))], 4)
    assert prices(labels, days=7) == [(450, 500)]
