"""Text as bytes of a printer's character sets, and how wide each character is struck.

A printer shows nothing, or something else, for a character that its set lacks.  So each one is
looked up here: in the printer's own set, in its further code pages, then as a near form that it
has (the wide ￥ for ¥, e for ẽ).  What is left is drawn as a picture or struck as a box.

Chinese sets have some accented letters, two columns wide: "Crè me" reads worse than "Creme", so
Latin letters go to a code page or lose their accents first.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from edge.device.escpos_profile import PrinterProfile
from shared.sale.columns import text_columns

_CODECS = {"gb18030": "gb18030", "big5": "cp950", "cp932": "cp932", "utf8": "utf-8"}
_LONG_BYTES = 4
_HAN_EXTENSION_A = range(0x3400, 0x4DB6)
_UTF8_SETS = ("cp1252", "cp437", "cp1250", "cp1251", "cp1253", "cp1254", "cp932", "cp950", "cp949")
_WIDE_FORMS = frozenset({"W", "F"})
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_JOINED = re.compile("\u200d[\u2190-\u2bff\U0001f000-\U0001faff]")
_TONES = re.compile("[\U0001f3fb-\U0001f3ff]")
_JOINLESS = re.compile(
    "[ -~\u00a1-\u00ac\u00ae-\u05ff\u2010-\u2027\u2030-\u205e"
    "\u2070-\u303f\u3041-\ud7ff\uff01-\uffee]*"
)
"""Text without what `printable` drops; most is."""
_ACCENTED = re.compile("[\u00c0-\u024f]")
_GAPS = re.compile(r" +")
_FLAG_LETTERS = {0x1F1E6 + n: chr(0x41 + n) for n in range(26)}
_NEAR_FORMS = {
    "\u00a5": "\uffe5 Y",
    "\uffe5": "\u00a5 Y",
    "\u20ac": "EUR",
    "\u00a3": "\uffe1 GBP",
    "\u00a2": "\uffe0 c",
    "\u3007": "\u25cb 0",
    "\u2014": "\u2015 -",
    "\u2015": "\u2014 -",
    "\u2013": "-",
    "\u2212": "-",
    "\u2018": "'",
    "\u2019": "'",
    "\u201a": ",",
    "\u201c": '"',
    "\u201d": '"',
    "\u201e": '"',
    "\u2022": "\u00b7 *",
    "\u00b7": "\u30fb \u2027 *",
    "\u30fb": "\u00b7 *",
    "\u00d7": "x",
    "\u00df": "ss",
    "\u00e6": "ae",
    "\u00c6": "AE",
    "\u0153": "oe",
    "\u0152": "OE",
    "\u00f8": "o",
    "\u00d8": "O",
    "\u0111": "d",
    "\u0110": "D",
    "\u0142": "l",
    "\u0141": "L",
    "\u0131": "i",
    "\u00f0": "d",
    "\u00fe": "th",
    "\uff5e": "\u301c ~",
    "\u301c": "\uff5e ~",
    "\u3001": ",",
    "\u3002": ".",
    "\u300a": "<",
    "\u300b": ">",
    "\u3010": "[",
    "\u3011": "]",
}
"""Near forms to try before decomposition, best first."""
_WIDE_SIGNS = {"\u00a5": "\uffe5"}
"""Struck wide by a Chinese printer even where a code page has the narrow sign."""
_BOXES = ("\u25a1", "?")
_PICTURE_KINDS = frozenset({"L", "N"})


@dataclass(frozen=True, slots=True, eq=False)
class CharacterSet:
    """What one printer can strike: its own set and further code pages with their numbers.

    Equal ones are the same object (`set_of`): they key the caches below, once per character.
    """

    encoding: str
    pages: tuple[tuple[str, int], ...]

    @property
    def home(self) -> str:
        """The set in force between two lines; "" is the double-byte one."""
        return "" if self.encoding in _CODECS else self.encoding


@dataclass(frozen=True, slots=True)
class Glyph:
    """One character that the printer has: in which set (None: in all), its bytes and width."""

    text: str
    page: str | None
    data: bytes
    columns: int


@dataclass(frozen=True, slots=True)
class StruckText:
    """Text as it will stand on the paper; `lost` characters are boxes.

    `is_drawing_better`: some of those are letters that a picture could show.
    """

    text: str
    columns: int
    lost: int = 0
    is_drawing_better: bool = False


def set_of(profile: PrinterProfile) -> CharacterSet:
    """The characters of a printer."""
    return _set_of(profile.encoding, profile.page_numbers)


@lru_cache(maxsize=64)
def _set_of(encoding: str, pages: tuple[tuple[str, int], ...]) -> CharacterSet:
    return CharacterSet(encoding, pages)


def printable(text: str) -> str:
    """`text` without what commands or only joins: composed characters, no controls, no tones."""
    text = unicodedata.normalize("NFC", _CONTROLS.sub(" ", text))
    if _JOINLESS.fullmatch(text):
        return text
    text = _TONES.sub("", _JOINED.sub("", text)).translate(_FLAG_LETTERS)
    return "".join(each for each in text if not _is_joiner(each))


def _is_joiner(character: str) -> bool:
    return unicodedata.category(character) == "Cf" or 0xFE00 <= ord(character) <= 0xFE0F  # noqa: PLR2004 - variation selectors


def struck(text: str, characters: CharacterSet) -> StruckText:
    """What the printer makes of `printable` text."""
    plain = _plain_bytes(text, characters)
    if plain is not None:
        return StruckText(text, len(plain))
    shown, columns, lost, is_drawing_better = [], 0, 0, False
    for character in text:
        glyphs = _resolved(characters, character)
        if glyphs is None:
            kind = unicodedata.category(character)
            is_drawing_better |= kind[0] in _PICTURE_KINDS or kind == "Sc"
            glyphs = () if kind[0] == "M" else _box(characters)
            lost += 1
        for glyph in glyphs:
            shown.append(glyph.text)
            columns += glyph.columns
    return StruckText("".join(shown), columns, lost, is_drawing_better)


def _plain_bytes(text: str, characters: CharacterSet) -> bytes | None:
    """The bytes of ASCII and common Chinese, one per column; None for what needs a closer look."""
    if text.isascii():
        return text.encode("ascii")
    if characters.encoding != "gb18030" or _ACCENTED.search(text):
        return None
    data = text.encode("gb18030", errors="replace")
    return data if data == text.encode("gb2312", errors="ignore") else None


def fitted(text: str, row: StruckText, columns: int) -> str:
    """`row` with its widest gap changed so that an amount at the right edge stays there.

    Layouts count columns by Unicode's widths of `text`; the printer's own differ: é is one column
    in a code page, two in a Chinese set.
    """
    excess = row.columns - columns
    if excess == 0:
        return row.text
    is_full = text_columns(text) == columns
    if excess < 0 and not is_full:
        return row.text
    gaps = [
        gap.span() for gap in _GAPS.finditer(row.text) if is_full or gap.end() - gap.start() > 1
    ]
    if not gaps:
        return row.text
    start, end = max(gaps, key=lambda gap: (gap[1] - gap[0], gap[0]))
    return row.text[:start] + " " * max(end - start - excess, 1) + row.text[end:]


def text_bytes(text: str, characters: CharacterSet) -> bytes:
    """Bytes of `struck` text, which begin and end in the printer's home set."""
    plain = _plain_bytes(text, characters)
    if plain is not None:
        return plain
    home = page = characters.home
    parts = []
    for character in text:
        glyph = _glyph(characters, character)
        assert glyph is not None  # `struck` has left only what the printer has
        if glyph.page is not None and glyph.page != page:
            parts.append(_switch(characters, page, glyph.page))
            page = glyph.page
        parts.append(glyph.data)
    if page != home:
        parts.append(_switch(characters, page, home))
    return b"".join(parts)


