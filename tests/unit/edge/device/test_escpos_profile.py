"""What the settings of a printer mean for its print-outs."""

import tomllib
from pathlib import Path

import pytest

from edge.device.escpos import encode
from edge.device.escpos_profile import CODE_PAGES, PrinterProfile, profile_of
from edge.device.paper import COLUMNS_DEFAULT
from edge.settings import parse_settings
from shared.kernel.errors import RefusedError
from shared.sale.receipt import ReceiptLine


def profile(document: str) -> PrinterProfile:
    return profile_of(parse_settings(Path("data"), tomllib.loads(document)).printer)


def test_a_printer_without_settings_is_a_chinese_one_on_80_mm() -> None:
    assert profile("") == PrinterProfile()
    assert (PrinterProfile().width_chars, PrinterProfile().paper_dots) == (COLUMNS_DEFAULT, 576)


def test_code_pages_are_named_with_the_printers_own_numbers() -> None:
    made = profile('[printer]\nencoding = "cp437"\ncode_pages = "cp858 cp866=7 cp437=0"')
    assert made.page_numbers == (("cp437", 0), ("cp858", 19), ("cp866", 7))
    assert profile('[printer]\ncode_pages = "cp1252"').page_numbers == (("cp1252", 16),)
    assert len(set(CODE_PAGES.values())) == len(CODE_PAGES)


def test_paper_is_as_wide_as_said_or_as_its_columns() -> None:
    assert profile('[printer]\nencoding = "cp437"\nwidth_chars = 42\ndots = 512').paper_dots == 512
    assert profile('[printer]\nencoding="cp437"\nfont="b"\nwidth_chars=64').paper_dots == 576


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ('encoding = "utf-7"', "printer.encoding"),
        ('cut = "tear"', "printer.cut"),
        ('font = "b"', "printer.font"),
        ('code_pages = "cp999"', "printer.code_pages"),
        ('code_pages = "cp437=256"', "printer.code_pages"),
        ('code_pages = "cp437=x"', "printer.code_pages"),
        ("width_chars = 8", "printer.width_chars"),
        ("dots = 5000", "printer.dots"),
        ("feed_lines = 99", "printer.feed_lines"),
    ],
)
def test_a_mistake_is_named(line: str, field: str) -> None:
    with pytest.raises(RefusedError) as problem:
        profile(f"[printer]\n{line}")
    assert problem.value.params["field"] == field


def test_a_logo_lies_in_the_data_folder() -> None:
    with pytest.raises(RefusedError) as problem:
        parse_settings(Path("data"), {"receipt": {"logo": "../secret.png"}})
    assert problem.value.params["field"] == "receipt.logo"


@pytest.mark.parametrize(
    ("made", "end"),
    [
        (PrinterProfile(), b"\x1bd\x03\x1dV\x42\x00"),
        (PrinterProfile(cut="full", feed_lines=0), b"\n\x1dV\x41\x00"),
        (PrinterProfile(cut="none"), b"\x1bd\x09"),
    ],
)
def test_paper_is_fed_and_cut_as_the_printer_can(made: PrinterProfile, end: bytes) -> None:
    assert encode([ReceiptLine("a")], made).endswith(end)
