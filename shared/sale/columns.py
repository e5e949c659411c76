"""Text in columns of a receipt printer, where a Han character is two columns wide."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

WIDE = frozenset({"W", "F", "A"})
"""Chinese printers strike what Unicode calls ambiguous (quotes, dashes, accents) wide too."""
COLUMNS_MIN = 2


def char_columns(char: str) -> int:
    """Columns of one character (Unicode East Asian Width, UAX 11); combining marks take none."""
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in WIDE else 1


def text_columns(text: str) -> int:
    """Columns that a text takes."""
    if text.isascii():
        return len(text)
    return sum(char_columns(char) for char in text)


def clip(text: str, columns: int) -> str:
    """The longest beginning of a text that fits."""
    if text_columns(text) <= columns:
        return text
    taken = 0
    for place, char in enumerate(text):
        taken += char_columns(char)
        if taken > columns:
            return text[:place]
    return text


def wrap(text: str, columns: int) -> Iterator[str]:
    """Pieces of a text that each fit; breaks at the last space of a piece where there is one."""
    assert columns >= COLUMNS_MIN  # else a wide character never fits
    rest = text.rstrip()
    while text_columns(rest) > columns:
        piece = clip(rest, columns)
        place = len(piece) if rest[len(piece)] == " " else piece.rfind(" ")
        if place > columns // 2:
            piece = piece[:place]
        yield piece.rstrip()
        rest = rest[len(piece) :].lstrip()
    yield rest


def spread(left: str, right: str, columns: int) -> str:
    """Left and right text on one row; the left one gives way when both do not fit."""
    right = clip(right, columns)
    room = columns - text_columns(right) - 1
    left = clip(left, max(room, 0))
    gap = columns - text_columns(left) - text_columns(right)
    return f"{left}{' ' * gap}{right}"


def rows(left: str, right: str, columns: int) -> Iterator[str]:
    """Left and right text on one row, or below each other where one row would lose some."""
    if text_columns(left) + 1 + text_columns(right) > columns:
        yield from wrap(left, columns)
        left = ""
    yield spread(left, right, columns)
