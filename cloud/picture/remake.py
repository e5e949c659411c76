"""A picture made anew from its dots: nothing but dots comes through.

Uploaded files are read once, within limits, and written again in one format, so no script, no place
where a photograph was taken and no second file hidden in the first one ever reaches a browser.
"""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from shared.config.settings import LOGO_BYTES_MAX
from shared.kernel.errors import RefusedError

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG", "WEBP")
PICTURE_BYTES_MAX = 12 << 20
DOTS_MAX = 32_000_000
"""Of an uploaded picture: a photograph of a good telephone has twelve to twenty-four million."""
SCANS_MAX = 100
"""Of a JPEG, which gets finer with each: common ones have ten or so, and each costs a reading."""
_SCAN = b"\xff\xda"
SIDE_DOTS = 512
"""Of an item's picture at most; a till shows it smaller than that."""
LOGO_WIDTH_DOTS, LOGO_ROWS = 576, 240
"""The printable width of 80 mm paper, and three centimetres."""
_QUALITIES = (80, 60, 40)
KEPT_BYTES_MAX = 256 * 1024
_ITEM_BYTES_MAX = 64 * 1024
MEDIA_TYPE = "image/webp"
_AT_ONCE = threading.BoundedSemaphore(1)
"""Pictures in the making: the largest PNG takes 250 MB for a second, the largest WebP 500."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture made anew: its bytes, and its size in dots."""

    data: bytes
    width: int
    height: int


def item_picture(file: IO[bytes]) -> Picture:
    """A photograph as WebP of at most SIDE_DOTS; RefusedError `picture.unreadable`, `.too_big`."""
    with _AT_ONCE:
        picture = _opened(file, (SIDE_DOTS, SIDE_DOTS))
        found = (_webp(picture, quality) for quality in _QUALITIES)
        data = next((each for each in found if len(each) <= _ITEM_BYTES_MAX), b"")
        data = data or _webp(picture, _QUALITIES[-1])
        if len(data) > KEPT_BYTES_MAX:  # how clear each dot is is kept to the bit, however restless
            data = _webp(_on_white(picture).convert("RGB"), _QUALITIES[-1])
        return Picture(data, *picture.size)


def is_kept(data: bytes) -> bool:
    """Whether these bytes are a picture as `item_picture` makes them."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def logo(file: IO[bytes]) -> Picture:
    """A logo as PNG in black and white.

    Raises RefusedError as `item_picture`, and `picture.too_detailed`.
    """
    with _AT_ONCE:
        picture = _opened(file, (LOGO_WIDTH_DOTS, LOGO_ROWS)).convert("RGBA")
        dots = _on_white(picture).convert("L").convert("1")
        made = io.BytesIO()
        dots.save(made, "PNG", optimize=True)
    if made.tell() > LOGO_BYTES_MAX:
        raise RefusedError("picture.too_detailed", limit=LOGO_BYTES_MAX)
    return Picture(made.getvalue(), *dots.size)


def _on_white(picture: Image) -> Image:
    """An RGBA picture as it looks on paper."""
    from PIL import Image  # noqa: PLC0415 - only who uploads pictures waits for it

    return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)


def _webp(picture: Image, quality: int) -> bytes:
    made = io.BytesIO()
    picture.save(made, "WEBP", quality=quality, method=4)
    return made.getvalue()


def _refuse_huge(picture: Image) -> None:
    """By what the file says of itself, before any of it is unpacked."""
    if picture.width * picture.height > DOTS_MAX:
        raise RefusedError("picture.too_big", limit=DOTS_MAX // 1_000_000)


def _refuse_endless(file: IO[bytes]) -> None:
    """By its marks: the bytes of dots never look like one."""
    file.seek(0)
    is_endless = file.read(PICTURE_BYTES_MAX).count(_SCAN) > SCANS_MAX
    file.seek(0)
    if is_endless:
        raise RefusedError("picture.unreadable")


def _opened(file: IO[bytes], within: tuple[int, int]) -> Image:
    """The first picture of a file, upright, in plain colours, no larger than `within`."""
    from PIL import Image, ImageOps  # noqa: PLC0415

    try:
        with Image.open(file, formats=FORMATS) as found:
            _refuse_huge(found)
            if found.format not in {"PNG", "WEBP"}:  # JPEG, and what begins as one
                _refuse_endless(file)
            found.draft("RGB", (within[0] * 2, within[1] * 2))  # JPEG: read fewer dots at once
            mode = "RGBA" if found.has_transparency_data else "RGB"
            small = found if found.mode == mode else found.convert(mode)
            small.thumbnail((max(within), max(within)))  # before it is copied: it may lie on a side
            picture = ImageOps.exif_transpose(small)
    except RefusedError:
        raise
    except Exception as error:
        # Pillow has an error of its own for each thing that can be wrong with a file.
        raise RefusedError("picture.unreadable") from error
    picture.thumbnail(within)
    plain = Image.new(picture.mode, picture.size)  # without what the file said beside its dots
    plain.paste(picture)
    return plain
