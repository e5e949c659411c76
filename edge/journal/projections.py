"""What the journal's own file keeps beside the entries, in the same SQLite transaction.

Receipt index, Z accumulators, business day, and what each member bought. Receipt counters and
perpetual grand totals are read from them and from the last entry when the journal opens, and
then kept in memory.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field, fields
from functools import reduce
from operator import attrgetter

import orjson

from edge.journal.members import Bought, bought_in
from shared.journal.event import DayClosed, DayOpened, Event, ReceiptReprinted, SaleCompleted
from shared.kernel.errors import RefusedError
from shared.till.z_report import ZReport, fold_z, merge_z

_PUT_Z = (
    "INSERT INTO z(biz, till, report) VALUES(?,?,?)"
    " ON CONFLICT(biz, till) DO UPDATE SET report=excluded.report"
)
_PUT_SALE = "INSERT INTO sale(lane, number, biz, seq) VALUES(?,?,?,?)"
_PUT_COPIES = "UPDATE sale SET copies=? WHERE lane=? AND number=?"
_PUT_DAY = "INSERT OR REPLACE INTO day(one, biz, shift, is_open) VALUES(1,?,?,?)"
_NUMBER_DIGITS = 6

_REPORT_FIELDS = tuple(spec.name for spec in fields(ZReport))
_report_values = attrgetter(*_REPORT_FIELDS)


@dataclass(frozen=True, slots=True)
class BusinessDay:
    """The store's newest business day; `shift` names its opening entry."""

    biz: str
    shift: str
    is_open: bool


def receipt_no_of(lane: int, number: int) -> str:
    """The 17th receipt of lane 2 is "2-000017"."""
    return f"{lane}-{number:0{_NUMBER_DIGITS}d}"


def parse_receipt_no(receipt_no: str) -> tuple[int, int] | None:
    """Lane and number; None when the text is no receipt number."""
    lane, _, number = receipt_no.partition("-")
    if lane.isdecimal() and number.isdecimal() and len(number) <= 2 * _NUMBER_DIGITS:
        return int(lane), int(number)
    return None


@dataclass(slots=True)
class Projections:
    """Everything that `append` needs to know without asking the file.

    `gt` are the perpetual totals of sales and refunds in minor units.
    """

    gt: tuple[int, int] = (0, 0)
    day: BusinessDay | None = None
    numbers: dict[int, int] = field(default_factory=dict)
    reports: dict[tuple[str, str], ZReport] = field(default_factory=dict)

    @classmethod
    def load(cls, connection: sqlite3.Connection) -> Projections:
        """Read the state as of the last committed entry."""
        last = connection.execute("SELECT body FROM entry ORDER BY seq DESC LIMIT 1").fetchone()
        totals = json.loads(last[0])["gt"] if last else {"sales": 0, "refunds": 0}
        numbers = dict(connection.execute("SELECT lane, max(number) FROM sale GROUP BY lane"))
        row = connection.execute("SELECT biz, shift, is_open FROM day").fetchone()
        day = BusinessDay(row[0], row[1], bool(row[2])) if row else None
        reports: dict[tuple[str, str], ZReport] = {}
        if day is not None:
            reports = read_reports(connection, day.biz)
        return cls((totals["sales"], totals["refunds"]), day, numbers, reports)

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
        """What `event` changes, to be written and then kept."""
        report, sale, day, copies, bought = None, None, None, None, None
        if at.biz:
            before = self.reports.get((at.biz, at.till)) or ZReport(at.biz)
            report = fold_z(before, event)
            if report is before:
                report = None
        match event:
            case SaleCompleted(completed):
                parsed = parse_receipt_no(completed.receipt_no)
                assert parsed is not None
                sale = parsed
                bought = bought_in(completed)
            case ReceiptReprinted(receipt_no=receipt_no, copy=copy):
                parsed = parse_receipt_no(receipt_no)
                assert parsed is not None
                copies = (copy, *parsed)
            case DayOpened(business_date):
                day = BusinessDay(business_date, str(at.seq), is_open=True)
            case DayClosed(business_date):
                shift = self.day.shift if self.day else ""
                day = BusinessDay(business_date, shift, is_open=False)
            case _:
                pass
        return Change(at, self.grand_totals_after(event), report, sale, day, copies, bought)

    def keep(self, change: Change) -> None:
        """Remember what was committed."""
        self.gt = change.gt
        if change.report is not None:
            self.reports[change.at.biz, change.at.till] = change.report
        if change.sale is not None:
            self.numbers[change.sale[0]] = change.sale[1]
        if change.day is not None:
            self.day = change.day
            if change.day.is_open:
                self.reports = {
                    key: report for key, report in self.reports.items() if key[0] == change.day.biz
                }


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry stands: its number, business date and till."""

    seq: int
    biz: str
    till: str


@dataclass(frozen=True, slots=True)
class Change:
    """The projections' part of one append."""

    at: Place
    gt: tuple[int, int]
    report: ZReport | None
    sale: tuple[int, int] | None
    day: BusinessDay | None
    copies: tuple[int, int, int] | None
    bought: Bought | None = None

    def write(self, connection: sqlite3.Connection) -> None:
        """Put it into the open transaction."""
        at = self.at
        if self.report is not None:
            connection.execute(_PUT_Z, (at.biz, at.till, _report_json(self.report)))
        if self.sale is not None:
            connection.execute(_PUT_SALE, (*self.sale, at.biz, at.seq))
        if self.copies is not None:
            connection.execute(_PUT_COPIES, self.copies)
        if self.day is not None:
            connection.execute(_PUT_DAY, (self.day.biz, self.day.shift, int(self.day.is_open)))
        if self.bought is not None:
            self.bought.write(connection)


def read_reports(connection: sqlite3.Connection, biz: str) -> dict[tuple[str, str], ZReport]:
    """Reports of one business day, per till."""
    rows = connection.execute("SELECT till, report FROM z WHERE biz=?", (biz,))
    return {(biz, till): ZReport(**json.loads(report)) for till, report in rows}


def store_report(connection: sqlite3.Connection, biz: str) -> ZReport:
    """The whole store's report of one business day."""
    return reduce(merge_z, read_reports(connection, biz).values(), ZReport(biz))


def receipt_range(connection: sqlite3.Connection, biz: str) -> dict[str, list[str]]:
    """First and last receipt number of a business day, per lane."""
    rows = connection.execute(
        "SELECT lane, min(number), max(number) FROM sale WHERE biz=? GROUP BY lane", (biz,)
    )
    return {
        str(lane): [receipt_no_of(lane, first), receipt_no_of(lane, last)]
        for lane, first, last in rows
    }


def _report_json(report: ZReport) -> str:
    named = zip(_REPORT_FIELDS, _report_values(report), strict=True)
    return orjson.dumps(dict(named)).decode()
