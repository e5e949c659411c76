"""Hashes and ids as text: lower-case hex digits and nothing else, so that equal means equal."""

from __future__ import annotations

_DIGITS = frozenset("0123456789abcdef")


def is_hex(text: object, size: int) -> bool:
    """Whether `text` is the lower-case hex form of `size` bytes."""
    return isinstance(text, str) and len(text) == 2 * size and _DIGITS.issuperset(text)
