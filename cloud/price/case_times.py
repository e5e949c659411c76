"""When a case happens and when its promotions are open. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime

from cloud.price.case_words import CaseError, Words
from shared.price.offer import Validity

DAY_SECONDS, HOUR_MINUTES, MINUTE_SECONDS = 86_400, 60, 60
CLOCK_PARTS_MAX = 3
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def validity_of(words: Words) -> Validity:
    """Read when an offer is open; an instant without offset is one of the store's own clock."""
    from_at_ms, from_local = _instant_of(words, "from")
    to_at_ms, to_local = _instant_of(words, "to")
    return Validity(
        from_at_ms=from_at_ms,
        to_at_ms=to_at_ms,
        from_local=from_local,
        to_local=to_local,
        dates=frozenset(_day_of(words, each) for each in words.names("dates")),
        weekdays=_weekdays_of(words),
        daily=_daily_of(words),
    )


def _instant_of(words: Words, name: str) -> tuple[int | None, tuple[str, int] | None]:
    if not words.has(name):
        return None, None
    at = parse_time(words.text(name), words.at(name))
    if at.tzinfo is None:
        return None, (at.date().isoformat(), second_of(at))
    return epoch_ms(at), None


def parse_time(text: str, place: str) -> datetime:
    """Read ISO 8601, with or without an offset; a date alone is its first second."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise CaseError(f"{place} is no ISO 8601 time: {text!r}") from None


def epoch_ms(at: datetime) -> int:
    """Return UTC milliseconds of an aware time, exactly."""
    passed = at - EPOCH
    return (passed.days * DAY_SECONDS + passed.seconds) * 1000 + passed.microseconds // 1000


def second_of(at: datetime) -> int:
    """Return the second of the day on the clock that `at` shows."""
    return _seconds(at.hour, at.minute, at.second)


def _day_of(words: Words, text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise CaseError(f"{words.at('dates')}: {text!r} is no date") from None


def _weekdays_of(words: Words) -> frozenset[int]:
    days = words.names("weekdays")
    if not days <= set("1234567"):
        raise CaseError(f"{words.at('weekdays')} must be numbers from 1 (Monday) to 7")
    return frozenset(int(day) for day in days)


def _daily_of(words: Words) -> tuple[tuple[int, int], ...]:
    windows = words.get("daily") or []
    if not isinstance(windows, list):
        raise CaseError(f"{words.at('daily')} must be a list of windows")
    if windows and not isinstance(windows[0], list):  # one window, not in a list of its own
        windows = [windows]
    return tuple(_window_of(words, window) for window in windows)


def _window_of(words: Words, window: object) -> tuple[int, int]:
    match window:
        case [str(start), str(end)]:
            return _clock_second(words, start), _clock_second(words, end)
        case _:
            raise CaseError(f"{words.at('daily')}: {window!r} is no pair of local times")


def _clock_second(words: Words, text: str) -> int:
    parts = text.split(":")
    if 1 < len(parts) <= CLOCK_PARTS_MAX and all(part.isdecimal() for part in parts):
        hour, minute, second = (*map(int, parts), 0)[:3]
        found = _seconds(hour, minute, second)
        if max(minute, second) < HOUR_MINUTES and found <= DAY_SECONDS:
            return found
    raise CaseError(f"{words.at('daily')}: {text!r} is no local time")


def _seconds(hour: int, minute: int, second: int) -> int:
    return (hour * HOUR_MINUTES + minute) * MINUTE_SECONDS + second
