"""Barcodes, QR codes and pictures as ESC/POS commands that fit on the paper."""

from __future__ import annotations

import re

from edge.device.escpos_profile import PrinterProfile
from edge.device.paper_raster import Raster, raster_of
from shared.kernel.errors import RefusedError
from shared.kernel.gtin import parse_gtin

_BARCODE_SHAPE = b"\x1dh\x50\x1dH\x02"
"""80 dots high, with the digits below."""
_CODE128_MODULES = 11
_CODE128_FRAME_MODULES = 35 + 20
_EAN_SYSTEMS = {13: 0x43, 8: 0x44}
_CODE128_SYSTEM = 0x49
_CODE128_BYTES_MAX = 253
_BAND_ROWS = 128
"""Cheap printers hold so much of a picture; bands meet without a seam."""
_REALTIME_START = re.compile(rb"\x10(?=[\x04\x05\x14])")
"""Obeyed in the middle of a picture too: such dots would open the drawer, or ask a question."""
_ONE_DOT_MORE = b"\x18"
_QR_DOTS_MIN, _QR_DOTS_MAX = 3, 6
_QR_QUIET_MODULES = 8
_QR_BYTES_MAX = (14, 26, 42, 62, 84, 106, 122, 152, 180, 213, 251, 287, 331, 362, 412)
"""Bytes that a symbol of version 1, 2, ... holds at error correction M (ISO/IEC 18004)."""
_QR_DATA_MAX = 2331
_QR_PAPER_SHARE = 4 / 5


def barcode(text: str, profile: PrinterProfile) -> bytes:
    """EAN-13 or EAN-8 for a GTIN, else Code 128; a QR code when the paper is too narrow."""
    system = _EAN_SYSTEMS.get(len(text))
    if system is not None and _is_gtin(text):
        return _bars(2, system, text.encode("ascii"))
    modules = _CODE128_MODULES * len(text) + _CODE128_FRAME_MODULES
    body = b"{B" + text.encode("ascii", errors="replace").replace(b"{", b"{{")
    is_code128 = text.isascii() and text.isprintable() and len(body) <= _CODE128_BYTES_MAX
    if not is_code128 or modules > profile.paper_dots:
        return qr_code(text, profile)
    return _bars(2 if modules * 2 <= profile.paper_dots else 1, _CODE128_SYSTEM, body)


def _bars(module_dots: int, system: int, body: bytes) -> bytes:
    start = bytes((0x1D, 0x77, module_dots, 0x1D, 0x6B, system, len(body)))
    return _BARCODE_SHAPE + start + body


def _is_gtin(text: str) -> bool:
    if not text.isascii() or not text.isdecimal():
        return False
    try:
        parse_gtin(text)
    except RefusedError:
        return False
    return True


def qr_code(text: str, profile: PrinterProfile) -> bytes:
    """`text` as a QR code of model 2, level M, drawn by the printer or as a picture."""
    data = text.encode()[:_QR_DATA_MAX]
    if not profile.has_native_qr:
        return picture(qr_raster(data, profile.paper_dots))
    return b"".join(
        (
            _qr_function(b"1A2\x00"),
            _qr_function(b"1C" + bytes((qr_module_dots(len(data), profile.paper_dots),))),
            _qr_function(b"1E1"),
            _qr_function(b"1P0" + data),
            _qr_function(b"1Q0"),
        )
    )


def qr_module_dots(size: int, paper_dots: int) -> int:
    """Dots of one square for `size` bytes: big enough for old phones, with white around."""
    version = next((n for n, most in enumerate(_QR_BYTES_MAX, 1) if size <= most), 20)
    modules = 17 + 4 * version + _QR_QUIET_MODULES
    fitting = int(paper_dots * _QR_PAPER_SHARE) // modules
    return max(_QR_DOTS_MIN, min(fitting, _QR_DOTS_MAX))


def _qr_function(body: bytes) -> bytes:
    return b"\x1d(k" + len(body).to_bytes(2, "little") + body


def qr_raster(data: bytes, paper_dots: int) -> Raster:
    """The QR code of `data` as dots, with a narrow white border; the paper is white beyond it."""
    # Late: most printers draw QR codes themselves.
    import qrcode  # noqa: PLC0415

    symbol = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, border=0)
    symbol.add_data(data, optimize=0)
    symbol.make()
    modules = [[bool(dot) for dot in row] for row in symbol.modules]
    return raster_of(modules, qr_module_dots(len(data), paper_dots), margin=2)


def picture(raster: Raster) -> bytes:
    """Commands (`GS v 0`) that print a picture, in bands."""
    return b"".join(
        _band(raster.band(top, _BAND_ROWS)) for top in range(0, raster.height, _BAND_ROWS)
    )


def _band(band: Raster) -> bytes:
    across, down = band.row_bytes.to_bytes(2, "little"), band.height.to_bytes(2, "little")
    return b"\x1dv0\x00" + across + down + _REALTIME_START.sub(_ONE_DOT_MORE, band.data)
