"""Quantity is a whole number of thousandths (`_milli`): 1000 is one piece or one kilogram."""

from __future__ import annotations

ONE_MILLI = 1000
QTY_MILLI_MAX = 9_999_000


def round_half_up(numerator: int, denominator: int) -> int:
    """`numerator / denominator` to the nearest whole number, halves away from zero."""
    if denominator <= 0:
        raise ValueError("the denominator must be positive")
    sign = -1 if numerator < 0 else 1
    return sign * ((2 * abs(numerator) + denominator) // (2 * denominator))


def extended_minor(unit_minor: int, qty_milli: int) -> int:
    """Unit price times quantity in minor units, rounded half-up once."""
    amount = unit_minor * qty_milli
    if amount < 0:
        return round_half_up(amount, ONE_MILLI)
    return (amount + ONE_MILLI // 2) // ONE_MILLI  # the same, where each line of a basket asks


def format_milli(qty_milli: int) -> str:
    """Text without trailing zeros: "3" for 3000, "0.355" for 355."""
    sign = "-" if qty_milli < 0 else ""
    whole, rest = divmod(abs(qty_milli), ONE_MILLI)
    if rest == 0:
        return f"{sign}{whole}"
    return f"{sign}{whole}.{rest:03d}".rstrip("0")


def format_weight(milli: int, unit: str) -> str:
    """A weight as scales show it, with all its decimals: "0.500kg"."""
    return f"{milli // ONE_MILLI}.{milli % ONE_MILLI:03d}{unit}"
