"""Paper as a thermal printer would burn it, dot by dot: for golden tests and for the eye."""

from __future__ import annotations

import hashlib
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from edge.device.paper import DOTS_PER_COLUMN, ImageRow, Paper, Row, Span, Style, SymbolRow, TextRow
from edge.device.paper_raster import Raster
from edge.device.paper_symbols import symbol_raster
from tests.lab.debian import WQY_FONT

ROW_DOTS = 30
BLACK, WHITE = 0, 255
_GLYPH_DOTS = 22
_ASCENT_DOTS = 21
_TOP_DOTS = 3
_FONT_NUMBER = 1
"""The font's face with fixed columns: Chinese characters are two of them wide."""
_SMALL = 3 / 4
_DARK = 128


def has_font() -> bool:
    """Whether the font is here that the committed pictures were drawn with (or another version)."""
    return WQY_FONT.is_file()


def font_digest() -> str:
    """Which version of the font is here: pictures of two versions differ in their dots."""
    return hashlib.sha256(WQY_FONT.read_bytes()).hexdigest()


def render(paper: Paper) -> Image.Image:
    """The paper as a picture of one bit per dot."""
    dots = paper.columns * DOTS_PER_COLUMN
    strips = [_strip(row, dots) for row in paper.rows]
    page = Image.new("1", (dots, sum(strip.height for strip in strips) or 1), WHITE)
    top = 0
    for strip in strips:
        page.paste(strip, (0, top))
        top += strip.height
    return page


def row_tops(paper: Paper) -> list[int]:
    """Where each row begins in the picture, and where the last one ends."""
    tops = [0]
    for row in paper.rows:
        tops.append(tops[-1] + _strip(row, paper.columns * DOTS_PER_COLUMN).height)
    return tops


@lru_cache(maxsize=512)
def _strip(row: Row, dots: int) -> Image.Image:
    if isinstance(row, TextRow):
        return _text_strip(row, dots)
    if isinstance(row, ImageRow):
        return _placed(_picture(row.raster), row.align, dots)
    return _symbol_strip(row, dots)


def _text_strip(row: TextRow, dots: int) -> Image.Image:
    height = max((span.style.height for span in row.spans), default=1)
    used = sum(_span_dots(span) for span in row.spans)
    strip = Image.new("1", (dots, ROW_DOTS * height), WHITE)
    left = _left(used, row.align, dots)
    for span in row.spans:
        cell = _span_dots(span) // len(span.text)
        for character in span.text:
            glyph = _struck(character, span.style, span.cell, cell)
            strip.paste(glyph, (left, strip.height - glyph.height))
            left += cell
    return strip


def _span_dots(span: Span) -> int:
    cell = DOTS_PER_COLUMN * span.cell * span.style.width
    return len(span.text) * int(cell * _SMALL if span.style.is_small else cell)


@lru_cache(maxsize=2048)
def _struck(character: str, style: Style, columns: int, cell: int) -> Image.Image:
    """One character in its cell: drawn at normal size, then stretched as printers do."""
    normal = DOTS_PER_COLUMN * columns
    glyph = Image.new("L", (normal, ROW_DOTS), WHITE)
    pen = ImageDraw.Draw(glyph)
    for shift in (0, 1) if style.is_bold else (0,):
        pen.text(
            (shift, _TOP_DOTS + _ASCENT_DOTS), character, fill=BLACK, font=_font(), anchor="ls"
        )
    if style.is_underlined:
        pen.line((0, ROW_DOTS - 2, normal, ROW_DOTS - 2), fill=BLACK, width=1)
    if style.is_inverse:
        glyph = glyph.point(lambda shade: WHITE - shade)
    stretched = glyph.resize((cell, ROW_DOTS * style.height), Image.Resampling.NEAREST)
    return stretched.point(lambda shade: WHITE if shade > _DARK else BLACK).convert("1")


@lru_cache(maxsize=1)
def _font() -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(WQY_FONT), _GLYPH_DOTS, index=_FONT_NUMBER)


def _symbol_strip(row: SymbolRow, dots: int) -> Image.Image:
    raster = symbol_raster(row, dots)
    assert raster is not None, row
    marks = _placed(_picture(raster), row.align, dots)
    if row.kind == "qr":
        return marks
    caption = Span(row.data, Style())
    below = _text_strip(TextRow((caption,), row.align), dots)
    strip = Image.new("1", (dots, marks.height + below.height), WHITE)
    strip.paste(marks, (0, 0))
    strip.paste(below, (0, marks.height))
    return strip


def _picture(raster: Raster) -> Image.Image:
    packed = Image.frombytes("1", (raster.row_bytes * 8, raster.height), raster.data)
    return packed.crop((0, 0, raster.width, raster.height)).point(lambda dot: WHITE - dot)


def _placed(picture: Image.Image, align: str, dots: int) -> Image.Image:
    strip = Image.new("1", (dots, picture.height), WHITE)
    strip.paste(picture, (_left(picture.width, align, dots), 0))
    return strip


def _left(used: int, align: str, dots: int) -> int:
    spare = max(dots - used, 0)
    return {"left": 0, "center": spare // 2}.get(align, spare)
