"""Reading the words of a case: liberal about spelling, exact about numbers. Pure.

A whole number may also stand as `3.0` or `"3"`, a single word where a list is asked for, and
what is not known is left alone. What is missing or cannot be meant raises CaseError with the
place of the word, which becomes the line of the report.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from enum import Enum
from typing import Any, TypeVar

from shared.kernel.quantity import ONE_MILLI

E = TypeVar("E", bound=Enum)
T = TypeVar("T")


class CaseError(ValueError):
    """A case cannot be understood; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Words:
    """One JSON object of a case; `place` is where it stands, for messages."""

    place: str
    raw: Mapping[str, Any]

    def at(self, name: str) -> str:
        """Return the place of a word, for a message."""
        return f"{self.place}.{name}" if self.place else name

    def get(self, name: str) -> Any:  # noqa: ANN401 - JSON is anything
        """Return the value as it stands; None when absent."""
        return self.raw.get(name)

    def has(self, name: str) -> bool:
        """Whether the word is there and says something."""
        return self.raw.get(name) is not None

    def whole(self, name: str, default: int | None = None) -> int:
        """Return a whole number; CaseError when it is absent without a default."""
        found = self.maybe_whole(name)
        if found is not None:
            return found
        if default is None:
            raise CaseError(f"{self.at(name)} is missing")
        return default

    def maybe_whole(self, name: str) -> int | None:
        """Return a whole number, or None when the word is absent."""
        return whole_of(self.raw[name], self.at(name)) if self.has(name) else None

    def milli(self, name: str) -> int:
        """Return a quantity in thousandths, rounded half-up beyond the third digit."""
        return milli_of(decimal_of(self.get(name), self.at(name)))

    def text(self, name: str, default: str = "") -> str:
        """Return a text; numbers are taken as they are spelt."""
        found = self.raw.get(name)
        if found is None:
            return default
        if isinstance(found, dict | list | bool):
            raise CaseError(f"{self.at(name)} must be a text")
        return str(found)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return true or false."""
        found = self.raw.get(name)
        if found is None:
            return default
        if not isinstance(found, bool):
            raise CaseError(f"{self.at(name)} must be true or false")
        return found

    def choice(self, name: str, kind: type[E], default: E) -> E:
        """Return one of the words of `kind`."""
        found = self.raw.get(name)
        if found is None:
            return default
        try:
            return kind(found)
        except ValueError:
            known = ", ".join(str(each.value) for each in kind)
            raise CaseError(f"{self.at(name)} is {found!r}, known are {known}") from None

    def names(self, name: str) -> frozenset[str]:
        """Return a set of words; one alone need not stand in a list."""
        found = self.raw.get(name)
        listed = [] if found is None else found if isinstance(found, list) else [found]
        if any(isinstance(each, dict | list) for each in listed):
            raise CaseError(f"{self.at(name)} must be a list of words")
        return frozenset(str(each) for each in listed)

    def object(self, name: str) -> Words:
        """Return the object below `name`; an empty one when absent."""
        return words_of(self.get(name) or {}, self.at(name))

    def each(self, name: str, read: Callable[[Words], T]) -> tuple[T, ...]:
        """Read the objects of a list; an object alone is a list of one."""
        found = self.get(name)
        listed = [] if found is None else found if isinstance(found, list) else [found]
        return tuple(
            read(words_of(each, f"{self.at(name)}[{index}]")) for index, each in enumerate(listed)
        )


def words_of(raw: object, place: str) -> Words:
    """Return the object as words; CaseError when it is none."""
    if not isinstance(raw, dict):
        raise CaseError(f"{place or 'the case'} must be an object")
    return Words(place, raw)


def whole_of(raw: object, place: str) -> int:
    """Return a whole number, however it is spelt."""
    number = decimal_of(raw, place)
    if number != number.to_integral_value():
        raise CaseError(f"{place} must be a whole number, not {raw}")
    return int(number)


def decimal_of(raw: object, place: str) -> Decimal:
    """Return an exact decimal number."""
    if raw is None:
        raise CaseError(f"{place} is missing")
    try:
        number = Decimal(str(raw))
    except InvalidOperation:
        number = Decimal("NaN")
    if isinstance(raw, bool) or not number.is_finite():
        raise CaseError(f"{place} must be a number, not {raw!r}")
    return number


def milli_of(qty: Decimal) -> int:
    """Return thousandths, rounded half-up (away from zero)."""
    return int((qty * ONE_MILLI).quantize(Decimal(1), rounding=ROUND_HALF_UP))
