"""North American coupon codes inside GS1 data: AI (8110), and (8112) for positive offers.

Each field that varies in length has a digit before it that tells the length.
"""

from __future__ import annotations

from collections.abc import Callable

from shared.item.gs1_date import is_yymmdd


class _MalformedError(ValueError):
    """The digits are no coupon."""


class _Digits:
    """Takes fields off the front of a text of digits."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    @property
    def is_done(self) -> bool:
        """Whether nothing is left."""
        return self._at == len(self._text)

    def take(self, length: int) -> str:
        """The next digits."""
        field = self._text[self._at : self._at + length]
        if len(field) < length or not field.isdigit():
            raise _MalformedError(field)
        self._at += length
        return field

    def one_of(self, allowed: str) -> str:
        """One digit out of those."""
        digit = self.take(1)
        if digit not in allowed:
            raise _MalformedError(digit)
        return digit

    def counted(self, allowed: str, shortest: int) -> None:
        """A length digit, then that many digits beyond the shortest."""
        self.take(int(self.one_of(allowed)) + shortest)


def is_coupon(text: str) -> bool:
    """Whether the data of AI (8110) is well formed."""
    return text.isascii() and _is_read(text, _coupon)


def is_positive_offer(text: str) -> bool:
    """Whether the data of AI (8112) is well formed."""
    return text.isascii() and _is_read(text, _positive_offer)


def _is_read(text: str, read: Callable[[_Digits], None]) -> bool:
    digits = _Digits(text)
    try:
        read(digits)
    except _MalformedError:
        return False
    return digits.is_done


def _coupon(digits: _Digits) -> None:
    digits.counted("0123456", 6)  # who pays for it
    digits.take(6)  # the offer
    digits.counted("12345", 0)  # what it saves
    _purchase(digits)
    last = 0
    while not digits.is_done:
        field = int(digits.one_of("1234569"))
        if field <= last:
            raise _MalformedError(field)
        last = field
        _OPTIONAL[field](digits)


def _purchase(digits: _Digits) -> None:
    digits.counted("12345", 0)
    digits.one_of("012349")
    digits.take(3)  # the family of goods


def _further_purchase(digits: _Digits) -> None:
    _purchase(digits)
    if (length := digits.one_of("01234569")) != "9":  # 9: the same maker
        digits.take(int(length) + 6)


def _second_purchase(digits: _Digits) -> None:
    digits.one_of("0123")
    _further_purchase(digits)


def _date(digits: _Digits) -> None:
    if not is_yymmdd(digits.take(6)):
        raise _MalformedError


def _miscellaneous(digits: _Digits) -> None:
    digits.one_of("01256")
    digits.one_of("012")
    digits.take(1)
    digits.one_of("01")


_OPTIONAL = {
    1: _second_purchase,
    2: _further_purchase,
    3: _date,
    4: _date,
    5: lambda digits: digits.counted("0123456789", 6),
    6: lambda digits: digits.counted("1234567", 6),
    9: _miscellaneous,
}


def _positive_offer(digits: _Digits) -> None:
    digits.one_of("01")
    digits.counted("0123456", 6)
    digits.take(6)
    digits.counted("0123456789", 6)
