"""Pictures that Pillow makes: the store's logo, and lines of a script that the printer lacks.

Pillow comes with python-escpos.  It is imported late: most boxes never draw.
"""

from __future__ import annotations

import io
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from edge.device.escpos_profile import PrinterProfile
from edge.device.escpos_text import printable
from edge.device.paper_raster import Raster
from shared.sale.columns import text_columns
from shared.sale.receipt import Align, ReceiptLine

if TYPE_CHECKING:
    from PIL import Image
    from PIL.ImageFont import FreeTypeFont

LOGO_ROWS_MAX = 400
"""Five centimetres: a bigger picture is taken for a mistake and made smaller."""
LOGO_BYTES_MAX = 4 << 20
LOGO_DOTS_MAX = 16 << 20
_FONT_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
_FONTS_MAX = 40
_FANCY = re.compile(r"bold|italic|oblique|condensed|narrow|light|serif|math", re.IGNORECASE)
_ROW_DOTS, _BASELINE_DOTS = 30, 23
_TEXT_DOTS, _TEXT_DOTS_MIN = 21, 10
_DARK = 128
_NOWHERE = "\U0010fffe"
"""No font has it: what is drawn for it is the font's sign for a missing character."""
_LAST_GAP = re.compile(r"^(.*?) {2,}(\S(?:.*\S)?)$")
_log = structlog.get_logger(__name__)


def logo_of(source: Path | bytes, dots: int) -> Raster | None:
    """The picture in a file or in these bytes, in black and white and at most `dots` wide.

    None, with a line in the log, for what is no picture or too big to be one.
    """
    from PIL import Image  # noqa: PLC0415

    path = source if isinstance(source, Path) else "head office"
    try:
        size = source.stat().st_size if isinstance(source, Path) else len(source)
        if size > LOGO_BYTES_MAX:
            _log.warning("receipt.logo_too_big", path=str(path))
            return None
        with Image.open(source if isinstance(source, Path) else io.BytesIO(source)) as picture:
            if picture.width * picture.height > LOGO_DOTS_MAX:
                _log.warning("receipt.logo_too_big", path=str(path))
                return None
            return _raster(_shrunk(_on_white(picture), dots).convert("1"))
    except Exception as error:  # noqa: BLE001 - whatever Pillow thinks of it, receipts go on
        _log.warning("receipt.logo_unreadable", path=str(path), because=str(error))
        return None


def _on_white(picture: Image.Image) -> Image.Image:
    from PIL import Image  # noqa: PLC0415

    layered = picture.convert("RGBA")
    paper = Image.new("RGBA", layered.size, "white")
    return Image.alpha_composite(paper, layered).convert("L")


def _shrunk(picture: Image.Image, dots: int) -> Image.Image:
    share = min(1.0, dots / picture.width, LOGO_ROWS_MAX / picture.height)
    if share == 1:
        return picture
    size = max(int(picture.width * share), 1), max(int(picture.height * share), 1)
    return picture.resize(size)


def _raster(picture: Image.Image) -> Raster:
    from PIL import ImageChops  # noqa: PLC0415

    data = ImageChops.invert(picture.convert("1")).tobytes()
    return Raster(picture.width, picture.height, data)


class LineDrawer:
    """Draws a line of text over the whole width of the paper, with the machine's fonts."""

    def __init__(self, font_path: str = "") -> None:
        self._font_path = font_path

    def draw(self, line: ReceiptLine, profile: PrinterProfile) -> Raster | None:
        """The line as a picture; None where no font here has all of its characters."""
        text = printable(line.text).rstrip()
        try:
            path = self._font_for(text)
            return None if path is None else _drawn(text, line, profile, path)
        except OSError as error:  # a font that went, or is none
            _log.warning("receipt.font_unreadable", because=str(error))
            return None

    def _font_for(self, text: str) -> Path | None:
        wanted = frozenset(text) - {" "}
        return next((path for path in _font_paths(self._font_path) if _has(path, wanted)), None)


def _drawn(text: str, line: ReceiptLine, profile: PrinterProfile, path: Path) -> Raster:
    from PIL import Image, ImageDraw  # noqa: PLC0415

    width = profile.paper_dots
    page = Image.new("L", (width, _ROW_DOTS * line.scale), 255)
    pen = ImageDraw.Draw(page)
    for piece, align in _pieces(text, line, profile.width_chars // line.scale):
        font = _fitting(path, piece, width, line.scale)
        length = font.getlength(piece)
        left = {
            Align.LEFT: 0.0,
            Align.CENTER: (width - length) / 2,
            Align.RIGHT: width - length,
        }
        for shift in (0, 1) if line.bold else (0,):
            at = (left[align] + shift, _BASELINE_DOTS * line.scale)
            pen.text(at, piece, fill=0, font=font, anchor="ls")
    return _raster(page.point(lambda shade: 255 if shade > _DARK else 0))


def _pieces(text: str, line: ReceiptLine, columns: int) -> list[tuple[str, Align]]:
    """A row that is full to its edge keeps the amount there; any other stands as it is."""
    found = _LAST_GAP.match(text) if text_columns(text) == columns else None
    if found is None:
        return [(text, line.align)]
    return [(found[1], Align.LEFT), (found[2], Align.RIGHT)]


def _fitting(path: Path, text: str, width: int, scale: int) -> FreeTypeFont:
    size = _TEXT_DOTS * scale
    while size > _TEXT_DOTS_MIN and _font(path, size).getlength(text) > width:
        size -= 1
    return _font(path, size)


@lru_cache(maxsize=4)
def _font_paths(chosen: str) -> tuple[Path, ...]:
    """Fonts to try, plain ones with fixed columns first."""
    found = {path for folder in _FONT_FOLDERS for path in folder.rglob("*.[to]t[fc]")}
    plain = sorted(path for path in found if not _FANCY.search(path.name))
    plain.sort(key=lambda path: "mono" not in path.name.lower())
    first = (Path(chosen),) if chosen and Path(chosen).is_file() else ()
    return (*first, *plain[:_FONTS_MAX])


@lru_cache(maxsize=512)
def _has(path: Path, characters: frozenset[str]) -> bool:
    try:
        font = _font(path, _TEXT_DOTS)
        missing = bytes(font.getmask(_NOWHERE))
        return all(bytes(font.getmask(each)) != missing for each in characters)
    except OSError:
        return False


@lru_cache(maxsize=32)
def _font(path: Path, size: int) -> FreeTypeFont:
    from PIL import ImageFont  # noqa: PLC0415

    return ImageFont.truetype(str(path), size)
