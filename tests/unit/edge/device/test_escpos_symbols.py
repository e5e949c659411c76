"""Codes and pictures fit on the paper, and the reader keeps their dots."""

import pytest

from edge.device.escpos import Artwork, encode
from edge.device.escpos_profile import PrinterProfile
from edge.device.escpos_symbols import barcode, picture, qr_code, qr_module_dots
from edge.device.paper import ImageRow, Paper, SymbolRow, TextRow
from edge.device.paper_html import paper_html
from edge.device.paper_raster import Raster, raster_of
from edge.device.paper_reader import PaperInterpreter
from edge.device.paper_symbols import ean8_modules, ean13_modules, symbol_raster
from edge.device.virtual_printer import PrinterModel
from shared.sale.receipt import ReceiptLine

WIDE, NARROW = PrinterProfile(), PrinterProfile(32)
CUT = b"\x1dV\x00"
LETTER_L = raster_of([[True, False], [True, False], [True, True]])


def rows_of(data: bytes):
    [paper] = PaperInterpreter().feed(data + CUT)
    assert isinstance(paper, Paper)
    return paper.rows


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("6901234567892", "ean13"),
        ("96385074", "ean8"),
        ("343-1-000042", "barcode"),
        ("A{B}", "barcode"),
        ("6901234567893", "barcode"),
    ],
)
def test_a_code_is_struck_as_what_it_is(text: str, kind: str) -> None:
    assert rows_of(barcode(text, WIDE)) == (SymbolRow(kind, text),)


@pytest.mark.parametrize("text", ["343-20170807-0000000042-0123456789", "合", "a\x01", "x" * 300])
def test_what_bars_cannot_say_becomes_a_qr_code(text: str) -> None:
    assert rows_of(barcode(text, NARROW)) == (SymbolRow("qr", text),)


@pytest.mark.parametrize("size", [10, 60, 84, 122, 180, 400])
def test_a_qr_code_fits_on_narrow_paper_and_stays_readable(size: int) -> None:
    dots = qr_module_dots(size, NARROW.paper_dots)
    assert 3 <= dots <= qr_module_dots(size, WIDE.paper_dots) <= 6
    drawn = rows_of(qr_code("x" * size, PrinterProfile(32, has_native_qr=False)))
    assert isinstance(drawn[0], ImageRow)
    assert drawn[0].raster.width <= NARROW.paper_dots


def test_a_qr_code_is_drawn_with_its_three_finders() -> None:
    [row] = rows_of(qr_code("https://hq.example", PrinterProfile(has_native_qr=False)))
    assert isinstance(row, ImageRow)
    scale = qr_module_dots(18, 576)
    raster = row.raster
    last = raster.height // scale - 1
    for x, y in ((2, 2), (last - 2, 2), (2, last - 2)):
        assert raster.dot(x * scale, y * scale)
    assert not raster.dot(0, 0)


def test_bands_of_a_tall_picture_make_one_picture_again() -> None:
    tall = Raster(16, 300, bytes(range(256)) * 2 + bytes(88))
    assert picture(tall).count(b"\x1dv0\x00") == 3
    assert rows_of(picture(tall)) == (ImageRow(tall),)


def test_a_logo_heads_the_receipt_in_the_middle() -> None:
    logo = Raster(8, 2, b"\xf0\x0f")
    row, *_ = rows_of(encode([ReceiptLine("a")], WIDE, Artwork(logo)))
    assert row == ImageRow(logo, "center")


_DOTS = Raster(8, 8, bytes((0x80, 0xC0, 0xA0, 0x90, 0x88, 0x84, 0x82, 0x81)))
_COLUMNS = bytes((0xFF, 0x40, 0x20, 0x10, 0x08, 0x04, 0x02, 0x01))
"""The same dots, column by column."""


@pytest.mark.parametrize(
    ("name", "data", "spread"),
    [
        ("GS v 0", b"\x1dv0\x00\x01\x00\x08\x00" + _DOTS.data, (1, 1)),
        ("GS v 0, double", b"\x1dv0\x03\x01\x00\x08\x00" + _DOTS.data, (2, 2)),
        ("GS *", b"\x1d*\x01\x01" + _COLUMNS + b"\x1d/\x00", (1, 1)),
        ("FS q", b"\x1cq\x01\x01\x00\x01\x00" + _COLUMNS + b"\x1cp\x01\x00", (1, 1)),
        (
            "GS ( L",
            b"\x1d(L\x12\x000p0\x01\x011\x08\x00\x08\x00" + _DOTS.data + b"\x1d(L\x02\x0002",
            (1, 1),
        ),
        (
            "GS 8 L, columns",
            b"\x1d8L\x12\x00\x00\x000q0\x01\x021\x08\x00\x08\x00" + _COLUMNS + b"\x1d(L\x02\x0002",
            (1, 2),
        ),
        ("ESC *", b"\x1b*\x01\x08\x00" + _COLUMNS + b"\n", (1, 3)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_way_to_send_a_picture_gives_its_dots(
    name: str, data: bytes, spread: tuple[int, int]
) -> None:
    [row] = rows_of(data)
    assert isinstance(row, ImageRow), name
    across, down = spread
    assert (row.raster.width, row.raster.height) == (8 * across, 8 * down)
    for x in range(8):
        for y in range(8):
            assert row.raster.dot(x * across, y * down) == _DOTS.dot(x, y), (name, x, y)


def test_a_picture_that_claims_to_be_huge_is_left_out() -> None:
    claimed = b"\x1d(L\x0a\x000p0\x01\x011\xff\xff\xff\xff"
    [row] = rows_of(claimed + b"\x1d(L\x02\x0002a\n")
    assert isinstance(row, TextRow)


def test_bars_follow_the_standard() -> None:
    assert ean13_modules("4006381333931") is not None
    assert len(ean13_modules("4006381333931") or "") == 95
    assert ean13_modules("4006381333932") is None
    assert ean8_modules("96385074") == (
        "1010001011010111101111010110111" + "010101001110111001010001001011100101"
    )
    assert symbol_raster(SymbolRow("barcode", "ü"), 576) is None


def test_the_page_shows_codes_that_a_phone_can_read() -> None:
    page = paper_html(Paper((SymbolRow("qr", "https://hq.example/r"), ImageRow(LETTER_L))))
    assert page.count("data:image/png;base64,") == 2
    assert '<span class="caption">' in paper_html(Paper((SymbolRow("ean13", "1"),)))


@pytest.mark.parametrize(
    "dots", [b"\x10\x14\x01\x00\x02", b"\x10\x04\x01", b"\x10\x04\x04\x10\x05"]
)
def test_no_picture_opens_the_drawer_or_makes_the_printer_talk(dots: bytes) -> None:
    """Printers obey real-time commands wherever they meet them."""
    machine = PrinterModel()
    data = dots.ljust(8, b"\x00") * 3
    assert machine.take(picture(Raster(64, 3, data)) + CUT) == b""
    assert machine.drawer_opened == 0
    [paper] = machine.papers()
    [row] = paper.paper.rows
    assert isinstance(row, ImageRow)
    changed = [a ^ b for a, b in zip(row.raster.data, data, strict=True)]
    assert sum(each.bit_count() for each in changed) <= 6, "one dot for each"
