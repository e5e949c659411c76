"""Where one ESC/POS command ends and the next begins.

Epson publishes the commands; receipt printers of many makers take the subset in these tables.
A command that is not in them is reported as unknown and costs its two lead bytes, so that a
stranger's job still shows most of its text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

ESC, GS, FS, DLE = 0x1B, 0x1D, 0x1C, 0x10
_LEADS = frozenset({ESC, GS, FS, DLE})
_FIRST_PRINTABLE, _DELETE = 0x20, 0x7F
_BARCODE_TERMINATED_MAX = 0x40
_BIT_IMAGE_24_DOTS = 0x20
_WIDE_FIRST = range(0x81, 0xFF)
_WIDE_SECOND = range(0x40, 0xFF)
_LONG_SECOND = range(0x30, 0x3A)

TokenKind = Literal["text", "control", "command", "unknown"]


@dataclass(frozen=True, slots=True)
class Token:
    """One command with its arguments, one control byte or one run of text of `size` bytes."""

    kind: TokenKind
    name: bytes
    data: bytes
    size: int


_ARGUMENT_BYTES: dict[bytes, int] = {
    b"\x1b@": 0,
    b"\x1b!": 1,
    b"\x1ba": 1,
    b"\x1bE": 1,
    b"\x1bG": 1,
    b"\x1b-": 1,
    b"\x1bd": 1,
    b"\x1bJ": 1,
    b"\x1bM": 1,
    b"\x1bt": 1,
    b"\x1bR": 1,
    b"\x1bV": 1,
    b"\x1b{": 1,
    b"\x1b ": 1,
    b"\x1b2": 0,
    b"\x1b3": 1,
    b"\x1b=": 1,
    b"\x1bi": 0,
    b"\x1bm": 0,
    b"\x1bp": 3,
    b"\x1bB": 2,
    b"\x1bc": 2,
    b"\x1b$": 2,
    b"\x1b\\": 2,
    b"\x1d!": 1,
    b"\x1dB": 1,
    b"\x1dH": 1,
    b"\x1dI": 1,
    b"\x1dL": 2,
    b"\x1dP": 2,
    b"\x1dW": 2,
    b"\x1da": 1,
    b"\x1db": 1,
    b"\x1df": 1,
    b"\x1dh": 1,
    b"\x1dr": 1,
    b"\x1dw": 1,
    b"\x1c&": 0,
    b"\x1c.": 0,
    b"\x1c!": 1,
    b"\x1c-": 1,
    b"\x1cC": 1,
    b"\x1cS": 2,
    b"\x1cW": 1,
    b"\x10\x04": 1,
    b"\x10\x05": 1,
    b"\x10\x14": 3,
}


def next_token(buffer: bytes, at: int, *, is_chinese: bool) -> Token | None:
    """Return the token at offset `at`; None while more bytes are needed to know it."""
    lead = buffer[at]
    if lead in _LEADS:
        return _command(buffer, at)
    if _is_control(lead):
        return Token("control", buffer[at : at + 1], b"", 1)
    end = _text_end(buffer, at, is_chinese=is_chinese)
    return Token("text", b"", buffer[at:end], end - at) if end > at else None


def _is_control(byte: int) -> bool:
    return byte < _FIRST_PRINTABLE or byte == _DELETE


def _command(buffer: bytes, at: int) -> Token | None:
    if len(buffer) < at + 2:
        return None
    name = buffer[at : at + 2]
    fixed = _ARGUMENT_BYTES.get(name)
    if fixed is None:
        measure = _MEASURES.get(name)
        if measure is None:
            return Token("unknown", name, b"", 2)
        fixed = measure(buffer, at + 2)
    end = at + 2 + fixed if fixed is not None else len(buffer) + 1
    if end > len(buffer):
        return None
    return Token("command", name, buffer[at + 2 : end], end - at)


def _text_end(buffer: bytes, at: int, *, is_chinese: bool) -> int:
    while at < len(buffer):
        if _is_control(buffer[at]):
            break
        step = _character_bytes(buffer, at) if is_chinese else 1
        if at + step > len(buffer):
            break
        at += step
    return at


def _character_bytes(buffer: bytes, at: int) -> int:
    """Length of the GB18030 character at `at`; past the end while its second byte is missing."""
    if buffer[at] not in _WIDE_FIRST:
        return 1
    if at + 1 >= len(buffer):
        return 2
    second = buffer[at + 1]
    if second in _LONG_SECOND:
        return 4
    return 2 if second in _WIDE_SECOND else 1


def _little_endian(buffer: bytes, at: int, count: int) -> int | None:
    if len(buffer) < at + count:
        return None
    return int.from_bytes(buffer[at : at + count], "little")


def _cut(buffer: bytes, at: int) -> int | None:
    if len(buffer) <= at:
        return None
    return 1 if buffer[at] in b"\x00\x0101" else 2


def _barcode(buffer: bytes, at: int) -> int | None:
    if len(buffer) < at + 2:
        return None
    if buffer[at] > _BARCODE_TERMINATED_MAX:
        return 2 + buffer[at + 1]
    end = buffer.find(b"\x00", at + 1)
    return None if end < 0 else end + 1 - at


def _sized(buffer: bytes, at: int) -> int | None:
    """`GS ( k`, `GS ( L` and their family: function letter, 16-bit length, body."""
    length = _little_endian(buffer, at + 1, 2)
    return None if length is None else 3 + length


def _sized_long(buffer: bytes, at: int) -> int | None:
    length = _little_endian(buffer, at + 1, 4)
    return None if length is None else 5 + length


def _raster(buffer: bytes, at: int) -> int | None:
    across, down = _little_endian(buffer, at + 2, 2), _little_endian(buffer, at + 4, 2)
    return None if across is None or down is None else 6 + across * down


def _bit_image(buffer: bytes, at: int) -> int | None:
    columns = _little_endian(buffer, at + 1, 2)
    if columns is None:
        return None
    return 3 + columns * (3 if buffer[at] >= _BIT_IMAGE_24_DOTS else 1)


def _tab_stops(buffer: bytes, at: int) -> int | None:
    end = buffer.find(b"\x00", at)
    return None if end < 0 else end + 1 - at


_MEASURES: dict[bytes, Callable[[bytes, int], int | None]] = {
    b"\x1b*": _bit_image,
    b"\x1bD": _tab_stops,
    b"\x1dV": _cut,
    b"\x1dk": _barcode,
    b"\x1d(": _sized,
    b"\x1c(": _sized,
    b"\x1d8": _sized_long,
    b"\x1dv": _raster,
}
