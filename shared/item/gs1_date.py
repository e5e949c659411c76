"""Dates inside GS1 data: YYMMDD, where the day 00 is the last one of its month."""

from __future__ import annotations

from datetime import date

_MONTHS, _FEBRUARY = 12, 2
_SHORT_MONTHS = (4, 6, 9, 11)
_YEARS_BACK = 49
_CENTURY = 100


def days_in(year: int, month: int) -> int:
    """Days of a month, 1 to 12; 0 for a month that is none."""
    if not 1 <= month <= _MONTHS:
        return 0
    if month == _FEBRUARY:
        is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        return 29 if is_leap else 28
    return 30 if month in _SHORT_MONTHS else 31


def is_yymmdd(digits: str, day_min: int = 1) -> bool:
    """Whether six digits are a day; with `day_min` 0 also a month without one.

    Two digits of a year lie in 1950-2099, where each fourth year leaps.
    """
    return _is_day(2000 + int(digits[:2]), digits[2:], day_min)


def is_yyyymmdd(digits: str) -> bool:
    """Whether eight digits are a day."""
    return int(digits[:4]) > 0 and _is_day(int(digits[:4]), digits[4:], 1)


def is_hhmm(digits: str) -> bool:
    """Whether four digits are a time of day."""
    return int(digits[:2]) < 24 and int(digits[2:]) < 60  # noqa: PLR2004 - a day's hours


def date_of(yymmdd: str, today: date) -> date:
    """The day that is meant: its year is at most 49 back or 50 ahead of today's."""
    century = today.year - today.year % _CENTURY
    year = century + int(yymmdd[:2])
    if year < today.year - _YEARS_BACK:
        year += _CENTURY
    elif year > today.year + _CENTURY - _YEARS_BACK - 1:
        year -= _CENTURY
    month, day = int(yymmdd[2:4]), int(yymmdd[4:6])
    return date(year, month, day or days_in(year, month))


def _is_day(year: int, mmdd: str, day_min: int) -> bool:
    return day_min <= int(mmdd[2:]) <= days_in(year, int(mmdd[:2]))
