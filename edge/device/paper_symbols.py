"""Barcodes and QR codes as a printer draws them, for the training page."""

from __future__ import annotations

from functools import lru_cache

from edge.device.code128 import bars_of
from edge.device.escpos_symbols import qr_raster
from edge.device.paper import SymbolRow
from edge.device.paper_raster import Raster, raster_of
from shared.kernel.errors import RefusedError
from shared.kernel.gtin import parse_gtin

_EAN13_DIGITS, _EAN8_DIGITS = 13, 8
_BAR_ROWS = 80
_MODULE_DOTS = 2
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


@lru_cache(maxsize=64)
def symbol_raster(row: SymbolRow, paper_dots: int) -> Raster | None:
    """The dots of a symbol without its caption; None for what no printer would draw."""
    if row.kind == "qr":
        return qr_raster(row.data.encode(), paper_dots)
    modules = _modules(row)
    if modules is None:
        return None
    squares = [[module == "1" for module in modules]]
    scale = _MODULE_DOTS if len(modules) * _MODULE_DOTS <= paper_dots else 1
    one = raster_of(squares, scale).band(0, 1)
    return Raster(one.width, _BAR_ROWS, one.data * _BAR_ROWS)


def _modules(row: SymbolRow) -> str | None:
    if row.kind == "ean13":
        return ean13_modules(row.data)
    if row.kind == "ean8":
        return ean8_modules(row.data)
    try:
        widths = bars_of(row.data)
    except ValueError:
        return None
    return "".join(str(1 - at % 2) * width for at, width in enumerate(widths))


def ean13_modules(code: str) -> str | None:
    """The 95 modules of an EAN-13 symbol, 1 for a bar; None when `code` is none."""
    if len(code) != _EAN13_DIGITS or not _is_gtin(code):
        return None
    digits = [int(digit) for digit in code]
    left = "".join(
        _left(digit, parity) for digit, parity in zip(digits[1:7], _PARITY[digits[0]], strict=True)
    )
    right = "".join(_inverted(_LEFT_ODD[digit]) for digit in digits[7:])
    return f"101{left}01010{right}101"


def ean8_modules(code: str) -> str | None:
    """The 67 modules of an EAN-8 symbol, 1 for a bar; None when `code` is none."""
    if len(code) != _EAN8_DIGITS or not _is_gtin(code):
        return None
    digits = [int(digit) for digit in code]
    left = "".join(_LEFT_ODD[digit] for digit in digits[:4])
    right = "".join(_inverted(_LEFT_ODD[digit]) for digit in digits[4:])
    return f"101{left}01010{right}101"


def _is_gtin(code: str) -> bool:
    try:
        parse_gtin(code)
    except RefusedError:
        return False
    return True


def _left(digit: int, parity: str) -> str:
    odd = _LEFT_ODD[digit]
    return odd if parity == "O" else _inverted(odd)[::-1]


def _inverted(modules: str) -> str:
    return modules.translate(str.maketrans("01", "10"))
