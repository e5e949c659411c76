"""The pictures inside ESC/POS commands, whichever of the six ways they were sent."""

from __future__ import annotations

from edge.device.paper_raster import Raster

_COLUMNS_24 = 0x20
_SPREAD = {0: (2, 3), 1: (1, 3), 32: (2, 1), 33: (1, 1)}
"""Dots that `ESC *` burns for one of its own, across and down."""
_GRAPHICS_ROWS, _GRAPHICS_COLUMNS = 112, 113
_DOTS_MAX = 1 << 22
"""Far more than a roll's width and height; a stranger's bytes may claim anything."""


def raster_image(data: bytes) -> Raster | None:
    """`GS v 0` and `GS Q 0`: form, mode, bytes across, rows, dots row by row."""
    across, down = int.from_bytes(data[2:4], "little"), int.from_bytes(data[4:6], "little")
    return _scaled(data[6:], across * 8, down, (1 + (data[1] & 1), 1 + (data[1] >> 1 & 1)))


def bit_image(data: bytes) -> Raster | None:
    """`ESC *`: mode, columns, dots column by column, 8 or 24 high."""
    rows = 24 if data[0] >= _COLUMNS_24 else 8
    width = int.from_bytes(data[1:3], "little")
    return _scaled(_turned(data[3:], width, rows), width, rows, _SPREAD.get(data[0], (1, 1)))


def downloaded_image(data: bytes) -> Raster | None:
    """`GS *`: eighths of width and height, dots column by column."""
    width, height = data[0] * 8, data[1] * 8
    return _scaled(_turned(data[2:], width, height), width, height, (1, 1))


def stored_images(data: bytes) -> list[Raster | None]:
    """`FS q`: each image as `GS *` has it, with 16-bit sizes."""
    images, at = [], 1
    for _ in range(data[0]):
        width = int.from_bytes(data[at : at + 2], "little") * 8
        height = int.from_bytes(data[at + 2 : at + 4], "little") * 8
        end = at + 4 + width * height // 8
        images.append(_scaled(_turned(data[at + 4 : end], width, height), width, height, (1, 1)))
        at = end
    return images


def graphics_image(body: bytes) -> Raster | None:
    """`GS ( L` functions 112 (by rows) and 113 (by columns), after the length; None for others."""
    if len(body) < 10 or body[1] not in {_GRAPHICS_ROWS, _GRAPHICS_COLUMNS}:  # noqa: PLR2004
        return None
    width, height = int.from_bytes(body[6:8], "little"), int.from_bytes(body[8:10], "little")
    spread = (2 if body[3] == 2 else 1, 2 if body[4] == 2 else 1)  # noqa: PLR2004 - twice
    dots = body[10:]
    if body[1] == _GRAPHICS_COLUMNS:
        dots = _turned(dots, width, height)
    return _scaled(dots, width, height, spread)


def _turned(data: bytes, width: int, height: int) -> bytes:
    """Dots given column by column, each column in whole bytes, as rows of whole bytes."""
    column_bytes = (height + 7) // 8
    rows = [bytearray((width + 7) // 8) for _ in range(column_bytes * 8)]
    for at, byte in enumerate(data[: column_bytes * width]):
        x, top = at // column_bytes, at % column_bytes * 8
        mask = 0x80 >> x % 8
        for bit in range(8):
            if byte & 0x80 >> bit:
                rows[top + bit][x // 8] |= mask
    return b"".join(rows[:height])


def _scaled(data: bytes, width: int, height: int, spread: tuple[int, int]) -> Raster | None:
    across, down = spread
    if width == 0 or height == 0 or width * height * across * down > _DOTS_MAX:
        return None
    step = (width + 7) // 8
    data = data[: step * height].ljust(step * height, b"\x00")
    if across == 1:
        rows = [data[at : at + step] for at in range(0, len(data), step)]
    else:
        rows = [_wider(data[at : at + step], width, across) for at in range(0, len(data), step)]
    return Raster(width * across, height * down, b"".join(row * down for row in rows))


def _wider(row: bytes, width: int, across: int) -> bytes:
    bits = f"{int.from_bytes(row, 'big'):0{len(row) * 8}b}"[:width]
    wide = "".join(bit * across for bit in bits)
    size = (len(wide) + 7) // 8
    return int(wide.ljust(size * 8, "0"), 2).to_bytes(size, "big")
