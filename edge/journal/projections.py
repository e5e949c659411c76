"""What the journal's own file keeps beside the entries: a fold of them, written in batches.

Receipt index, Z accumulators, business day, and what each member bought. The truth are the
entries: what is folded in memory is written every few dozen entries, so that a sale costs one page
instead of four, and what a power cut takes is folded again when the journal opens.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Protocol

import orjson

from edge.journal.members import Bought, bought_in
from shared.journal.event import DayClosed, DayOpened, Event, ReceiptReprinted, SaleCompleted
from shared.kernel.errors import CorruptError, RefusedError
from shared.sale.receipt_no import FIRST_SERIES, ReceiptNo, parse_receipt_no
from shared.till.z_report import ZReport, fold_z

WRITTEN_EVERY = 64
"""Entries folded in memory before the tables are written."""
_PUT_Z = (
    "INSERT INTO z(biz, till, report) VALUES(?,?,?)"
    " ON CONFLICT(biz, till) DO UPDATE SET report=excluded.report"
)
_PUT_SALE = "INSERT INTO sale(lane, number, biz, seq) VALUES(?,?,?,?)"
_PUT_COPIES = "UPDATE sale SET copies=? WHERE lane=? AND number=?"
_PUT_OLDER_COPIES = "INSERT OR REPLACE INTO older_copy(receipt_no, copies) VALUES(?,?)"
_PUT_DAY = "INSERT OR REPLACE INTO day(one, biz, shift, is_open) VALUES(1,?,?,?)"
_PUT_PROJECTED = "INSERT OR REPLACE INTO projected(one, seq) VALUES(1,?)"
_REPORT_FIELDS = tuple(spec.name for spec in fields(ZReport))
_report_values = attrgetter(*_REPORT_FIELDS)


@dataclass(frozen=True, slots=True)
class BusinessDay:
    """The store's newest business day; `shift` names its opening entry."""

    biz: str
    shift: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry stands: its number, business date and till."""

    seq: int
    biz: str
    till: str


@dataclass(frozen=True, slots=True)
class Change:
    """The projections' part of one append. `copies`: a receipt and how often it was copied."""

    at: Place
    gt: tuple[int, int]
    report: ZReport | None = None
    sale: ReceiptNo | None = None
    day: BusinessDay | None = None
    copies: tuple[ReceiptNo, int] | None = None
    bought: Bought | None = None


class Folded(Protocol):
    """An entry that is already in the journal, read again."""

    @property
    def event(self) -> Event:
        """What happened."""
        ...

    @property
    def at(self) -> Place:
        """Where it stands."""
        ...


