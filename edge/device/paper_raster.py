"""Pictures on paper: one bit a dot, as a thermal head burns them, and as PNG for the eye."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_INVERTED = bytes(255 - byte for byte in range(256))


@dataclass(frozen=True, slots=True)
class Raster:
    """`height` rows of `width` dots; in `data` each row fills whole bytes, 1 is black."""

    width: int
    height: int
    data: bytes

    def __post_init__(self) -> None:
        assert len(self.data) == self.row_bytes * self.height  # else rows are torn apart

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return (self.width + 7) // 8

    def band(self, top: int, height: int) -> Raster:
        """At most `height` of its rows, from row `top`."""
        data = self.data[top * self.row_bytes : (top + height) * self.row_bytes]
        return Raster(self.width, len(data) // self.row_bytes, data)

    def above(self, other: Raster) -> Raster:
        """This picture with another of the same width right below it."""
        assert self.width == other.width
        return Raster(self.width, self.height + other.height, self.data + other.data)

    def dot(self, x: int, y: int) -> bool:
        """Whether the dot in column `x` of row `y` is black."""
        return bool(self.data[y * self.row_bytes + x // 8] & (0x80 >> x % 8))


def raster_of(rows: list[list[bool]], scale: int = 1, margin: int = 0) -> Raster:
    """Squares of `scale` dots, True for black, with `margin` white squares around them."""
    side = " " * margin
    texts = [side + "".join("#" if dot else " " for dot in row) + side for row in rows]
    blank = " " * (len(rows[0]) + 2 * margin) if rows else ""
    texts = [blank] * margin + texts + [blank] * margin
    width = len(blank) * scale
    data = b"".join(_packed(text, scale) * scale for text in texts)
    return Raster(width, len(texts) * scale, data)


def _packed(row: str, scale: int) -> bytes:
    bits = "".join(("1" if square == "#" else "0") * scale for square in row)
    padded = bits.ljust((len(bits) + 7) // 8 * 8, "0")
    return int(padded or "0", 2).to_bytes(len(padded) // 8, "big")


def png_of(raster: Raster) -> bytes:
    """The picture as a PNG file of one bit per dot."""
    white_is_one = raster.data.translate(_INVERTED)
    step = raster.row_bytes
    lines = b"".join(
        b"\x00" + white_is_one[start : start + step] for start in range(0, len(white_is_one), step)
    )
    header = struct.pack(">IIBBBBB", raster.width, raster.height, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return _PNG_SIGNATURE + b"".join(_chunk(kind, body) for kind, body in chunks)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
