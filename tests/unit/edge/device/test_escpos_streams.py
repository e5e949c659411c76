"""Streams that other programs made for printers are read to the last command."""

from pathlib import Path

import pytest

from edge.device.escpos_grammar import Charset, next_token
from edge.device.paper import ImageRow, Paper, SymbolRow
from edge.device.paper_reader import DrawerPulse, PaperInterpreter

STREAMS = Path(__file__).parents[5] / "shared" / "data" / "escpos"
needs_streams = pytest.mark.skipif(
    not STREAMS.is_dir(), reason="the sample streams are missing: they lie beside the repository"
)


@needs_streams
def test_an_invoice_with_a_logo() -> None:
    reader = PaperInterpreter()
    paper, pulse = reader.feed((STREAMS / "receipt-with-logo.bin").read_bytes())
    assert isinstance(paper, Paper)
    assert pulse == DrawerPulse(2)
    assert not reader.unknown
    [logo] = [row for row in paper.rows if isinstance(row, ImageRow)]
    assert (logo.raster.width, logo.raster.height, logo.align) == (300, 236, "center")
    assert not logo.raster.dot(0, 0)
    assert sum(byte.bit_count() for byte in logo.raster.data) > 5000
    assert "Total            $ 14.25" in paper.text


@needs_streams
def test_a_sampler_of_barcodes() -> None:
    reader = PaperInterpreter()
    [paper] = reader.feed((STREAMS / "barcode.bin").read_bytes())
    assert isinstance(paper, Paper)
    assert not reader.unknown
    kinds = [row.kind for row in paper.rows if isinstance(row, SymbolRow)]
    assert (len(kinds), kinds.count("ean13"), kinds.count("ean8")) == (40, 6, 2)
    assert SymbolRow("ean13", "0123456789012") in paper.rows


@pytest.mark.parametrize(
    "command",
    [
        b"\x1b@",
        b"\x1b$\x01\x02",
        b"\x1b&\x03AB\x02abcabc\x01xyz",
        b"\x1b*\x21\x02\x00abcdef",
        b"\x1bD\x08\x10\x00",
        b"\x1bW12345678",
        b"\x1bZ\x00M\x06\x02\x00ab",
        b"\x1d(A\x02\x00\x00\x01",
        b"\x1d*\x01\x0112345678",
        b"\x1d/\x00",
        b"\x1d8L\x02\x00\x00\x0002",
        b"\x1dC0ab",
        b"\x1dC1abcdef",
        b"\x1dC;1;2;3;4;5;",
        b"\x1dV\x42\x00",
        b"\x1dV\x01",
        b"\x1dg0m12",
        b"\x1dk\x04ABC\x00",
        b"\x1dk\x49\x03{BA",
        b"\x1dv0\x00\x01\x00\x02\x00ab",
        b"\x1dz012",
        b"\x1c(C\x02\x0002",
        b"\x1c2ab" + bytes(72),
        b"\x1cg1m1234\x02\x00ab",
        b"\x1cg2m1234\x02\x00",
        b"\x1cp\x01\x00",
        b"\x1cq\x01\x01\x00\x01\x0012345678",
        b"\x10\x04\x01",
        b"\x10\x04\x07\x01",
        b"\x10\x05\x01",
        b"\x10\x14\x01\x00\x01",
        b"\x10\x14\x03abcde",
        b"\x10\x14\x081234567",
    ],
)
def test_a_command_ends_where_it_ends(command: bytes) -> None:
    for cut in range(1, len(command)):
        assert next_token(command[:cut], 0) is None
    token = next_token(command + b"text", 0)
    assert token is not None
    assert (token.kind, token.size) == ("command", len(command))


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("gb18030", "合a㐀😀".encode("gb18030")),
        ("big5", "合計a".encode("cp950")),
        ("cp932", "ｱ表a".encode("cp932")),
        ("utf8", "é合😀a".encode()),
    ],
)
def test_a_character_is_never_torn(charset: Charset, text: bytes) -> None:
    for end in range(1, len(text)):
        token = next_token(text[:end], 0, charset)
        assert token is None or text.startswith(token.data)
        shown = b"" if token is None else token.data
        codec = {"utf8": "utf-8", "big5": "cp950"}.get(charset, charset)
        assert shown.decode(codec) in text.decode(codec)
