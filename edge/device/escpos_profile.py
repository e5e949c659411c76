"""What a receipt printer can do, as `edge.toml` says: paper, character sets, cutter, QR codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast, get_args

from edge.device.paper import COLUMNS_DEFAULT
from edge.settings import PrinterSettings, one_of
from shared.kernel.errors import RefusedError

Cut = Literal["partial", "full", "none"]
Font = Literal["a", "b"]

WIDE_ENCODINGS = ("gb18030", "big5", "cp932", "utf8")
"""Character sets with Chinese or Japanese characters, each two columns wide."""
CODE_PAGES = {
    "cp437": 0,
    "cp850": 2,
    "cp860": 3,
    "cp863": 4,
    "cp865": 5,
    "cp857": 13,
    "cp737": 14,
    "iso8859-7": 15,
    "cp1252": 16,
    "cp866": 17,
    "cp852": 18,
    "cp858": 19,
    "cp775": 33,
    "cp855": 34,
    "cp861": 35,
    "cp869": 38,
    "iso8859-2": 39,
    "iso8859-15": 40,
    "cp1125": 44,
    "cp1250": 45,
    "cp1251": 46,
    "cp1253": 47,
    "cp1254": 48,
    "cp1257": 51,
}
"""Epson's numbers for `ESC t`; makers agree up to 5 and mostly on 16 to 19.

Pages of scripts that run from right to left or stack marks are left out: a printer strikes one
cell after the other, so those are drawn as pictures.
"""
DOTS_PER_COLUMN: dict[Font, int] = {"a": 12, "b": 9}
_PAGE_NUMBER_MAX = 255


@dataclass(frozen=True, slots=True)
class PrinterProfile:
    """One kind of printer.

    `width_chars` columns of `font` fit on the paper, which is `dots` wide (0: what the columns
    take).  `encoding` is one of WIDE_ENCODINGS or CODE_PAGES; `pages` are further code pages with
    the printer's own numbers.  `feed_lines` blank lines come before the cut.
    """

    width_chars: int = COLUMNS_DEFAULT
    encoding: str = "gb18030"
    cut: Cut = "partial"
    dots: int = 0
    pages: tuple[tuple[str, int], ...] = ()
    font: Font = "a"
    has_native_qr: bool = True
    feed_lines: int = 3

    @property
    def is_wide(self) -> bool:
        """Whether it has a double-byte character set or UTF-8."""
        return self.encoding in WIDE_ENCODINGS

    @property
    def paper_dots(self) -> int:
        """Dots across the printable paper."""
        return self.dots or self.width_chars * DOTS_PER_COLUMN[self.font]

    @property
    def page_numbers(self) -> tuple[tuple[str, int], ...]:
        """Code pages in the order they are tried, each with its number for `ESC t`."""
        own = dict(self.pages)
        if self.is_wide:
            return self.pages
        main = own.pop(self.encoding, CODE_PAGES[self.encoding])
        return ((self.encoding, main), *own.items())


def profile_of(settings: PrinterSettings) -> PrinterProfile:
    """How print-outs must be encoded for the configured printer.

    Raises RefusedError `settings.value` when a setting names nothing known.
    """
    one_of("printer.encoding", settings.encoding, (*WIDE_ENCODINGS, *CODE_PAGES))
    one_of("printer.cut", settings.cut, get_args(Cut))
    # Chinese characters of the small font are not two of its columns wide.
    fonts = ("a",) if settings.encoding in WIDE_ENCODINGS else get_args(Font)
    one_of("printer.font", settings.font, fonts)
    return PrinterProfile(
        width_chars=settings.width_chars,
        encoding=settings.encoding,
        cut=cast("Cut", settings.cut),
        dots=settings.dots,
        pages=_pages(settings.code_pages),
        font=cast("Font", settings.font),
        has_native_qr=settings.native_qr,
        feed_lines=settings.feed_lines,
    )


def _pages(text: str) -> tuple[tuple[str, int], ...]:
    """Read "cp437 cp858=19": names of code pages, with the printer's number where it differs."""
    pages = {}
    for word in text.split():
        name, _, number = word.partition("=")
        one_of("printer.code_pages", name, tuple(CODE_PAGES))
        pages[name] = _number(number) if number else CODE_PAGES[name]
    return tuple(pages.items())


def _number(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else -1
    if not 0 <= number <= _PAGE_NUMBER_MAX:
        allowed = f"0-{_PAGE_NUMBER_MAX}"
        raise RefusedError("settings.value", field="printer.code_pages", allowed=allowed)
    return number
