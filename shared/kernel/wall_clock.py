"""Times on a store's own clock, such as "2026-11-27T00:00", as instants. Pure: the zone is given.

A time that the clocks skip (they go forward) means the first instant after the gap; one that they
show twice (they go back) means the first of the two.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

from shared.kernel.errors import RefusedError

FROM_YEAR, TO_YEAR = 2000, 2099
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MILLISECOND = timedelta(milliseconds=1)
_WALL_CLOCK = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?", re.ASCII)


def wall_clock_of(text: str) -> datetime:
    """Read a local time to the minute or second, without zone; RefusedError `time.local`."""
    if _WALL_CLOCK.fullmatch(text) is not None:
        try:
            local = datetime.fromisoformat(text)
        except ValueError:
            pass
        else:
            if FROM_YEAR <= local.year <= TO_YEAR:
                return local
    raise RefusedError("time.local", value=text[:40])


@lru_cache(maxsize=1024)
def instant_ms(text: str, zone: tzinfo) -> int:
    """UTC milliseconds at which a store's clock shows a local time; RefusedError `time.local`."""
    return ms_of(first_instant(wall_clock_of(text), zone))


def ms_of(at: datetime) -> int:
    """UTC milliseconds of an instant with its offset."""
    return (at - EPOCH) // MILLISECOND


def first_instant(local: datetime, zone: tzinfo) -> datetime:
    """The first instant, in UTC, at which the clock of a zone shows `local` or has skipped it."""
    before = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    after = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if after >= before:  # an ordinary time, or one that comes twice
        return before
    # In a gap the two readings lie on its two sides: the later one is `before`.
    early, late = after, before
    offset = late.astimezone(zone).utcoffset()
    while late - early > SECOND:
        middle = early + ((late - early) // 2 // SECOND) * SECOND
        if middle.astimezone(zone).utcoffset() == offset:
            late = middle
        else:
            early = middle
    return late
