"""A receipt's lines as ESC/POS bytes: text in the printer's own character sets, symbols, the cut.

Text goes out in our own encoding: libraries guess code pages per string and lose what the page
lacks.  Nothing is said twice: alignment, weight and size are sent where they change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from edge.device.escpos_profile import PrinterProfile
from edge.device.escpos_symbols import barcode, picture, qr_code
from edge.device.escpos_text import fitted, home_bytes, printable, set_of, struck, text_bytes
from edge.device.metrics import CHARACTERS_LOST
from edge.device.paper_raster import Raster
from shared.sale.receipt import Align, LineKind, ReceiptLine

__all__ = ["NO_ARTWORK", "Artwork", "PrinterProfile", "encode", "printable"]

_INIT = b"\x1b@"
_LINE_FEED = b"\n"
_ALIGN = {Align.LEFT: b"\x1ba\x00", Align.CENTER: b"\x1ba\x01", Align.RIGHT: b"\x1ba\x02"}
_BOLD = (b"\x1bE\x00", b"\x1bE\x01")
_SIZES = {1: b"\x1d!\x00", 2: b"\x1d!\x11"}
_WIDE_SIZES = {1: b"\x1d!\x00\x1c!\x00", 2: b"\x1d!\x11\x1c!\x0c"}
"""`GS !` for ASCII and `FS !` for Chinese: some printers keep two sizes."""
_CUTS = {"partial": b"\x1dV\x42\x00", "full": b"\x1dV\x41\x00", "none": b""}
_TEAR_LINES = 6
"""From the head to the tear bar."""
_SMALL_FONT = b"\x1bM\x01"


@dataclass(frozen=True, slots=True)
class Artwork:
    """What is drawn rather than struck: `logo` heads the receipt.

    `draw` makes a picture of a line whose script the printer lacks; None where it cannot.
    """

    logo: Raster | None = None
    draw: Callable[[ReceiptLine, PrinterProfile], Raster | None] | None = None


NO_ARTWORK = Artwork()


def encode(
    lines: Iterable[ReceiptLine], profile: PrinterProfile, artwork: Artwork = NO_ARTWORK
) -> bytes:
    """Print-out of `lines`, from initialising the printer to the cut."""
    sheet = _Sheet(profile, artwork)
    if artwork.logo is not None:
        sheet.picture(artwork.logo, Align.CENTER)
    for line in lines:
        sheet.line(line)
    return sheet.cut()


class _Sheet:
    """The bytes so far, and the registers in which they left the printer."""

    def __init__(self, profile: PrinterProfile, artwork: Artwork) -> None:
        self._profile = profile
        self._artwork = artwork
        self._characters = set_of(profile)
        self._sizes = _WIDE_SIZES if profile.is_wide else _SIZES
        self._parts = [_INIT, home_bytes(self._characters)]
        if profile.font == "b":
            self._parts.append(_SMALL_FONT)
        self._align, self._bold, self._size = _ALIGN[Align.LEFT], _BOLD[0], self._sizes[1]

    def line(self, line: ReceiptLine) -> None:
        if line.kind is LineKind.TEXT:
            self._text(line)
            return
        self._look(line.align)
        make = barcode if line.kind is LineKind.BARCODE else qr_code
        self._parts.append(make(printable(line.text), self._profile))

    def picture(self, raster: Raster, align: Align) -> None:
        self._look(align)
        self._parts.append(picture(raster))

    def cut(self) -> bytes:
        profile = self._profile
        lines = profile.feed_lines + (_TEAR_LINES if profile.cut == "none" else 0)
        feed = b"\x1bd" + bytes((lines,)) if lines else b""
        self._look(Align.LEFT)
        return b"".join((*self._parts, feed, _CUTS[profile.cut]))

    def _text(self, line: ReceiptLine) -> None:
        text = printable(line.text)
        row = struck(text, self._characters)
        if row.is_drawing_better and self._artwork.draw is not None:
            drawn = self._artwork.draw(line, self._profile)
            if drawn is not None:
                self.picture(drawn, line.align)
                return
        if row.lost:
            CHARACTERS_LOST.inc(row.lost)
        scale = line.scale if line.scale in self._sizes else 1
        columns = self._profile.width_chars // scale
        shown = fitted(text, row, columns)
        if row.columns > columns and struck(shown, self._characters).columns > columns:
            scale = 1  # better small than an amount broken over two lines
        self._look(line.align, scale, is_bold=line.bold)
        self._parts += (text_bytes(shown, self._characters), _LINE_FEED)

    def _look(self, align: Align, scale: int = 1, *, is_bold: bool = False) -> None:
        wanted = _ALIGN[align], _BOLD[is_bold], self._sizes[scale]
        before = self._align, self._bold, self._size
        self._parts += [new for new, old in zip(wanted, before, strict=True) if new != old]
        self._align, self._bold, self._size = wanted
