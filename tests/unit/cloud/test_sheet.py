"""Workbooks are read as the same rows as CSV, and written so that text stays text."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime

import pytest
from openpyxl import Workbook

from cloud import sheet
from cloud.csv_table import Row, RowErrors, read_table
from shared.kernel.errors import RefusedError

COLUMNS = ("ean13", "name", "price")


def a_book(*rows: tuple[object, ...]) -> io.BytesIO:
    book = Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    return file


def read(file: io.BytesIO) -> tuple[list[Row], list[tuple[int, str | None, str]]]:
    errors = RowErrors()
    rows = list(read_table(file, COLUMNS, errors, ("effective_at",)))
    return rows, [(error.line, error.column, error.code) for error in errors.found]


def test_a_workbook_reads_as_a_csv_file_does() -> None:
    header = (*COLUMNS, "effective_at")
    rows, errors = read(
        a_book(
            header,
            (4006381333931, " Milk 牛奶 ", 199, datetime(2026, 1, 5, 8)),  # noqa: DTZ001
            (),
            ("5901234123457", "Bread", 1.5),
            ("5901234123457", True, None, date(2026, 1, 5)),
        )
    )
    assert errors == []
    assert [(row.line, tuple(row.cells.values())) for row in rows] == [
        (2, ("4006381333931", "Milk 牛奶", "199", "2026-01-05T08:00:00")),
        (4, ("5901234123457", "Bread", "1.5", "")),
        (5, ("5901234123457", "1", "", "2026-01-05T00:00:00")),
    ]


def test_what_is_wrong_with_a_workbook_is_named() -> None:
    assert read(a_book(COLUMNS, ("1", "#REF!", "2", "3")))[1] == [(2, None, "import.cells")]
    assert read(a_book(COLUMNS, ("1", "#REF!", "2")))[1] == [(2, "name", "import.failed_formula")]
    assert read(a_book())[1] == [(1, None, "import.empty")]
    assert read(io.BytesIO(sheet.MAGIC + b"not a workbook"))[1] == [(1, None, "import.workbook")]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as parts:
        parts.writestr("readme.txt", "no workbook either")
    archive.seek(0)
    assert read(archive)[1] == [(1, None, "import.workbook")]


def test_a_workbook_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet, "UNPACKED_BYTES_MAX", 100)
    assert read(a_book(COLUMNS))[1] == [(1, None, "import.workbook_large")]


def test_texts_that_are_packed_small_and_fill_the_memory_are_refused() -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/sharedStrings.xml", b"<si><t>a</t></si>" * (sheet.WHOLE_BYTES_MAX // 16))
    assert len(bomb.getvalue()) < 200_000
    bomb.seek(0)
    with pytest.raises(RefusedError, match=r"import\.workbook_large"):
        list(sheet.sheet_rows(bomb))


def test_what_was_written_reads_the_same_and_runs_no_formula() -> None:
    rows: list[tuple[str | int | None, ...]] = [
        ("0012345678905", "=1+1", 199),
        ("4006381333931", "#1 Tea", 0),
        ("5901234123457", "", None),
    ]
    with sheet.workbook_of(COLUMNS, rows) as file:
        written = io.BytesIO(file.read())
    found = [cells for _, cells in sheet.sheet_rows(written)]
    assert found == [
        list(COLUMNS), ["0012345678905", "=1+1", "199"], ["4006381333931", "#1 Tea", "0"],
        ["5901234123457"],
    ]  # fmt: skip
    with zipfile.ZipFile(written) as parts:
        assert b"<f>" not in parts.read("xl/worksheets/sheet1.xml")


def test_a_sheet_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet, "ROWS_MAX", 1)
    with pytest.raises(RefusedError, match=r"export\.too_long"):
        sheet.workbook_of(COLUMNS, [("1",), ("2",)])
