"""What happened at a till besides sales, as POSLog's ControlTransaction."""

from __future__ import annotations

import re

from shared.export.entry import ExportedEntry
from shared.export.markup import escaped, leaf, leaf_if, node
from shared.journal.event import (
    BasketVoided,
    DayClosed,
    DayOpened,
    DrawerOpened,
    OperatorSignedOff,
    OperatorSignedOn,
)
from shared.kernel.money import format_minor

OPENED_BY_SALE = "sale"
"""Reason of a drawer that opened for a payment: no event of its own."""
_NAME = re.compile(r"[a-z][a-z0-9_]*")
"""What of a box's Z report may become the name of an attribute."""


def control_of(entry: ExportedEntry) -> tuple[str, str] | None:
    """The ControlTransaction and what follows it; None for what has no words in POSLog."""
    made: str | None = None
    after = ""
    match entry.event:
        case None:
            made = _unreadable(entry)
        case DayOpened(business_date):
            made = _session("BusinessSOD", "Start", "Open", entry, business_date)
        case DayClosed() as closed:
            made, after = _day_closed(entry, closed)
        case OperatorSignedOn():
            made = _session("OperatorSignOn", "Start", "", entry, "")
        case OperatorSignedOff():
            made = _session("OperatorSignOff", "End", "", entry, "")
        case DrawerOpened(reason=reason) if reason != OPENED_BY_SALE:
            made = _control(leaf("NoSale", entry.at), reason)
        case BasketVoided(net_minor=net_minor, reason=reason):
            made = _control(node("TransactionVoid", _amount(entry, "Amount", net_minor)), reason)
        case _:
            pass
    return None if made is None else (made, after)


def _control(event: str, reason: str = "") -> str:
    return node("ControlTransaction", leaf_if("ReasonCode", reason), event)


def _session(name: str, end: str, day: str, entry: ExportedEntry, date: str) -> str:
    stamp = leaf_if(f"{end}DateTimestamp", entry.at)
    return _control(node(name, stamp, leaf(f"{day}BusinessDayDate", date) if day else ""))


def _day_closed(entry: ExportedEntry, closed: DayClosed) -> tuple[str, str]:
    sums = {name: value for name, value in closed.z.items() if isinstance(value, int)}
    settle = node(
        "SessionSettle",
        leaf("TransactionCount", sums.get("receipts", 0)),
        _amount(entry, "TotalNetSalesAmount", sums.get("net_minor", 0)),
    )
    event = node(
        "BusinessEOD",
        leaf_if("EndDateTimestamp", entry.at),
        leaf("CloseBusinessDayDate", closed.business_date),
        settle,
    )
    own = {name: str(value) for name, value in sorted(sums.items()) if _NAME.fullmatch(name)}
    return _control(event), node("tb:ZReport", attributes=own)


def _unreadable(entry: ExportedEntry) -> str:
    event = f"<ApplicationEvent>{escaped(entry.type)}</ApplicationEvent>"
    return _control(event, entry.flag)


def _amount(entry: ExportedEntry, name: str, minor: int) -> str:
    currency = entry.store.currency
    return leaf(name, format_minor(minor, currency), {"Currency": currency.code})
