"""Dates and times of an offer document (ISO 8601), as the whole numbers that offers hold."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from shared.price.document_error import Place, shown_as
from shared.price.document_value import JsonSchema

FROM_YEAR, TO_YEAR = 2000, 2099
DAY_SECONDS = 86_400
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
CLOCK = r"([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?"
OFFSET = r"(Z|[+-][0-9]{2}:[0-9]{2})"
INSTANT = rf"{DATE}([T ][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}(\.[0-9]{{3}})?)?{OFFSET}?)?"

Moment = int | tuple[str, int]
"""UTC milliseconds, or ISO date and second of the day on the store's own clock."""
Window = tuple[int, int]


@dataclass(frozen=True, slots=True)
class MomentShape:
    """An instant with its offset, or without one a time on the store's own clock."""

    def read(self, raw: object, place: Place) -> object:
        """UTC milliseconds, or local date and second; a date alone is its midnight."""
        at = _datetime_of(raw) if isinstance(raw, str) else None
        if at is None:
            return place.wrong("time", value=shown_as(raw))
        if not FROM_YEAR <= at.year <= TO_YEAR:
            return place.wrong("time_range", from_year=FROM_YEAR, to_year=TO_YEAR)
        if at.tzinfo is not None:
            return (at - EPOCH) // MILLISECOND
        if at.microsecond:
            return place.wrong("time", value=shown_as(raw))
        return at.date().isoformat(), at.hour * 3600 + at.minute * 60 + at.second

    def dump(self, value: object) -> object:
        """ISO 8601, an instant in UTC."""
        if isinstance(value, int):
            at = EPOCH + value * MILLISECOND
            precision = "milliseconds" if value % 1000 else "seconds"
            return at.replace(tzinfo=None).isoformat(timespec=precision) + "Z"
        assert isinstance(value, tuple)
        day, second = value
        return f"{day}T{clock_text(second)}"

    def schema(self) -> JsonSchema:
        """Date, and time with or without offset."""
        return {"type": "string", "pattern": f"^{INSTANT}$"}


def _datetime_of(text: str) -> datetime | None:
    if re.fullmatch(INSTANT, text, re.ASCII) is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class DateShape:
    """A calendar date."""

    def read(self, raw: object, place: Place) -> object:
        """The ISO date."""
        if isinstance(raw, str) and re.fullmatch(DATE, raw, re.ASCII) and _is_date(raw):
            return raw
        return place.wrong("date", value=shown_as(raw))

    def dump(self, value: object) -> object:
        """The date itself."""
        return value

    def schema(self) -> JsonSchema:
        """An ISO date."""
        return {"type": "string", "pattern": f"^{DATE}$"}


def _is_date(text: str) -> bool:
    try:
        return FROM_YEAR <= date.fromisoformat(text).year <= TO_YEAR
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class WindowShape:
    """Two times of the day, [start, end); an end before the start lies on the next day."""

    def read(self, raw: object, place: Place) -> object:
        """Seconds of the day; 24:00 is allowed as an end."""
        if not isinstance(raw, list | tuple) or len(raw) != 2:  # noqa: PLR2004 - start and end
            return place.wrong("window", value=shown_as(raw))
        start = _second_of(raw[0], DAY_SECONDS - 1, place.item(0))
        end = _second_of(raw[1], DAY_SECONDS, place.item(1))
        if not (isinstance(start, int) and isinstance(end, int)):
            return None
        return (start, end) if start != end else place.wrong("window_empty", value=shown_as(raw[0]))

    def dump(self, value: object) -> object:
        """Two times, to the minute where that says it all."""
        assert isinstance(value, tuple)
        return [clock_text(second, is_short=second % 60 == 0) for second in value]

    def schema(self) -> JsonSchema:
        """A pair of times."""
        time: JsonSchema = {"type": "string", "pattern": f"^{CLOCK}$"}
        return {"type": "array", "items": time, "minItems": 2, "maxItems": 2}


def _second_of(raw: object, most: int, place: Place) -> object:
    found = re.fullmatch(CLOCK, raw, re.ASCII) if isinstance(raw, str) else None
    if found is None:
        return place.wrong("clock", value=shown_as(raw))
    hour, minute, second = (int(part or 0) for part in found.groups())
    total = hour * 3600 + minute * 60 + second
    if minute >= 60 or second >= 60 or total > most:  # noqa: PLR2004 - as clocks go
        return place.wrong("clock", value=shown_as(raw))
    return total


def clock_text(second: int, *, is_short: bool = False) -> str:
    """A second of the day as HH:MM:SS, or HH:MM."""
    minutes, rest = divmod(second, 60)
    text = f"{minutes // 60:02d}:{minutes % 60:02d}"
    return text if is_short else f"{text}:{rest:02d}"
