"""A paper as HTML: one element per row, classes for style, no inline style or script.

Every Chinese character sits in a box of two columns, so that rows line up whatever font a
browser has.  The classes are drawn by `virtual_page/paper.css`.
"""

from __future__ import annotations

from base64 import b64encode
from html import escape

from edge.device.paper import DOTS_PER_COLUMN, ImageRow, Paper, Row, Span, SymbolRow
from edge.device.paper_raster import Raster, png_of
from shared.kernel.errors import RefusedError
from shared.kernel.gtin import parse_gtin

_EAN13_DIGITS = 13
_COLUMN_PX = 7.8
"""Width of a column in the style sheet's font."""
_LEFT_ODD = (
    "0001101",
    "0011001",
    "0010011",
    "0111101",
    "0100011",
    "0110001",
    "0101111",
    "0111011",
    "0110111",
    "0001011",
)
"""Left odd parity modules of the ten digits (GS1 General Specifications, figure 5.2.1.2.1-1)."""
_PARITY = (
    "OOOOOO",
    "OOEOEE",
    "OOEEOE",
    "OOEEEO",
    "OEOOEE",
    "OEEOOE",
    "OEEEOO",
    "OEOEOE",
    "OEOEEO",
    "OEEOEO",
)
"""Parity of the six left digits, which spells the first digit."""


def paper_html(paper: Paper) -> str:
    """One `<article class="paper">` of `paper`."""
    cut = "cut" if paper.is_cut else "torn"
    rows = "".join(_row(row) for row in paper.rows)
    return f'<article class="paper {cut} c{paper.columns}">{rows}</article>'


def _row(row: Row) -> str:
    if isinstance(row, SymbolRow):
        return f'<div class="row {row.align} symbol">{_symbol(row)}</div>'
    if isinstance(row, ImageRow):
        return f'<div class="row {row.align} symbol">{_image(row.raster)}</div>'
    height = max((span.style.height for span in row.spans), default=1)
    tall = " tall" if height > 1 else ""
    spans = "".join(_span(span) for span in row.spans) or " "
    return f'<div class="row {row.align}{tall}">{spans}</div>'


def _span(span: Span) -> str:
    style = span.style
    marks = {
        "b": style.is_bold,
        "u": style.is_underlined,
        "inv": style.is_inverse,
        "small": style.is_small,
        "big": style.width > 1 and style.height > 1,
        "wide": style.width > 1 and style.height == 1,
        "high": style.width == 1 and style.height > 1,
    }
    classes = " ".join(name for name, is_on in marks.items() if is_on)
    text = escape(span.text) if span.cell == 1 else "".join(_box(each) for each in span.text)
    return f'<span class="{classes}">{text}</span>' if classes else f"<span>{text}</span>"


def _box(character: str) -> str:
    return f"<i>{escape(character)}</i>"


def _image(raster: Raster) -> str:
    width = round(raster.width / DOTS_PER_COLUMN * _COLUMN_PX)
    source = b64encode(png_of(raster)).decode("ascii")
    return f'<img class="picture" alt="" width="{width}" src="data:image/png;base64,{source}">'


def _symbol(row: SymbolRow) -> str:
    bars = ean13_modules(row.data) if row.kind == "ean13" else None
    caption = _caption(row)
    if bars is None:
        return f'<span class="mark {row.kind}" title="{escape(row.kind)}"></span>{caption}'
    strokes = "".join(
        f'<rect x="{at}" width="1" height="40"/>' for at, bar in enumerate(bars) if bar == "1"
    )
    view = f'viewBox="-9 0 {len(bars) + 16} 40"'
    return f'<svg class="bars" {view} role="img" aria-hidden="true">{strokes}</svg>{caption}'


def _caption(row: SymbolRow) -> str:
    """What a reader would read; an address can be followed, as a phone would."""
    text = escape(row.data)
    if row.kind == "qr" and row.data.startswith(("https://", "http://")):
        return f'<a class="caption" href="{text}" target="_blank" rel="noreferrer">{text}</a>'
    return f'<span class="caption">{text}</span>'


def ean13_modules(code: str) -> str | None:
    """The 95 modules of an EAN-13 symbol, 1 for a bar; None when `code` is none."""
    try:
        parse_gtin(code)
    except RefusedError:
        return None
    if len(code) != _EAN13_DIGITS:
        return None
    digits = [int(digit) for digit in code]
    left = "".join(
        _left(digit, parity) for digit, parity in zip(digits[1:7], _PARITY[digits[0]], strict=True)
    )
    right = "".join(_inverted(_LEFT_ODD[digit]) for digit in digits[7:])
    return f"101{left}01010{right}101"


def _left(digit: int, parity: str) -> str:
    odd = _LEFT_ODD[digit]
    return odd if parity == "O" else _inverted(odd)[::-1]


def _inverted(modules: str) -> str:
    return modules.translate(str.maketrans("01", "10"))
