"""When offers are open, for lint: never, no longer, at once with another, inside another's.

Times are seconds of the store's clock since 1970. A store's offset from UTC is not known here,
so that an instant in UTC becomes the widest span that any time zone could make of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from shared.price.context import PricingInstant
from shared.price.offer import Validity

DAY_SECONDS = 86_400
WEEK_DAYS = 7
EPOCH_DAY = date(1970, 1, 1).toordinal()
EAST_MOST_SECONDS = 14 * 3600
WEST_MOST_SECONDS = 12 * 3600
ALL_DAY = (0, DAY_SECONDS)
ALWAYS = Validity()

Span = tuple[int | None, int | None]
"""Half-open; None does not restrict."""


def local_second(day: str, second: int) -> int:
    """Second of the store's clock since 1970."""
    return (date.fromisoformat(day).toordinal() - EPOCH_DAY) * DAY_SECONDS + second


def span_of(valid: Validity) -> Span:
    """The widest span of the store's clock that from and to leave."""
    start = end = None
    if valid.from_local is not None:
        start = local_second(*valid.from_local)
    if valid.from_at_ms is not None:
        start = valid.from_at_ms // 1000 - WEST_MOST_SECONDS
    if valid.to_local is not None:
        end = local_second(*valid.to_local)
    if valid.to_at_ms is not None:
        end = -(-valid.to_at_ms // 1000) + EAST_MOST_SECONDS
    return start, end


def why_never_open(valid: Validity) -> str | None:
    """None if it opens at all; else which part says no: `span`, `daily` or `days`."""
    if valid == ALWAYS:
        return None
    if _is_span_empty(valid):
        return "span"
    if valid.daily and all(start == end for start, end in valid.daily):
        return "daily"
    return None if next(openings(valid), None) is not None else "days"


def _is_span_empty(valid: Validity) -> bool:
    if valid.from_at_ms is not None and valid.to_at_ms is not None:
        return valid.from_at_ms >= valid.to_at_ms
    start, end = span_of(valid)
    return start is not None and end is not None and start >= end


def is_over(valid: Validity, now: PricingInstant) -> bool:
    """Whether it does not open again from now on."""
    if valid == ALWAYS:
        return False
    if valid.to_at_ms is not None and valid.to_at_ms <= now.at_ms:
        return True
    second = local_second(now.day.isoformat(), now.second)
    if valid.to_local is not None and local_second(*valid.to_local) <= second:
        return True
    return bool(valid.dates) and next(openings(valid, second), None) is None


def openings(valid: Validity, since: int | None = None) -> Iterator[tuple[int, int]]:
    """Spans in which it is open, none ending before `since`; of the first days where many."""
    low, high = span_of(valid)
    if since is not None:
        low = since if low is None else max(low, since)
    for day in _days(valid, low, high):
        for start, end in valid.daily or (ALL_DAY,):
            length = (end - start) % DAY_SECONDS if end != start + DAY_SECONDS else DAY_SECONDS
            opened = day * DAY_SECONDS + start
            begin = opened if low is None else max(opened, low)
            close = opened + length if high is None else min(opened + length, high)
            if begin < close:
                yield begin, close


def _days(valid: Validity, low: int | None, high: int | None) -> Iterator[int]:
    """Days since 1970 on which a window may open; a week and a day are enough of each kind."""
    if valid.dates:
        days = sorted(date.fromisoformat(day).toordinal() - EPOCH_DAY for day in valid.dates)
    else:
        first = (low if low is not None else (high or 0) - 8 * DAY_SECONDS) // DAY_SECONDS - 1
        days = list(range(first, first + WEEK_DAYS + 3))
    for day in days:
        weekday = date.fromordinal(day + EPOCH_DAY).isoweekday()
        if not valid.weekdays or weekday in valid.weekdays:
            yield day


def instant_of(second: int, now: PricingInstant) -> PricingInstant:
    """A second of the store's clock as an instant, with the offset that the store has now."""
    offset = local_second(now.day.isoformat(), now.second) - now.at_ms // 1000
    day = date(1970, 1, 1) + timedelta(days=second // DAY_SECONDS)
    return PricingInstant((second - offset) * 1000, day, second % DAY_SECONDS)


def may_meet(one: Validity, other: Validity) -> bool:
    """False only if both are never open at one time."""
    if ALWAYS in {one, other} or one == other:
        return True
    if not _do_spans_meet(one, other):
        return False
    if _spans_midnight(one) or _spans_midnight(other):
        return True
    if one.dates and other.dates and one.dates.isdisjoint(other.dates):
        return False
    if one.weekdays and other.weekdays and one.weekdays.isdisjoint(other.weekdays):
        return False
    return any(
        start < other_end and other_start < end
        for start, end in one.daily or (ALL_DAY,)
        for other_start, other_end in other.daily or (ALL_DAY,)
    )


def _do_spans_meet(one: Validity, other: Validity) -> bool:
    return _starts_before_end(one, other) and _starts_before_end(other, one)


def _starts_before_end(one: Validity, other: Validity) -> bool:
    if one.from_at_ms is not None and other.to_at_ms is not None:
        return one.from_at_ms < other.to_at_ms
    start, end = span_of(one)[0], span_of(other)[1]
    return start is None or end is None or start < end


def _spans_midnight(valid: Validity) -> bool:
    return any(end < start for start, end in valid.daily)


def covers(wide: Validity, narrow: Validity) -> bool:
    """Whether one is certainly open whenever the other is."""
    if wide in {ALWAYS, narrow}:
        return True
    if _spans_midnight(narrow) and not wide.daily and (wide.dates or wide.weekdays):
        return False
    return (
        _covers_span(wide, narrow)
        and (not wide.dates or (bool(narrow.dates) and narrow.dates <= wide.dates))
        and (not wide.weekdays or (bool(narrow.weekdays) and narrow.weekdays <= wide.weekdays))
        and (not wide.daily or _covers_daily(wide, narrow))
    )


def _covers_span(wide: Validity, narrow: Validity) -> bool:
    if wide.from_at_ms is not None and (narrow.from_at_ms or -1) < wide.from_at_ms:
        return False
    if wide.from_local is not None and (narrow.from_local or ("", 0)) < wide.from_local:
        return False
    is_to_in = wide.to_at_ms is None or (
        narrow.to_at_ms is not None and narrow.to_at_ms <= wide.to_at_ms
    )
    is_local_in = wide.to_local is None or (
        narrow.to_local is not None and narrow.to_local <= wide.to_local
    )
    return is_to_in and is_local_in


def _covers_daily(wide: Validity, narrow: Validity) -> bool:
    return bool(narrow.daily) and all(
        any(
            start <= inner[0] and inner[1] <= end and (end < start) == (inner[1] < inner[0])
            for start, end in wide.daily
        )
        for inner in narrow.daily
    )
