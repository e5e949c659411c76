"""Draws one set-up sheet: the only user of reportlab in the store."""

from __future__ import annotations

from io import BytesIO

from reportlab.graphics import renderPDF
from reportlab.graphics.barcode.code128 import Code128
from reportlab.graphics.barcode.eanbc import Ean13BarcodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

_HAN, _LATIN, _LATIN_BOLD = "STSong-Light", "Helvetica", "Helvetica-Bold"
"""Fonts that every PDF viewer has or replaces; this Han font covers both ways of writing."""
_FONTS = (_HAN, _HAN, _LATIN)
_WIDTH, _HEIGHT = A4
_MARGIN = 18 * mm
_MODULE = 0.33 * mm
"""The nominal module of Code 128 at a till: read from a hand's breadth by every scanner."""
_CODE_HEIGHT = 14 * mm
_BLOCK = 40 * mm
_LINE = 5.2 * mm


class Page:
    """A4 pages filled from the top; a barcode is never split from its text."""

    def __init__(self, title: str) -> None:
        pdfmetrics.registerFont(UnicodeCIDFont(_HAN))
        self._out = BytesIO()
        self._canvas = Canvas(self._out, pagesize=A4, invariant=True)
        self._canvas.setTitle(title)
        self._y = _HEIGHT - _MARGIN

    def head(self, maker: str, models: str) -> None:
        """The maker in big letters, its models below."""
        self._canvas.setFont(_LATIN_BOLD, 20)
        self._canvas.drawString(_MARGIN, self._y - 6 * mm, maker)
        self._canvas.setFont(_LATIN, 9)
        self._canvas.drawString(_MARGIN, self._y - 12 * mm, models.replace(" · ", " / "))
        self._y -= 19 * mm

    def note(self, texts: tuple[str, ...], *, is_once: bool = False) -> None:
        """A line in each language, or one line for all."""
        self._need(_LINE * 4)
        for font, text in list(zip(_FONTS, texts, strict=True))[2 if is_once else 0 :]:
            self._text(_MARGIN, self._y, font, text, 9)
            self._y -= _LINE
        self._y -= 2 * mm

    def section(self, texts: tuple[str, str, str]) -> None:
        """A rule and a heading."""
        self._need(_BLOCK)
        self._canvas.setLineWidth(0.5)
        self._canvas.line(_MARGIN, self._y, _WIDTH - _MARGIN, self._y)
        self._y -= 6 * mm
        x = _MARGIN
        for font, text in zip(_FONTS, texts, strict=True):
            x = self._text(x, self._y, font, text, 11) + 5 * mm
        self._y -= 6 * mm

    def code(
        self, mark: str, title: tuple[str, str, str], why: tuple[str, str, str], value: str
    ) -> None:
        """One Code 128 with its number, its name and the reason for it."""
        self._need(_BLOCK)
        y = self._y
        mark_font = _HAN if not mark.isascii() else _LATIN_BOLD
        self._text(_MARGIN, y - 4 * mm, mark_font, mark, 16)
        x = _MARGIN + 12 * mm
        for font, text in zip(_FONTS, title, strict=True):
            x = self._text(x, y - 3 * mm, font, text, 12) + 6 * mm
        bars = Code128(value, barWidth=_MODULE, barHeight=_CODE_HEIGHT, quiet=True)
        scale = min(1.0, (_WIDTH - 2 * _MARGIN - 12 * mm) / bars.width)
        bars = Code128(value, barWidth=_MODULE * scale, barHeight=_CODE_HEIGHT, quiet=True)
        bars.drawOn(self._canvas, _MARGIN + 12 * mm, y - 20 * mm)
        row = y - 24 * mm
        for font, text in zip(_FONTS, why, strict=True):
            self._text(_MARGIN + 16 * mm, row, font, text, 8)
            row -= 3.8 * mm
        self._y = y - _BLOCK

    def ean(self, digits: str, texts: tuple[str, str, str]) -> None:
        """An EAN-13 to try, and what the till says to it."""
        self._need(_BLOCK)
        drawing = Drawing(50 * mm, 26 * mm)
        drawing.add(Ean13BarcodeWidget(digits, barHeight=20 * mm, barWidth=_MODULE))
        renderPDF.draw(drawing, self._canvas, _MARGIN + 12 * mm, self._y - 28 * mm)
        row = self._y - 10 * mm
        for font, text in zip(_FONTS, texts, strict=True):
            self._text(_MARGIN + 66 * mm, row, font, text, 8)
            row -= _LINE
        self._y -= 34 * mm

    def bytes(self) -> bytes:
        """The finished document."""
        self._canvas.showPage()
        self._canvas.save()
        return self._out.getvalue()

    def _text(self, x: float, y: float, font: str, text: str, size: float) -> float:
        self._canvas.setFont(font, size)
        self._canvas.drawString(x, y, text)
        return x + float(pdfmetrics.stringWidth(text, font, size))

    def _need(self, height: float) -> None:
        if self._y - height < _MARGIN:
            self._canvas.showPage()
            self._y = _HEIGHT - _MARGIN
