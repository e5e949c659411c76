"""The registers of a printer: which characters bytes mean, how they are struck."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field

from edge.device.escpos_grammar import Charset
from edge.device.escpos_profile import CODE_PAGES
from edge.device.paper import Align, Style
from edge.device.paper_raster import Raster

_CODECS: dict[Charset, str] = {
    "gb18030": "gb18030",
    "big5": "cp950",
    "cp932": "cp932",
    "utf8": "utf-8",
}
_PAGE_NAMES = {number: name for name, number in CODE_PAGES.items()}
_KATAKANA_PAGE = 1
_KATAKANA = range(0xA1, 0xE0)
_KATAKANA_OFFSET = 0xFF61 - 0xA1
_HALF_WIDTH = range(0xFF61, 0xFFA0)
_WIDE_FORMS = frozenset({"W", "F"})


@dataclass(slots=True)
class Mode:
    """What `ESC @` puts back: character set, alignment, style, and what waits to be printed."""

    is_wide: bool = False
    is_utf8: bool = False
    is_shift_jis: bool = False
    page: int = 0
    align: Align = "left"
    style: Style = field(default_factory=Style)
    wide_scale: tuple[int, int] = (1, 1)
    qr_data: str = ""
    graphics: Raster | None = None
    downloaded: Raster | None = None

    def charset(self, own: Charset) -> Charset:
        """How text is cut into characters, on a printer whose double-byte set is `own`."""
        if self.is_utf8:
            return "utf8"
        if self.is_shift_jis:
            return "cp932"
        return own if self.is_wide else "single"

    def characters(self, data: bytes, own: Charset) -> list[tuple[str, int]]:
        """The characters of a run of text, each with its columns: 1 or 2."""
        charset = self.charset(own)
        if charset == "single":
            return [(character, 1) for character in _single(data, self.page)]
        text = data.decode(_CODECS[charset], errors="replace")
        return [(character, _columns(character, charset)) for character in text]


def _single(data: bytes, page: int) -> str:
    if page == _KATAKANA_PAGE:
        return "".join(
            chr(byte + 0xFEC0) if byte in _KATAKANA else _single(bytes((byte,)), 0) for byte in data
        )
    return data.decode(_PAGE_NAMES.get(page, "cp437"), errors="replace")


def _katakana(character: str, byte: int) -> str:
    return chr(byte + _KATAKANA_OFFSET) if byte in _KATAKANA else character


def _columns(character: str, charset: Charset) -> int:
    """A double-byte set strikes all but ASCII wide; others go by the character."""
    if character.isascii():
        return 1
    if charset == "utf8":
        return 2 if unicodedata.east_asian_width(character) in _WIDE_FORMS else 1
    return 1 if charset == "cp932" and ord(character) in _HALF_WIDTH else 2
