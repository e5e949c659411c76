"""What the paper shows: rows of styled text and symbols, between two cuts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

COLUMNS_DEFAULT = 48

Align = Literal["left", "center", "right"]
SymbolKind = Literal["qr", "ean13", "barcode", "image"]


@dataclass(frozen=True, slots=True)
class Style:
    """How a character is struck; `width` and `height` are 1 to 8 times the normal size."""

    is_bold: bool = False
    is_underlined: bool = False
    is_inverse: bool = False
    width: int = 1
    height: int = 1


@dataclass(frozen=True, slots=True)
class Span:
    """Neighbouring characters of one style."""

    text: str
    style: Style


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
        return sum(columns_of(span.text) * span.style.width for span in self.spans)


@dataclass(frozen=True, slots=True)
class SymbolRow:
    """A QR code, a barcode or a picture; `data` is what a reader would read."""

    kind: SymbolKind
    data: str
    align: Align = "left"


Row = TextRow | SymbolRow


@dataclass(frozen=True, slots=True)
class Paper:
    """What lies in the tray after a cut (or when torn off without one)."""

    rows: tuple[Row, ...]
    columns: int = COLUMNS_DEFAULT
    is_cut: bool = True

    @property
    def text(self) -> str:
        """The paper as plain text, each row placed in its columns; symbols in brackets."""
        return "\n".join(_row_text(row, self.columns) for row in self.rows)


def columns_of(text: str) -> int:
    """Columns of `text` on a Chinese printer: ASCII takes one, every other character two."""
    return sum(1 if character.isascii() else 2 for character in text)


def _row_text(row: Row, columns: int) -> str:
    if isinstance(row, SymbolRow):
        text = f"[{row.kind} {row.data}]"
        return _padded(text, columns_of(text), row.align, columns)
    return _padded(row.text, columns_of(row.text), row.align, columns).rstrip()


def _padded(text: str, used: int, align: Align, columns: int) -> str:
    spare = max(columns - used, 0)
    if align == "center":
        return " " * (spare // 2) + text
    return " " * spare + text if align == "right" else text
