"""When a box may change its software: never under a sale, and only in its hours. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

IDLE_MS = 600_000
"""How long nothing may have happened in an open shop."""
_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")

BASKET = "release.held.basket"
DRAWER = "release.held.drawer"
PRINTING = "release.held.printing"
TRADING = "release.held.trading"
WINDOW = "release.held.window"
LATER = "release.held.later"


@dataclass(frozen=True, slots=True)
class Shop:
    """What goes on in the store: `idle_ms` since anything was scanned or keyed."""

    open_baskets: int
    is_drawer_open: bool
    is_day_open: bool
    print_queue: int
    idle_ms: int


@dataclass(frozen=True, slots=True)
class Hours:
    """When HQ allows it: `window` "HH:MM-HH:MM" of the store's clock ("" any), not before `after`.

    `after_ms` and `now_ms` are UTC ms, `minute` is the store's minute of the day.
    """

    window: str
    after_ms: int
    now_ms: int
    minute: int


def held_by_hours(hours: Hours) -> str:
    """Why it is not the time, as a code; "" when it is."""
    if hours.now_ms < hours.after_ms:
        return LATER
    return "" if in_window(hours.window, hours.minute) else WINDOW


def held_by_shop(shop: Shop) -> str:
    """Why the shop must not be disturbed, as a code; "" when it may."""
    if shop.open_baskets:
        return BASKET
    if shop.is_drawer_open:
        return DRAWER
    if shop.print_queue:
        return PRINTING
    if shop.is_day_open and shop.idle_ms < IDLE_MS:
        return TRADING
    return ""


def is_window(text: str) -> bool:
    """Whether this is a window: "HH:MM-HH:MM", or "" for any time."""
    return not text or _WINDOW.fullmatch(text) is not None


def in_window(window: str, minute: int) -> bool:
    """Whether a minute of the day lies in a window, which may go over midnight.

    What is no window is never open: better late than in the midst of the day.
    """
    if not window:
        return True
    found = _WINDOW.fullmatch(window)
    if found is None:
        return False
    hour, start, end_hour, end = map(int, found.groups())
    first, last = hour * 60 + start, end_hour * 60 + end
    if first <= last:
        return first <= minute < last
    return minute >= first or minute < last
