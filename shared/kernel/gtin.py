"""GTIN: the GS1 key of a trade item (GS1 General Specifications, section 7.9)."""

from __future__ import annotations

from typing import NewType

from shared.kernel.errors import RefusedError

Gtin = NewType("Gtin", str)
"""13 digits (shorter codes zero-padded on the left); 14 when the indicator digit is not 0."""

GTIN_14 = 14
EAN_13 = 13
EAN_8 = 8
GTIN_LENGTHS = frozenset({8, 12, 13, 14})


def check_digit(body: str) -> str:
    """The GS1 mod-10 check digit of `body` (the code without its last digit)."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(body[::-1]))
    return str(-total % 10)


def parse_gtin(text: str) -> Gtin:
    """Canonical GTIN of an EAN-8, UPC-A, EAN-13 or GTIN-14 as scanned or typed.

    Raises RefusedError `barcode.characters`, `barcode.length` or `barcode.check_digit`.
    """
    if not (text.isascii() and text.isdigit()):
        raise RefusedError("barcode.characters", code=text[:40])
    if len(text) not in GTIN_LENGTHS:
        raise RefusedError("barcode.length", code=text[:40], length=len(text))
    if check_digit(text[:-1]) != text[-1]:
        raise RefusedError("barcode.check_digit", code=text)
    return canonical_gtin(text)


def canonical_gtin(digits: str) -> Gtin:
    """Zero-pad to 13 digits; drop the indicator of a GTIN-14 when it is 0."""
    if len(digits) == GTIN_14:
        return Gtin(digits[1:] if digits[0] == "0" else digits)
    return Gtin(digits.zfill(EAN_13))


def expand_upc_e(digits: str) -> str:
    """The UPC-A (12 digits) that the eight digits of a UPC-E stand for; its noughts come back.

    RefusedError as `parse_gtin`; `barcode.length` also when the first digit is neither 0 nor 1.
    """
    if not (digits.isascii() and digits.isdigit()):
        raise RefusedError("barcode.characters", code=digits[:40])
    if len(digits) != EAN_8 or digits[0] not in "01":
        raise RefusedError("barcode.length", code=digits[:40], length=len(digits))
    system, maker, last, check = digits[0], digits[1:6], digits[6], digits[7]
    if last in "012":
        body = maker[:2] + last + "0000" + maker[2:]
    elif last == "3":
        body = maker[:3] + "00000" + maker[3:]
    elif last == "4":
        body = maker[:4] + "00000" + maker[4:]
    else:
        body = maker + "0000" + last
    if check_digit(system + body) != check:
        raise RefusedError("barcode.check_digit", code=digits)
    return system + body + check
