"""Open and close the store's business day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any

from edge.ids import Ids
from edge.journal.projections import BusinessDay
from edge.journal.store import EntryDraft, Journal
from edge.receipt.slips import ClosedDay
from edge.till.day_sales import day_certificate, newest_close, newest_closing
from shared.journal.event import DayClosed, DayOpened
from shared.kernel.clock import Clock
from shared.kernel.errors import RefusedError
from shared.till.certificate import box_statement, certificate_code, document_of, read_certificate
from shared.till.z_report import ZReport


@dataclass(frozen=True, slots=True)
class Till:
    """What the business day works with.

    `open_baskets` counts baskets that still have something in them, over all lanes; `refresh`
    shows every lane again.
    """

    journal: Journal
    clock: Clock
    ids: Ids
    revision: Callable[[], int]
    open_baskets: Callable[[], int]
    refresh: Callable[[], None]


@dataclass(frozen=True, slots=True)
class ClosingSlip:
    """A closed day in short; `code` is the same at head office if not one receipt is missing."""

    business_date: str
    receipts: int
    net_minor: int
    code: str


def open_day(*, till: Till, business_date: str, operator: str) -> ZReport:
    """Begin a business day; its date comes from a person, not from the clock.

    Raises RefusedError `day.date`, `day.already_open`, or `day.already_closed` for a date whose
    Z report is made.
    """
    if not _is_date(business_date):
        raise RefusedError("day.date", business_date=business_date[:20])
    with till.journal.exclusive():
        day = till.journal.day()
        if day is not None and not day.is_open and business_date <= day.biz:
            raise RefusedError("day.already_closed", business_date=day.biz)
        till.journal.append(_draft(till, DayOpened(business_date), business_date, operator))
    till.refresh()
    return till.journal.z(business_date)


def close_day(*, till: Till, operator: str) -> ZReport:
    """End the open business day; Z report and completeness certificate become its last entry.

    Raises RefusedError `day.closed` when none is open, `day.baskets_open` while a lane sells.
    """
    with till.journal.exclusive():
        day = till.journal.day()
        if day is None or not day.is_open:
            raise RefusedError("day.closed")
        waiting = till.open_baskets()
        if waiting:
            raise RefusedError("day.baskets_open", count=waiting)
        report = till.journal.z(day.biz)
        event = _closed(till, day, report)
        till.journal.append(_draft(till, event, day.biz, operator))
    till.refresh()
    return report


def closing_slip(*, till: Till) -> ClosingSlip | None:
    """What the newest day close says for people to keep; None before the first."""
    found = (newest_close(life) for life in till.journal.lives())
    closed = next((each for each in found if each is not None), None)
    document = "" if closed is None else closed.get("certificate", "")
    if not document:
        return None
    certificate = read_certificate(document)
    return ClosingSlip(
        certificate.span.business_date,
        certificate.count,
        certificate.net_minor,
        certificate_code(document),
    )


def closed_day(journal: Journal, business_date: str) -> ClosedDay:
    """What the slip of a closed day says; of one long gone, the sums alone.

    Raises what `Journal.z` raises.
    """
    for life in journal.lives():
        body = newest_closing(life)
        if body is not None and body["data"]["business_date"] == business_date:
            document = body["data"].get("certificate", "")
            code = certificate_code(document) if document else ""
            return ClosedDay(_report_of(body["data"]["z"]), body["at"], body["actor"], code)
    return ClosedDay(journal.z(business_date))


def _report_of(z: dict[str, Any]) -> ZReport:
    known = {field.name for field in fields(ZReport)}
    return ZReport(**{name: value for name, value in z.items() if name in known})


def day_report(*, till: Till, business_date: str | None) -> ZReport:
    """The Z report of a date, or of the newest day, as of now."""
    day = till.journal.day()
    if business_date is None:
        if day is None:
            raise RefusedError("day.none_yet")
        business_date = day.biz
    return till.journal.z(business_date)


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _closed(till: Till, day: BusinessDay, report: ZReport) -> DayClosed:
    document = document_of(day_certificate(till.journal, day))
    signature = till.journal.sign(box_statement(document))
    receipts = till.journal.receipts_of(day.biz)
    return DayClosed(day.biz, asdict(report), receipts, document, signature.hex())


def _draft(till: Till, event: DayOpened | DayClosed, biz: str, operator: str) -> EntryDraft:
    return EntryDraft(
        id=till.ids.entry_id(),
        event=event,
        actor=operator,
        till="",
        biz=biz,
        at_ms=till.clock.now_ms(),
        cat=till.revision(),
    )
