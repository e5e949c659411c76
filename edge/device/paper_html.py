"""A paper as HTML: one element per row, classes for style, no inline style or script.

Codes are drawn as a printer draws them, so that a phone can read them off the screen.  Every
Chinese character sits in a box of two columns, so that rows line up whatever font a browser has.
The classes are drawn by `virtual_page/paper.css`.
"""

from __future__ import annotations

from base64 import b64encode
from html import escape

from edge.device.paper import DOTS_PER_COLUMN, ImageRow, Paper, Row, Span, SymbolRow
from edge.device.paper_raster import Raster, png_of
from edge.device.paper_symbols import symbol_raster

_COLUMN_PX = 7.8
"""Width of a column in the style sheet's font."""


def paper_html(paper: Paper) -> str:
    """One `<article class="paper">` of `paper`."""
    cut = "cut" if paper.is_cut else "torn"
    dots = paper.columns * DOTS_PER_COLUMN
    rows = "".join(_row(row, dots) for row in paper.rows)
    return f'<article class="paper {cut} c{paper.columns}">{rows}</article>'


def _row(row: Row, dots: int) -> str:
    if isinstance(row, SymbolRow):
        return f'<div class="row {row.align} symbol">{_symbol(row, dots)}</div>'
    if isinstance(row, ImageRow):
        return f'<div class="row {row.align} drawn">{_image(row.raster)}</div>'
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


def _symbol(row: SymbolRow, dots: int) -> str:
    raster = symbol_raster(row, dots)
    mark = "" if raster is None else _image(raster)
    return f"{mark}{_caption(row)}"


def _caption(row: SymbolRow) -> str:
    """What a reader would read; an address can be followed, as a phone would."""
    text = escape(row.data)
    if row.kind == "qr" and row.data.startswith(("https://", "http://")):
        return f'<a class="caption" href="{text}" target="_blank" rel="noreferrer">{text}</a>'
    return f'<span class="caption">{text}</span>'
