"""Logos and lines of text as pictures: what Pillow makes of them fits a thermal head."""

import zlib
from pathlib import Path

import pytest
from PIL import Image

from edge.device.escpos_profile import PrinterProfile
from edge.device.paper_drawing import LOGO_ROWS_MAX, LineDrawer, logo_of
from edge.device.paper_raster import Raster, png_of
from edge.receipt.artwork import StoreArtwork
from edge.settings import ReceiptSettings
from shared.sale.receipt import Align, ReceiptLine
from tests.lab.debian import WQY_FONT

PROFILE = PrinterProfile(32, "cp437")
needs_font = pytest.mark.skipif(
    not WQY_FONT.is_file(), reason="fonts-wqy-microhei is missing: no Chinese can be drawn"
)


def saved(path: Path, picture: Image.Image) -> Path:
    picture.save(path)
    return path


def ink(raster: Raster) -> int:
    return sum(byte.bit_count() for byte in raster.data)


def test_a_logo_keeps_black_and_white_and_what_is_transparent_stays_paper(tmp_path: Path) -> None:
    picture = Image.new("LA", (20, 4), (0, 0))
    picture.paste((0, 255), (0, 0, 10, 4))
    logo = logo_of(saved(tmp_path / "logo.png", picture), 576)
    assert logo is not None
    assert (logo.width, logo.height, ink(logo)) == (20, 4, 40)
    assert logo.dot(9, 3)
    assert not logo.dot(10, 3)


def test_grey_is_dithered(tmp_path: Path) -> None:
    logo = logo_of(saved(tmp_path / "logo.png", Image.new("L", (64, 64), 128)), 576)
    assert logo is not None
    assert 64 * 64 * 0.4 < ink(logo) < 64 * 64 * 0.6


def test_a_logo_is_made_to_fit_the_paper(tmp_path: Path) -> None:
    wide = logo_of(saved(tmp_path / "wide.png", Image.new("L", (2000, 100))), 384)
    tall = logo_of(saved(tmp_path / "tall.png", Image.new("L", (100, 2000))), 384)
    assert wide is not None
    assert tall is not None
    assert (wide.width, wide.height) == (384, 19)
    assert (tall.width, tall.height) == (20, LOGO_ROWS_MAX)


def test_what_is_no_picture_is_left_out_and_holds_nothing_up(tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(b"not a picture")
    (tmp_path / "cut.png").write_bytes(png_of(Raster(8, 8, bytes(8)))[:40])
    endless = bytearray(png_of(Raster(8, 8, bytes(8))))
    endless[16:24] = b"\x00\x00\xff\xff" * 2
    endless[29:33] = zlib.crc32(endless[12:29]).to_bytes(4, "big")
    (tmp_path / "bomb.png").write_bytes(endless)
    for name in ("logo.png", "cut.png", "missing.png", "bomb.png"):
        artwork = StoreArtwork(tmp_path, ReceiptSettings(logo=name))
        assert artwork.of(PROFILE).logo is None


def test_a_logo_is_made_once_per_width_and_again_when_it_is_replaced(tmp_path: Path) -> None:
    path = saved(tmp_path / "logo.png", Image.new("1", (16, 8)))
    artwork = StoreArtwork(tmp_path, ReceiptSettings(logo="logo.png"))
    first = artwork.of(PROFILE).logo
    assert artwork.of(PROFILE).logo is first
    saved(path, Image.new("1", (24, 8)))
    replaced = artwork.of(PROFILE).logo
    assert replaced is not None
    assert replaced.width == 24
    assert StoreArtwork(tmp_path, ReceiptSettings()).of(PROFILE).logo is None


def test_a_picture_is_written_as_png_that_others_read(tmp_path: Path) -> None:
    raster = Raster(12, 2, b"\xf0\x00\x00\x10")
    (tmp_path / "a.png").write_bytes(png_of(raster))
    with Image.open(tmp_path / "a.png") as picture:
        assert (picture.size, picture.mode) == ((12, 2), "1")
        black = [(x, y) for y in range(2) for x in range(12) if not picture.getpixel((x, y))]
    assert black == [(0, 0), (1, 0), (2, 0), (3, 0), (11, 1)]


@needs_font
def test_a_line_of_another_script_is_drawn_over_the_whole_paper() -> None:
    amount = ReceiptLine("苹果".ljust(25) + "12.50")
    drawn = LineDrawer(str(WQY_FONT)).draw(amount, PROFILE)
    assert drawn is not None
    assert (drawn.width, drawn.height) == (384, 30)
    columns = [any(drawn.dot(x, y) for y in range(30)) for x in range(384)]
    assert not any(columns[100:300]), "the gap stays"
    assert any(columns[:60])
    assert any(columns[-6:]), "the amount stays at the right edge"


@needs_font
def test_bold_and_double_lines_are_drawn_so() -> None:
    drawer = LineDrawer(str(WQY_FONT))
    plain = drawer.draw(ReceiptLine("苹果", Align.CENTER), PROFILE)
    bold = drawer.draw(ReceiptLine("苹果", Align.CENTER, bold=True), PROFILE)
    double = drawer.draw(ReceiptLine("苹果", Align.CENTER, scale=2), PROFILE)
    assert plain is not None
    assert bold is not None
    assert double is not None
    assert ink(plain) < ink(bold)
    assert double.height == 60
    long = drawer.draw(ReceiptLine("苹" * 40), PROFILE)
    assert long is not None
    assert long.width == 384


def test_no_font_draws_what_no_font_has() -> None:
    assert LineDrawer().draw(ReceiptLine("\U0010fff0"), PROFILE) is None


def test_head_offices_logo_counts_before_the_boxs_own(tmp_path: Path) -> None:
    saved(tmp_path / "logo.png", Image.new("1", (16, 8)))
    wanted: list[bytes | None] = [None]
    artwork = StoreArtwork(tmp_path, ReceiptSettings(logo="logo.png"), lambda: wanted[-1])

    def width() -> int | None:
        logo = artwork.of(PROFILE).logo
        return None if logo is None else logo.width

    assert width() == 16
    wanted.append(png_of(Raster(32, 8, bytes(32))))
    assert width() == 32
    wanted.append(b"")
    assert width() is None, "head office wants none"
    wanted.append(b"\x89PNG\r\n\x1a\n broken")
    assert width() is None
