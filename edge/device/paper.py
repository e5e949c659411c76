"""What the paper shows: rows of styled text, symbols and pictures, between two cuts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edge.device.paper_raster import Raster

COLUMNS_DEFAULT = 48
DOTS_PER_COLUMN = 12
_SMALL_SHARE = 3, 4
"""Of a normal column, a character of the small font."""

Align = Literal["left", "center", "right"]
SymbolKind = Literal["qr", "ean13", "ean8", "barcode"]


@dataclass(frozen=True, slots=True)
class Style:
    """How a character is struck; `width` and `height` are 1 to 8 times the normal size."""

    is_bold: bool = False
    is_underlined: bool = False
    is_inverse: bool = False
    width: int = 1
    height: int = 1
    is_small: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """Neighbouring characters of one style, each `cell` columns wide: Chinese ones take two."""

    text: str
    style: Style
    cell: int = 1

    @property
    def columns(self) -> int:
        """Normal-width columns that it covers, rounded up."""
        columns = len(self.text) * self.cell * self.style.width
        small, normal = _SMALL_SHARE
        return -(-columns * small // normal) if self.style.is_small else columns


@dataclass(frozen=True, slots=True)
class TextRow:
    """One line of print; without spans it is blank paper."""

    spans: tuple[Span, ...] = ()
    align: Align = "left"

    @property
    def text(self) -> str:
        """The characters, without alignment."""
        return "".join(span.text for span in self.spans)

    @property
    def columns(self) -> int:
        """Normal-width columns the row covers."""
        return sum(span.columns for span in self.spans)

    @property
    def characters(self) -> int:
        """Columns of its plain text, where size and font do not count."""
        return sum(len(span.text) * span.cell for span in self.spans)


@dataclass(frozen=True, slots=True)
class SymbolRow:
    """A QR code or a barcode; `data` is what a reader would read."""

    kind: SymbolKind
    data: str
    align: Align = "left"


@dataclass(frozen=True, slots=True)
class ImageRow:
    """A picture, dot by dot."""

    raster: Raster
    align: Align = "left"


Row = TextRow | SymbolRow | ImageRow


@dataclass(frozen=True, slots=True)
class Paper:
    """What lies in the tray after a cut (or when torn off without one)."""

    rows: tuple[Row, ...]
    columns: int = COLUMNS_DEFAULT
    is_cut: bool = True

    @property
    def text(self) -> str:
        """The paper as plain text, each row in its columns; symbols and pictures in brackets."""
        return "\n".join(_row_text(row, self.columns) for row in self.rows)


def columns_of(text: str) -> int:
    """Columns of `text` on a Chinese printer: ASCII takes one, every other character two."""
    return sum(1 if character.isascii() else 2 for character in text)


def _row_text(row: Row, columns: int) -> str:
    if isinstance(row, TextRow):
        return _padded(row.text, row.characters, row.align, columns).rstrip()
    text = _image_text(row.raster) if isinstance(row, ImageRow) else f"[{row.kind} {row.data}]"
    return _padded(text, columns_of(text), row.align, columns)


def _image_text(raster: Raster) -> str:
    return f"[picture {raster.width}x{raster.height}]"


def _padded(text: str, used: int, align: Align, columns: int) -> str:
    spare = max(columns - used, 0)
    if align == "center":
        return " " * (spare // 2) + text
    return " " * spare + text if align == "right" else text
