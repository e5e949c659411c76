"""The plain values of an offer document: how each is read, checked, written and described.

A shape notes what is wrong and then returns None; callers look at the notes, not at the None.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from shared.kernel.quantity import ONE_MILLI, QTY_MILLI_MAX, format_milli
from shared.price.document_error import Place, shown_as
from shared.price.reward import FULL_BP

MINOR_MAX = 99_999_999_999
COUNT_MAX = 9_999_999
TEXT_LENGTH_MAX = 64
NAME_LENGTH_MAX = 200
PLAIN_NUMBER = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,15}))?", re.ASCII)
PERCENT_DIGITS = 2
MILLI_DIGITS = 3

JsonSchema = dict[str, object]


class Shape(Protocol):
    """One kind of value."""

    def read(self, raw: object, place: Place) -> object:
        """The value; None after noting at the place what is wrong."""

    def dump(self, value: object) -> object:
        """The value in its one canonical spelling."""

    def schema(self) -> JsonSchema:
        """JSON Schema of all spellings that `read` takes."""


@dataclass(frozen=True, slots=True)
class Text:
    """Printable text that is not empty."""

    length_max: int = TEXT_LENGTH_MAX

    def read(self, raw: object, place: Place) -> object:
        """Text as it stands; surrounding spaces would make two of one id, so they are refused."""
        if not isinstance(raw, str):
            return place.wrong("text", value=shown_as(raw))
        if not raw.strip():
            return place.wrong("text_empty")
        if len(raw) > self.length_max:
            return place.wrong("text_long", limit=self.length_max)
        if not raw.isprintable() or raw != raw.strip():
            return place.wrong("text_signs", value=shown_as(raw))
        return raw

    def dump(self, value: object) -> object:
        """The text itself."""
        return value

    def schema(self) -> JsonSchema:
        """A bounded string."""
        return {"type": "string", "minLength": 1, "maxLength": self.length_max}


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number between two ends, both inclusive."""

    least: int = 1
    most: int = COUNT_MAX

    def read(self, raw: object, place: Place) -> object:
        """The number; 1.0, "1" and true are none."""
        if isinstance(raw, bool) or not isinstance(raw, int):
            return place.wrong("whole", value=shown_as(raw))
        return in_range(raw, self.least, self.most, place)

    def dump(self, value: object) -> object:
        """The number itself."""
        return value

    def schema(self) -> JsonSchema:
        """A bounded integer."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True, slots=True)
class Money:
    """An amount: a whole number of minor units, or major units as text ("12.50")."""

    least: int = 1

    def read(self, raw: object, place: Place) -> object:
        """Minor units; text is converted exactly or refused."""
        if isinstance(raw, float):
            return place.wrong("money_float", value=shown_as(raw))
        if isinstance(raw, str):
            minor = _minor_of(raw, place)
            return in_range(minor, self.least, MINOR_MAX, place) if isinstance(minor, int) else None
        if isinstance(raw, bool) or not isinstance(raw, int):
            return place.wrong("money", value=shown_as(raw))
        return in_range(raw, self.least, MINOR_MAX, place)

    def dump(self, value: object) -> object:
        """Minor units."""
        return value

    def schema(self) -> JsonSchema:
        """Both spellings."""
        whole: JsonSchema = {"type": "integer", "minimum": self.least, "maximum": MINOR_MAX}
        return {"anyOf": [whole, {"type": "string", "pattern": r"^[0-9]{1,15}(\.[0-9]{1,15})?$"}]}


def _minor_of(text: str, place: Place) -> object:
    if place.currency is None:
        return place.wrong("currency_missing", value=shown_as(text))
    if PLAIN_NUMBER.fullmatch(text) is None:
        return place.wrong("money", value=shown_as(text))
    minor = scaled(text, place.currency.digits)
    if minor is None:
        code, digits = place.currency.code, place.currency.digits
        return place.wrong("money_digits", value=text, currency=code, digits=digits)
    return minor


@dataclass(frozen=True, slots=True)
class Percent:
    """A share written as percent, in text: "12.5" is 1250 basis points. Never written."""

    def read(self, raw: object, place: Place) -> object:
        """Basis points."""
        bp = scaled(raw, PERCENT_DIGITS) if isinstance(raw, str) else None
        if bp is None or not 1 <= bp <= FULL_BP:
            return place.wrong("percent", value=shown_as(raw))
        return bp

    def dump(self, value: object) -> object:
        """The canonical spelling is basis points."""
        return value

    def schema(self) -> JsonSchema:
        """Text with at most two decimals."""
        return {"type": "string", "pattern": r"^[0-9]{1,3}(\.[0-9]{1,2})?$"}


@dataclass(frozen=True, slots=True)
class Quantity:
    """Pieces as a whole number, or a decimal number as text ("1.5"); in thousandths here."""

    def read(self, raw: object, place: Place) -> object:
        """Thousandths."""
        if isinstance(raw, bool) or not isinstance(raw, int | str):
            return place.wrong("quantity", value=shown_as(raw))
        milli = scaled(raw, MILLI_DIGITS) if isinstance(raw, str) else raw * ONE_MILLI
        if milli is None or not 1 <= milli <= QTY_MILLI_MAX:
            return place.wrong("quantity", value=shown_as(raw))
        return milli

    def dump(self, value: object) -> object:
        """Whole pieces as a number, else text."""
        assert isinstance(value, int)
        return value // ONE_MILLI if value % ONE_MILLI == 0 else format_milli(value)

    def schema(self) -> JsonSchema:
        """Both spellings."""
        whole: JsonSchema = {"type": "integer", "minimum": 1, "maximum": QTY_MILLI_MAX // ONE_MILLI}
        return {"anyOf": [whole, {"type": "string", "pattern": r"^[0-9]{1,4}(\.[0-9]{1,3})?$"}]}


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    def read(self, raw: object, place: Place) -> object:
        """The flag; 1 and "yes" are none."""
        return raw if isinstance(raw, bool) else place.wrong("flag", value=shown_as(raw))

    def dump(self, value: object) -> object:
        """The flag itself."""
        return value

    def schema(self) -> JsonSchema:
        """A boolean."""
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class OnlyTrue:
    """True, for a word that says something merely by being there."""

    def read(self, raw: object, place: Place) -> object:
        """True."""
        return True if raw is True else place.wrong("only_true", value=shown_as(raw))

    def dump(self, value: object) -> object:
        """The flag itself."""
        return value

    def schema(self) -> JsonSchema:
        """The one value."""
        return {"const": True}


@dataclass(frozen=True, slots=True)
class Words:
    """One of a few words, each standing for a value."""

    values: Mapping[str, object]

    def read(self, raw: object, place: Place) -> object:
        """The value that the word stands for."""
        if not isinstance(raw, str):
            return place.wrong("text", value=shown_as(raw))
        if raw not in self.values:
            return place.unknown(raw, tuple(self.values))
        return self.values[raw]

    def dump(self, value: object) -> object:
        """The word for a value."""
        return next(word for word, each in self.values.items() if each == value)

    def schema(self) -> JsonSchema:
        """The words."""
        return {"enum": list(self.values)}


def scaled(text: str, digits: int) -> int | None:
    """A plain decimal number times ten to the `digits`; None if that is not whole."""
    found = PLAIN_NUMBER.fullmatch(text)
    if found is None:
        return None
    whole, rest = found[1], (found[2] or "").rstrip("0")
    return None if len(rest) > digits else int(whole + rest.ljust(digits, "0"))


def in_range(number: int, least: int, most: int, place: Place) -> object:
    """The number itself, or None with a note that it is too small or too large."""
    if least <= number <= most:
        return number
    return place.wrong("range", value=shown_as(number), least=least, most=most)
