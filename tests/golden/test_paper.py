"""What comes out of a printer: the picture of each golden print-out, dot by dot.

The text and bytes of these print-outs are compared always (`test_golden.py`).  The committed
pictures were drawn with one version of one font: with another version only their structure is
compared, cell by cell, for which any version will do.
"""

import json
from itertools import pairwise

import pytest
from PIL import Image, ImageChops

from edge.device.paper import DOTS_PER_COLUMN, ImageRow, Paper, SymbolRow, TextRow
from edge.device.paper_symbols import symbol_raster
from shared.sale.columns import text_columns
from tests.golden.made_paper import CASES, FOLDER, paper_of, payload_of
from tests.lab import paper_png

GOAL_BYTES = 6 * 1024
PICTURED = ("paper_zh-CN_80_logo", "paper_zh-CN_58", "paper_zh-TW_80", "paper_en_cp858_42")
DOTS_DIFFERING_MAX = 40
"""Of a quarter of a million or more: a font library may round an edge another way."""
needs_font = pytest.mark.skipif(
    not paper_png.has_font(), reason="fonts-wqy-microhei is missing: pictures cannot be drawn"
)


@pytest.mark.parametrize("name", CASES)
def test_no_row_is_wider_than_the_paper(name: str) -> None:
    paper = paper_of(CASES[name])
    rows = [row for row in paper.rows if isinstance(row, TextRow)]
    assert rows
    assert [row.text for row in rows if row.columns > paper.columns] == []
    for row in paper.rows:
        if isinstance(row, ImageRow):
            assert row.raster.width <= CASES[name].profile.paper_dots


@pytest.mark.parametrize("name", CASES)
def test_amounts_end_at_the_right_edge(name: str) -> None:
    """Rows that a layout fills keep their end there, whatever a printer's character widths."""
    paper = paper_of(CASES[name])
    amounts = [
        row
        for row in paper.rows
        if isinstance(row, TextRow) and row.align == "left" and row.text[-3:-2] == "."
    ]
    assert amounts
    assert {row.columns for row in amounts} == {paper.columns}


def test_a_receipt_of_40_lines_stays_small() -> None:
    assert len(payload_of(CASES["paper_zh-CN_80_40_lines"])) <= GOAL_BYTES


@needs_font
@pytest.mark.parametrize("name", CASES)
def test_ink_stands_where_the_paper_says(name: str) -> None:
    paper = paper_of(CASES[name])
    page, tops = paper_png.render(paper), paper_png.row_tops(paper)
    for row, (top, bottom) in zip(paper.rows, pairwise(tops), strict=True):
        strip = page.crop((0, top, page.width, bottom))
        if isinstance(row, TextRow):
            assert _inked_cells(strip, row, paper) == _printed_cells(row), row.text
        elif isinstance(row, SymbolRow):
            assert symbol_raster(row, page.width) is not None
        else:
            ink = strip.histogram()[0]
            assert ink == sum(byte.bit_count() for byte in row.raster.data)


def _printed_cells(row: TextRow) -> list[bool]:
    return [not each.isspace() for span in row.spans for each in span.text]


def _inked_cells(strip: Image.Image, row: TextRow, paper: Paper) -> list[bool]:
    """For each character whether its cell has ink; no ink may lie beyond the cells."""
    small = 3 / 4
    found, used = [], sum(_cell(span, small) * len(span.text) for span in row.spans)
    spare = paper.columns * DOTS_PER_COLUMN - used
    left = {"left": 0, "center": spare // 2}.get(row.align, spare)
    assert _ink(strip.crop((0, 0, left, strip.height))) == 0
    for span in row.spans:
        for _ in span.text:
            right = left + _cell(span, small)
            found.append(_ink(strip.crop((left, 0, right, strip.height))) > 0)
            left = right
    assert _ink(strip.crop((left, 0, strip.width, strip.height))) == 0
    return found


def _cell(span, small: float) -> int:
    cell = DOTS_PER_COLUMN * span.cell * span.style.width
    return int(cell * small) if span.style.is_small else cell


def _ink(picture: Image.Image) -> int:
    return picture.convert("L").histogram()[paper_png.BLACK] if picture.width else 0


@needs_font
@pytest.mark.parametrize("name", PICTURED)
def test_the_picture_is_the_committed_one(name: str) -> None:
    page = paper_png.render(paper_of(CASES[name]))
    with Image.open(FOLDER / f"{name}.png") as committed:
        assert page.size == committed.size
        drawn_with = json.loads((FOLDER / "paper_font.json").read_text(encoding="utf-8"))
        if drawn_with["sha256"] == paper_png.font_digest():
            different = ImageChops.logical_xor(page, committed.convert("1"))
            assert different.histogram()[255] <= DOTS_DIFFERING_MAX


def test_a_chinese_row_counts_as_the_printer_strikes_it() -> None:
    rows = [row for row in paper_of(CASES["paper_zh-CN_80"]).rows if isinstance(row, TextRow)]
    chinese = [row for row in rows if "康师傅" in row.text]
    assert [row.columns for row in chinese] == [text_columns(row.text) for row in chinese]
    assert chinese