@dataclass(slots=True)
class Projections:
    """Everything that `append` needs to know without asking the file.

    `gt` are the perpetual totals of sales and refunds in minor units; `waiting` is folded but not
    written yet, `sold` finds its sales.
    """

    series: str = FIRST_SERIES
    gt: tuple[int, int] = (0, 0)
    day: BusinessDay | None = None
    numbers: dict[int, int] = field(default_factory=dict)
    reports: dict[tuple[str, str], ZReport] = field(default_factory=dict)
    waiting: list[Change] = field(default_factory=list)
    sold: dict[ReceiptNo, int] = field(default_factory=dict)

    @classmethod
    def load(cls, connection: sqlite3.Connection, series: str) -> Projections:
        """Read the state as of the last entry that the tables know."""
        numbers = dict(connection.execute("SELECT lane, max(number) FROM sale GROUP BY lane"))
        row = connection.execute("SELECT biz, shift, is_open FROM day").fetchone()
        day = BusinessDay(row[0], row[1], bool(row[2])) if row else None
        reports: dict[tuple[str, str], ZReport] = {}
        if day is not None:
            reports = read_reports(connection, day.biz)
        return cls(series, grand_totals(connection), day, numbers, reports)

    def replay(self, entries: Iterable[Folded]) -> None:
        """Fold what was appended after the tables were written."""
        for entry in entries:
            self.keep(self.change_of(entry.event, entry.at))

    def next_number(self, lane: int) -> ReceiptNo:
        """The number that a lane's next sale gets."""
        return ReceiptNo(lane, self.series, self.numbers.get(lane, 0) + 1)

    def grand_totals_after(self, event: Event) -> tuple[int, int]:
        """The perpetual totals once `event` is in the journal."""
        if isinstance(event, SaleCompleted):
            return self.gt[0] + event.sale.totals.net_minor, self.gt[1]
        return self.gt

    def check(self, event: Event, biz: str) -> None:
        """Refuse a fact that cannot be: a sale outside the open day, a day opened twice."""
        is_open = self.day is not None and self.day.is_open
        match event:
            case SaleCompleted() if not is_open or self.day is None or self.day.biz != biz:
                raise RefusedError("day.closed")
            case DayOpened() if is_open:
                raise RefusedError("day.already_open", business_date=self.day_name())
            case DayClosed() if not is_open:
                raise RefusedError("day.closed")
            case _:
                return

    def day_name(self) -> str:
        """Business date of the newest day, "" before the first."""
        return "" if self.day is None else self.day.biz

    def change_of(self, event: Event, at: Place) -> Change:
        """What `event` changes, to be kept; CorruptError for a number out of turn."""
        report, sale, day, copies, bought = None, None, None, None, None
        if at.biz:
            before = self.reports.get((at.biz, at.till)) or ZReport(at.biz)
            report = fold_z(before, event)
            if report is before:
                report = None
        match event:
            case SaleCompleted(completed):
                sale = parse_receipt_no(completed.receipt_no)
                if sale is None or sale != self.next_number(sale.lane):
                    raise CorruptError("journal.receipt_no", receipt_no=completed.receipt_no)
                bought = bought_in(completed)
            case ReceiptReprinted(receipt_no=receipt_no, copy=copy):
                parsed = parse_receipt_no(receipt_no)
                assert parsed is not None
                copies = (parsed, copy)
            case DayOpened(business_date):
                day = BusinessDay(business_date, str(at.seq), is_open=True)
            case DayClosed(business_date):
                shift = self.day.shift if self.day else ""
                day = BusinessDay(business_date, shift, is_open=False)
            case _:
                pass
        return Change(at, self.grand_totals_after(event), report, sale, day, copies, bought)

    def keep(self, change: Change) -> None:
        """Remember what is in the journal now."""
        self.gt = change.gt
        self.waiting.append(change)
        if change.report is not None:
            self.reports[change.at.biz, change.at.till] = change.report
        if change.sale is not None:
            self.numbers[change.sale.lane] = change.sale.number
            self.sold[change.sale] = change.at.seq
        if change.day is not None:
            self.day = change.day
            if change.day.is_open:
                self.reports = {
                    key: report for key, report in self.reports.items() if key[0] == change.day.biz
                }

    def write(self, connection: sqlite3.Connection) -> None:
        """Put what waits into the open transaction; call `written` once it is committed."""
        if not self.waiting:
            return
        reports = {(each.at.biz, each.at.till): each.report for each in self.waiting if each.report}
        connection.executemany(
            _PUT_Z, [(*key, _report_json(report)) for key, report in reports.items()]
        )
        connection.executemany(
            _PUT_SALE,
            [
                (each.sale.lane, each.sale.number, each.at.biz, each.at.seq)
                for each in self.waiting
                if each.sale is not None
            ],
        )
        for each in self.waiting:
            self._write_rarer(connection, each)
        connection.execute(_PUT_PROJECTED, (self.waiting[-1].at.seq,))

    def write_with(self, connection: sqlite3.Connection, change: Change) -> None:
        """As `write`, with one more change that is not kept before the commit."""
        self.waiting.append(change)
        try:
            self.write(connection)
        finally:
            self.waiting.pop()

    def written(self) -> None:
        """What waited is in the file."""
        self.waiting.clear()
        self.sold.clear()

    def _write_rarer(self, connection: sqlite3.Connection, change: Change) -> None:
        if change.copies is not None:
            number, copies = change.copies
            if number.series == self.series:
                connection.execute(_PUT_COPIES, (copies, number.lane, number.number))
            else:
                connection.execute(_PUT_OLDER_COPIES, (str(number), copies))
        if change.day is not None:
            day = change.day
            connection.execute(_PUT_DAY, (day.biz, day.shift, int(day.is_open)))
        if change.bought is not None:
            change.bought.write(connection)


def grand_totals(connection: sqlite3.Connection) -> tuple[int, int]:
    """The perpetual totals as of the last entry that the tables know."""
    row = connection.execute(
        "SELECT body FROM entry WHERE seq<=(SELECT seq FROM projected) ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    totals = json.loads(row[0])["gt"] if row else {"sales": 0, "refunds": 0}
    return totals["sales"], totals["refunds"]


def read_reports(connection: sqlite3.Connection, biz: str) -> dict[tuple[str, str], ZReport]:
    """Reports of one business day, per till."""
    rows = connection.execute("SELECT till, report FROM z WHERE biz=?", (biz,))
    return {(biz, till): ZReport(**json.loads(report)) for till, report in rows}


def receipt_range(connection: sqlite3.Connection, biz: str, series: str) -> dict[str, list[str]]:
    """First and last receipt number of a business day, per lane."""
    rows = connection.execute(
        "SELECT lane, min(number), max(number) FROM sale WHERE biz=? GROUP BY lane", (biz,)
    )
    return {
        str(lane): [str(ReceiptNo(lane, series, first)), str(ReceiptNo(lane, series, last))]
        for lane, first, last in rows
    }


def put_reports(
    connection: sqlite3.Connection, reports: dict[tuple[str, str], ZReport], day: BusinessDay | None
) -> None:
    """Carry a day and its sums over into a new journal."""
    rows = [(*key, _report_json(report)) for key, report in reports.items()]
    connection.executemany(_PUT_Z, rows)
    if day is not None:
        connection.execute(_PUT_DAY, (day.biz, day.shift, int(day.is_open)))


def _report_json(report: ZReport) -> str:
    named = zip(_REPORT_FIELDS, _report_values(report), strict=True)
    return orjson.dumps(dict(named)).decode()
