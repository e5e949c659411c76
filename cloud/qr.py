"""QR codes as a path for SVG: the one module that knows the library."""

from __future__ import annotations

from qrcode import QRCode
from qrcode.constants import ERROR_CORRECT_M


def qr_path(text: str) -> tuple[str, int]:
    """The dark modules as the `d` of an SVG path, and the side of its square in modules.

    Without the quiet zone: the page leaves four modules of white around it.
    """
    code = QRCode(error_correction=ERROR_CORRECT_M, border=0)
    code.add_data(text)
    code.make(fit=True)
    rows = code.get_matrix()
    runs = [f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark]
    return "".join(runs), len(rows)