def home_bytes(characters: CharacterSet) -> bytes:
    """Commands that put a printer that was just initialised into its home set."""
    american = b"\x1bR\x00"
    return (
        american + _ENTER[characters.encoding]
        if characters.home == ""
        else (american + b"\x1c." + _page_select(characters, characters.home))
    )


_ENTER = {
    "gb18030": b"\x1c&",
    "big5": b"\x1c&",
    "cp932": b"\x1cC\x01\x1bt\x01",
    "utf8": b"\x1c(C\x02\x000\x02",
}
_LEAVE = {
    "gb18030": b"\x1c.",
    "big5": b"\x1c.",
    "cp932": b"\x1cC\x00\x1c.",
    "utf8": b"\x1c(C\x02\x000\x01",
}


def _switch(characters: CharacterSet, page: str, wanted: str) -> bytes:
    if wanted == "":
        return _ENTER[characters.encoding]
    leave = _LEAVE[characters.encoding] if page == "" else b""
    return leave + _page_select(characters, wanted)


def _page_select(characters: CharacterSet, page: str) -> bytes:
    return b"\x1bt" + bytes((dict(characters.pages)[page],))


@lru_cache(maxsize=8192)
def _glyph(characters: CharacterSet, character: str) -> Glyph | None:
    """Where the printer has this character; some sets of Windows take a wide form for it."""
    if character.isascii():
        return Glyph(character, None, character.encode("ascii"), 1)
    if characters.home == "" and not _is_latin_in_a_page(characters, character):
        data = _wide_bytes(characters.encoding, character)
        if data:
            shown = data.decode(_CODECS[characters.encoding])
            return Glyph(shown, "", data, _wide_columns(characters.encoding, shown, data))
    for page, _ in characters.pages:
        data = _encoded(character, page)
        if data:
            return Glyph(character, page, data, 1)
    return None


