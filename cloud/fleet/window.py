"""Maintenance windows: when a store may be worked on and nobody has to be called. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from shared.kernel.errors import RefusedError

Target = Literal["all", "group", "store"]
LONGEST_MS = 31 * 86_400_000
_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")
_DAYS = range(1, 8)


@dataclass(frozen=True, slots=True)
class Window:
    """Once from `from_ms` to `to_ms` (UTC), or weekly on `days` (1 Monday to 7 Sunday).

    Weekly ones run from `from_local` to `to_local` ("HH:MM") on the store's clock, past midnight
    where the end is not later than the beginning. All are half-open.
    """

    target: Target
    target_id: str = ""
    from_ms: int | None = None
    to_ms: int | None = None
    days: Sequence[int] = ()
    from_local: str = ""
    to_local: str = ""
    id: int = 0

    def is_open(self, now_ms: int, zone: ZoneInfo) -> bool:
        """Whether it is now, for a store in that zone."""
        if self.from_ms is not None and self.to_ms is not None:
            return self.from_ms <= now_ms < self.to_ms
        now = datetime.fromtimestamp(now_ms // 1000, zone)
        clock = f"{now:%H:%M}"
        if self.from_local < self.to_local:
            return now.isoweekday() in self.days and self.from_local <= clock < self.to_local
        yesterday = (now.date() - timedelta(1)).isoweekday()
        is_evening = now.isoweekday() in self.days and clock >= self.from_local
        return is_evening or (yesterday in self.days and clock < self.to_local)

    def reaches(self, store_id: str, groups: Sequence[str]) -> bool:
        """Whether it is for this store, which is in these groups."""
        if self.target == "all":
            return True
        return self.target_id in (groups if self.target == "group" else (store_id,))


def checked(window: Window) -> Window:
    """The window itself. RefusedError `window.target`, `window.times` or `window.days`."""
    if bool(window.target_id) is (window.target == "all"):
        raise RefusedError("window.target")
    if window.from_ms is not None or window.to_ms is not None:
        if window.from_ms is None or window.to_ms is None or window.days:
            raise RefusedError("window.times")
        if not 0 < window.to_ms - window.from_ms <= LONGEST_MS:
            raise RefusedError("window.times")
        return window
    if not all(_TIME.fullmatch(each) for each in (window.from_local, window.to_local)):
        raise RefusedError("window.times")
    if not window.days or not set(window.days) <= set(_DAYS):
        raise RefusedError("window.days")
    return window
