"""A receipt's lines as ESC/POS bytes, for printers that know GB 18030 or only code page 437.

Text goes out in our own encoding: libraries guess code pages per string and lose what the page
lacks.  A Chinese printer strikes every non-ASCII character two columns wide, so rows are fitted
to that before they are sent.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from edge.device.escpos_profile import PrinterProfile
from edge.device.paper import columns_of
from shared.kernel.errors import RefusedError
from shared.kernel.gtin import parse_gtin
from shared.sale.receipt import Align, LineKind, ReceiptLine

_INIT = b"\x1b@"
_LINE_FEED = b"\n"
_ALIGN = {Align.LEFT: b"\x1ba\x00", Align.CENTER: b"\x1ba\x01", Align.RIGHT: b"\x1ba\x02"}
_BOLD = (b"\x1bE\x00", b"\x1bE\x01")
_SIZES = {1: b"\x1d!\x00\x1c!\x00", 2: b"\x1d!\x11\x1c!\x0c"}
"""`GS !` for ASCII and `FS !` for Chinese: some printers keep two sizes."""
_NARROW_SIZES = {1: b"\x1d!\x00", 2: b"\x1d!\x11"}
_ENDS = {"partial": b"\x1dV\x42\x00", "full": b"\x1dV\x41\x00", "none": b"\x1bd\x06"}
_FEED_BEFORE_CUT = b"\x1bd\x03"
_DOTS_PER_COLUMN = 12
_BARCODE_SHAPE = b"\x1dh\x50\x1dH\x02"
_CODE128_MODULES = 11
_CODE128_FRAME_MODULES = 35 + 20
_EAN13_DIGITS = 13
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_GAPS = re.compile(r" {2,}")
_YEN = str.maketrans({"\u00a5": "\uffe5"})
"""GB 2312 has only the full-width sign; printers lack the four-byte code of the narrow one."""


def encode(lines: Iterable[ReceiptLine], profile: PrinterProfile) -> bytes:
    """Print-out of `lines`, from initialising the printer to the cut."""
    is_chinese = profile.encoding == "gb18030"
    sizes = _SIZES if is_chinese else _NARROW_SIZES
    parts = [_INIT, b"\x1c&" if is_chinese else b"\x1c.\x1bt\x00"]
    for line in lines:
        parts.append(_ALIGN[line.align])
        if line.kind is LineKind.BARCODE:
            parts.append(_barcode(line.text, profile))
            continue
        if line.kind is LineKind.QR:
            parts.append(qr_code(line.text))
            continue
        scale = line.scale if line.scale in sizes else 1
        text = _text(line.text, profile.width_chars // scale, profile.encoding)
        parts += (_BOLD[line.bold], sizes[scale], text, _LINE_FEED)
    parts += (_BOLD[0], sizes[1], _ALIGN[Align.LEFT], _FEED_BEFORE_CUT, _ENDS[profile.cut])
    return b"".join(parts)


def printable(text: str) -> str:
    """`text` as it can be printed: composed characters, no control characters."""
    return _CONTROLS.sub(" ", unicodedata.normalize("NFC", text))


def _text(text: str, columns: int, encoding: str) -> bytes:
    text = printable(text)
    if encoding == "cp437":
        return text.encode("cp437", errors="replace")
    return _fitted(text.translate(_YEN), columns).encode("gb18030", errors="replace")


def _fitted(text: str, columns: int) -> str:
    """Take what a row is too wide from its widest gap, so that amounts stay in their column."""
    excess = columns_of(text) - columns
    if excess <= 0:
        return text
    gaps = sorted(_GAPS.finditer(text), key=lambda gap: gap.end() - gap.start())
    if not gaps:
        return text
    gap = gaps[-1]
    kept = max(gap.end() - gap.start() - excess, 1)
    return text[: gap.start()] + " " * kept + text[gap.end() :]


def _barcode(text: str, profile: PrinterProfile) -> bytes:
    """EAN-13 for a GTIN, else Code 128; a QR code when the paper is too narrow for the bars."""
    dots = profile.width_chars * _DOTS_PER_COLUMN
    if _is_ean13(text):
        return _BARCODE_SHAPE + b"\x1dw\x02\x1dk\x43" + bytes((len(text),)) + text.encode("ascii")
    modules = _CODE128_MODULES * len(text) + _CODE128_FRAME_MODULES
    if not text.isascii() or "{" in text or modules > dots:
        return qr_code(text)
    module_dots = 2 if modules * 2 <= dots else 1
    body = b"{B" + printable(text).encode("ascii")
    return _BARCODE_SHAPE + bytes((0x1D, 0x77, module_dots, 0x1D, 0x6B, 0x49, len(body))) + body


def _is_ean13(text: str) -> bool:
    if len(text) != _EAN13_DIGITS or not text.isdecimal():
        return False
    try:
        parse_gtin(text)
    except RefusedError:
        return False
    return True


def qr_code(text: str) -> bytes:
    """Commands (`GS ( k`, model 2, level M) that make the printer draw `text` as a QR code."""
    data = text.encode()
    return b"".join(
        (
            _qr_function(b"1A2\x00"),
            _qr_function(b"1C\x06"),
            _qr_function(b"1E1"),
            _qr_function(b"1P0" + data),
            _qr_function(b"1Q0"),
        )
    )


def _qr_function(body: bytes) -> bytes:
    return b"\x1d(k" + len(body).to_bytes(2, "little") + body