def _is_latin_in_a_page(characters: CharacterSet, character: str) -> bool:
    is_latin = unicodedata.name(character, "").startswith("LATIN")
    return is_latin and any(_encoded(character, page) for page, _ in characters.pages)


@lru_cache(maxsize=8192)
def _resolved(characters: CharacterSet, character: str) -> tuple[Glyph, ...] | None:
    """The character itself or the nearest form that the printer has; None when it has neither."""
    wide = _WIDE_SIGNS.get(character, "") if characters.home == "" else ""
    forms = (wide, character, *_NEAR_FORMS.get(character, "").split(" "), *_decomposed(character))
    found = [glyphs for form in forms if (glyphs := _glyphs(characters, form))]
    if not found:
        return None
    if characters.home == "" and unicodedata.name(character, "").startswith("LATIN"):
        narrow = (each for each in found if all(glyph.columns == 1 for glyph in each))
        return next(narrow, found[0])
    return found[0]


def _glyphs(characters: CharacterSet, form: str) -> tuple[Glyph, ...]:
    """All characters of a form, or none when the printer lacks one."""
    glyphs = [_glyph(characters, each) for each in form]
    return tuple(glyph for glyph in glyphs if glyph is not None) if None not in glyphs else ()


def _decomposed(character: str) -> Sequence[str]:
    compatible = unicodedata.normalize("NFKC", character)
    parts = unicodedata.normalize("NFKD", character)
    bare = "".join(each for each in parts if not unicodedata.combining(each))
    return compatible, bare, *(_NEAR_FORMS.get(bare, "").split(" "))


def _box(characters: CharacterSet) -> tuple[Glyph, ...]:
    return next(found for box in _BOXES if (found := _resolved(characters, box)) is not None)


def _wide_bytes(encoding: str, character: str) -> bytes:
    """The bytes in a double-byte set; none where the set or the usual fonts lack it."""
    data = _encoded(character, _CODECS[encoding])
    if unicodedata.category(character) == "Co":
        return b""
    if encoding == "gb18030" and len(data) == _LONG_BYTES:
        # Of the four-byte codes, fonts of printers have these alone.
        return data if ord(character) in _HAN_EXTENSION_A else b""
    if encoding == "utf8":
        return data if any(_encoded(character, each) for each in _UTF8_SETS) else b""
    return data


def _wide_columns(encoding: str, character: str, data: bytes) -> int:
    if encoding == "utf8":
        return 2 if unicodedata.east_asian_width(character) in _WIDE_FORMS else 1
    return min(len(data), 2)


def _encoded(character: str, codec: str) -> bytes:
    try:
        data = character.encode(codec)
    except UnicodeEncodeError:
        return b""
    # Some code pages have controls in their upper half, which printers take for characters.
    return data if unicodedata.category(character) != "Cc" else b""
