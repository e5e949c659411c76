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
_USER_KANJI_BYTES = 72
_LONG_SECOND = range(0x30, 0x3A)
_WIDE_SECOND = range(0x40, 0xFF)
_UTF8_LEADS = ((range(0xC2, 0xE0), 2), (range(0xE0, 0xF0), 3), (range(0xF0, 0xF5), 4))

TokenKind = Literal["text", "control", "command", "unknown"]
Charset = Literal["single", "gb18030", "big5", "cp932", "utf8"]
"""How bytes of text make characters: one each, or as the named set says."""

_WIDE_FIRST: dict[Charset, frozenset[int]] = {
    "gb18030": frozenset(range(0x81, 0xFF)),
    "big5": frozenset(range(0x81, 0xFF)),
    "cp932": frozenset((*range(0x81, 0xA0), *range(0xE0, 0xFD))),
}
_ARGUMENTS = {
    ESC: {
        0: b"@2<imvLS\x0c",
        1: b"! %-3=?EGJKMRTUVadertu{9",
        2: b"$\\Bc",
        3: b"pC7",
        8: b"W",
    },
    GS: {0: b":c", 1: b"!/BEHITabfhjrwx", 2: b"$LPW\\", 3: b"^z", 4: b"g"},
    FS: {0: b"&.", 1: b"!-CW", 2: b"?Sp"},
    DLE: {1: b"\x05"},
}
_ARGUMENT_BYTES = {
    bytes((lead, letter)): count
    for lead, counts in _ARGUMENTS.items()
    for count, letters in counts.items()
    for letter in letters
}


@dataclass(frozen=True, slots=True)
class Token:
    """One command with its arguments, one control byte or one run of text of `size` bytes."""

    kind: TokenKind
    name: bytes
    data: bytes
    size: int


def next_token(buffer: bytes, at: int, charset: Charset = "single") -> Token | None:
    """Return the token at offset `at`; None while more bytes are needed to know it."""
    lead = buffer[at]
    if lead in _LEADS:
        return _command(buffer, at)
    if _is_control(lead):
        return Token("control", buffer[at : at + 1], b"", 1)
    end = _text_end(buffer, at, charset)
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


def _text_end(buffer: bytes, at: int, charset: Charset) -> int:
    while at < len(buffer):
        if _is_control(buffer[at]):
            break
        step = 1 if charset == "single" else _character_bytes(buffer, at, charset)
        if at + step > len(buffer):
            break
        at += step
    return at


def _character_bytes(buffer: bytes, at: int, charset: Charset) -> int:
    """Length of the character at `at`; past the end while its second byte is missing."""
    if charset == "utf8":
        return next((size for leads, size in _UTF8_LEADS if buffer[at] in leads), 1)
    if buffer[at] not in _WIDE_FIRST[charset]:
        return 1
    if at + 1 >= len(buffer):
        return 2
    second = buffer[at + 1]
    if charset == "gb18030" and second in _LONG_SECOND:
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
    return _to_null(buffer, at)


def _to_null(buffer: bytes, at: int) -> int | None:
    end = buffer.find(b"\x00", at)
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


def _downloaded_image(buffer: bytes, at: int) -> int | None:
    return 2 + buffer[at] * buffer[at + 1] * 8 if len(buffer) >= at + 2 else None


def _stored_images(buffer: bytes, at: int) -> int | None:
    """`FS q`: a count, then that many images, each with its own size."""
    if len(buffer) <= at:
        return None
    size = 1
    for _ in range(buffer[at]):
        across = _little_endian(buffer, at + size, 2)
        down = _little_endian(buffer, at + size + 2, 2)
        if across is None or down is None:
            return None
        size += 4 + across * down * 8
    return size


def _own_characters(buffer: bytes, at: int) -> int | None:
    """`ESC & y c1 c2`: for each character its width and `y` bytes for each of its columns."""
    if len(buffer) < at + 3:
        return None
    size = 3
    for _ in range(buffer[at + 1], buffer[at + 2] + 1):
        if len(buffer) <= at + size:
            return None
        size += 1 + buffer[at] * buffer[at + size]
    return size


def _own_kanji(_buffer: bytes, _at: int) -> int:
    return 2 + _USER_KANJI_BYTES


def _memory(buffer: bytes, at: int) -> int | None:
    """`FS g 1` writes to the printer's memory, `FS g 2` reads it."""
    if len(buffer) <= at or buffer[at] != ord("1"):
        return 8
    count = _little_endian(buffer, at + 6, 2)
    return None if count is None else 8 + count


def _counter(buffer: bytes, at: int) -> int | None:
    if len(buffer) <= at:
        return None
    if buffer[at] == ord(";"):
        end = at
        for _ in range(6):
            end = buffer.find(b";", end) + 1
            if end == 0:
                return None
        return end - at
    return {0: 3, 1: 7, 2: 3}.get(buffer[at] % ord("0"), 1)


def _realtime(buffer: bytes, at: int) -> int | None:
    """`DLE DC4`: its first byte says how many follow."""
    if len(buffer) <= at:
        return None
    return {3: 6, 7: 2, 8: 8}.get(buffer[at], 3)


def _status(buffer: bytes, at: int) -> int | None:
    if len(buffer) <= at:
        return None
    return 2 if buffer[at] in b"\x07\x08\x12" else 1


def _short_code(buffer: bytes, at: int) -> int | None:
    """`ESC Z`, a QR code in one command: three bytes of form, 16-bit length, text."""
    length = _little_endian(buffer, at + 3, 2)
    return None if length is None else 5 + length


_MEASURES: dict[bytes, Callable[[bytes, int], int | None]] = {
    b"\x1b&": _own_characters,
    b"\x1b(": _sized,
    b"\x1b*": _bit_image,
    b"\x1bD": _to_null,
    b"\x1bZ": _short_code,
    b"\x1d(": _sized,
    b"\x1d*": _downloaded_image,
    b"\x1d8": _sized_long,
    b"\x1dC": _counter,
    b"\x1dQ": _raster,
    b"\x1dV": _cut,
    b"\x1dk": _barcode,
    b"\x1dv": _raster,
    b"\x1c(": _sized,
    b"\x1c2": _own_kanji,
    b"\x1cg": _memory,
    b"\x1cq": _stored_images,
    b"\x10\x04": _status,
    b"\x10\x14": _realtime,
}
