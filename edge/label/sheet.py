"""Labels as A4 sheets of 24, 70 mm wide and 37 mm high: the common format of label paper."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

from reportlab.graphics import renderPDF
from reportlab.graphics.barcode.eanbc import Ean13BarcodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from edge.label.store import DueLabel
from edge.texts import Texts
from shared.kernel.money import Currency, format_minor

ACROSS, DOWN = 3, 8
_WIDTH, _HEIGHT = 70 * mm, 37 * mm
_PAD = 4 * mm
_HAN, _BOLD = "STSong-Light", "Helvetica-Bold"
"""Fonts that every PDF viewer has or replaces; the Han font covers both ways of writing."""
_NAME_PT, _PRICE_PT, _SMALL_PT = 10.0, 26.0, 8.0
_EAN_DIGITS = 13


def label_sheets(labels: Sequence[DueLabel], currency: Currency, texts: Texts) -> bytes:
    """A PDF; the same labels give the same bytes."""
    pdfmetrics.registerFont(UnicodeCIDFont(_HAN))
    out = BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=True)
    canvas.setTitle(texts["label.title"])
    for number, label in enumerate(labels):
        place = number % (ACROSS * DOWN)
        if number and place == 0:
            canvas.showPage()
        left = (place % ACROSS) * _WIDTH
        top = A4[1] - (place // ACROSS) * _HEIGHT
        _draw(canvas, label, (left, top), currency, texts)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def _draw(
    canvas: Canvas,
    label: DueLabel,
    corner: tuple[float, float],
    currency: Currency,
    texts: Texts,
) -> None:
    left, top = corner[0] + _PAD, corner[1] - _PAD
    canvas.setFont(_HAN, _NAME_PT)
    for n, row in enumerate(_fitted(label.name, _WIDTH - 2 * _PAD)):
        canvas.drawString(left, top - (n + 1) * 4 * mm, row)
    price_minor, member_minor = label.change.new_minor, label.change.member_minor
    if price_minor is None:
        canvas.drawString(left, top - 18 * mm, texts["label.take_away"])
        return
    canvas.setFont(_BOLD, _PRICE_PT)
    canvas.drawRightString(
        corner[0] + _WIDTH - _PAD, top - 18 * mm, format_minor(price_minor, currency)
    )
    canvas.setFont(_HAN, _NAME_PT)
    canvas.drawString(left, top - 18 * mm, currency.symbol)
    canvas.setFont(_HAN, _SMALL_PT)
    if member_minor is not None:
        said = f"{texts['label.member']} {currency.symbol}{format_minor(member_minor, currency)}"
        canvas.drawRightString(corner[0] + _WIDTH - _PAD, top - 23 * mm, said)
    canvas.drawString(left, top - 23 * mm, label.size)
    _barcode(canvas, label.gtin, (left, corner[1] - _HEIGHT + 1.5 * mm))


def _barcode(canvas: Canvas, gtin: str, at: tuple[float, float]) -> None:
    digits = gtin[-_EAN_DIGITS:] if gtin.startswith("0") or len(gtin) == _EAN_DIGITS else ""
    if not digits:  # a GTIN-14 is no shelf item's code: its number is enough
        canvas.drawString(at[0], at[1] + 2 * mm, gtin)
        return
    drawing = Drawing(40 * mm, 9 * mm)
    drawing.add(Ean13BarcodeWidget(digits.rjust(_EAN_DIGITS, "0"), barHeight=7 * mm))
    renderPDF.draw(drawing, canvas, *at)


def _fitted(text: str, width: float) -> list[str]:
    """The text in at most two rows of a width."""
    rows, row = [], ""
    for character in text:
        if pdfmetrics.stringWidth(row + character, _HAN, _NAME_PT) > width:
            rows.append(row)
            row = ""
        row += character
    return [*rows, row][:2]
