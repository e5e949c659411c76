"""When an offer is open: half-open instants, dates, weekdays and daily windows."""

from __future__ import annotations

from datetime import date, timedelta

from shared.price.context import PricingInstant
from shared.price.offer import Validity

ALWAYS = Validity()
ONE_DAY = timedelta(days=1)


def why_closed(valid: Validity, at: PricingInstant) -> str | None:
    """None while open; else `not_yet`, `over` or `not_now` (another day or hour)."""
    if valid is ALWAYS:
        return None
    if _is_before(valid, at):
        return "not_yet"
    if _is_over(valid, at):
        return "over"
    opened = opened_on(valid, at)
    if opened is None or not _is_day(valid, opened):
        return "not_now"
    return None


def _is_before(valid: Validity, at: PricingInstant) -> bool:
    if valid.from_at_ms is not None and at.at_ms < valid.from_at_ms:
        return True
    return valid.from_local is not None and _local(at) < valid.from_local


def _is_over(valid: Validity, at: PricingInstant) -> bool:
    if valid.to_at_ms is not None and at.at_ms >= valid.to_at_ms:
        return True
    return valid.to_local is not None and _local(at) >= valid.to_local


def _local(at: PricingInstant) -> tuple[str, int]:
    return at.day.isoformat(), at.second


def opened_on(valid: Validity, at: PricingInstant) -> date | None:
    """The day on which the open daily window opened; None when none is open.

    Where windows overlap, one that opened on a day that counts is preferred.
    """
    if not valid.daily:
        return at.day
    found = None
    for start, end in valid.daily:
        opened = _opened_on(start, end, at)
        if opened is not None and (found is None or _is_day(valid, opened)):
            found = opened
    return found


def _opened_on(start: int, end: int, at: PricingInstant) -> date | None:
    if start <= end:
        return at.day if start <= at.second < end else None
    if at.second >= start:
        return at.day
    return at.day - ONE_DAY if at.second < end else None


def _is_day(valid: Validity, day: date) -> bool:
    if valid.dates and day.isoformat() not in valid.dates:
        return False
    return not valid.weekdays or day.isoweekday() in valid.weekdays
