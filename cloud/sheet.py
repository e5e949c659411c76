"""Spreadsheets (XLSX) as rows of text, and rows as a spreadsheet; the one module that knows them.

Of a workbook the first sheet counts. Formulas count by the value that the spreadsheet program
kept beside them.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from shared.kernel.errors import RefusedError

MAGIC = b"PK\x03\x04"
UNPACKED_BYTES_MAX = 1 << 30
"""What the parts of a workbook may hold in all: a small file can be packed from a huge one."""
WHOLE_BYTES_MAX = 48 << 20
"""What of it is read into memory whole, as objects some ten times as large: all but the sheets."""
ROWS_MAX = 1_048_575
"""What a sheet holds below its header."""
ERROR_VALUES = frozenset(
    {"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#GETTING_DATA"}
)
"""What a cell shows whose formula failed."""
MEMORY_BYTES = 4 << 20
COLUMN_WIDTHS = {"name": 36, "reason": 36}
COLUMN_WIDTH = 16


def is_sheet(stream: IO[bytes]) -> bool:
    """Whether a file that stands at its beginning is a workbook by its first bytes."""
    start = stream.tell()
    head = stream.read(len(MAGIC))
    stream.seek(start)
    return head == MAGIC


def sheet_rows(stream: IO[bytes]) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not blank, with its number from 1, as text without trailing empty cells.

    Raises RefusedError `import.workbook`, or `import.workbook_large`.
    """
    book = _opened(stream)
    try:
        rows = book.worksheets[0].iter_rows(values_only=True)
        for number, values in enumerate(rows, start=1):
            cells = [_text(value) for value in values]
            while cells and not cells[-1]:
                cells.pop()
            if cells:
                yield number, cells
    except RefusedError:
        raise
    except Exception as error:
        raise _unreadable(error) from error
    finally:
        book.close()


def workbook_of(columns: Sequence[str], rows: Iterable[Sequence[str | int | None]]) -> IO[bytes]:
    """A workbook with one sheet as a file at its beginning; RefusedError `export.too_long`.

    Text stays text, also where it looks like a number or a formula.
    """
    book = Workbook(write_only=True)
    sheet = book.create_sheet("tillbox")
    sheet.freeze_panes = "A2"
    for place, name in enumerate(columns, start=1):
        letter = get_column_letter(place)
        sheet.column_dimensions[letter].width = COLUMN_WIDTHS.get(name, COLUMN_WIDTH)
    try:
        sheet.append([_head(sheet, name) for name in columns])
        _fill(sheet, rows)
    except BaseException:
        with SpooledTemporaryFile(max_size=MEMORY_BYTES) as waste:
            book.save(waste)  # only saving removes the library's own files
        raise
    file = SpooledTemporaryFile(max_size=MEMORY_BYTES)  # noqa: SIM115 - the answer closes it
    book.save(file)
    file.seek(0)
    return file


def _fill(sheet: Any, rows: Iterable[Sequence[str | int | None]]) -> None:  # noqa: ANN401
    for number, row in enumerate(rows, start=1):
        if number > ROWS_MAX:
            raise RefusedError("export.too_long", rows=ROWS_MAX)
        sheet.append([_cell(sheet, value) for value in row])


def _opened(stream: IO[bytes]) -> Any:  # noqa: ANN401 - the library is untyped
    try:
        _check_size(stream)
        return load_workbook(stream, read_only=True, data_only=True, keep_links=False)
    except RefusedError:
        raise
    except Exception as error:  # a damaged file fails in as many ways as it has parts
        raise _unreadable(error) from error


def _check_size(stream: IO[bytes]) -> None:
    with zipfile.ZipFile(stream) as parts:
        sizes = {part.filename: part.file_size for part in parts.infolist()}
    stream.seek(0)
    sheets = sum(size for name, size in sizes.items() if name.startswith("xl/worksheets/"))
    whole = sum(sizes.values()) - sheets
    for size, limit in ((sheets + whole, UNPACKED_BYTES_MAX), (whole, WHOLE_BYTES_MAX)):
        if size > limit:
            raise RefusedError("import.workbook_large", limit=limit >> 20)


def _unreadable(error: Exception) -> RefusedError:
    return RefusedError("import.workbook", because=type(error).__name__)


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "1" if value else "0"
        case float() if value.is_integer():
            return str(int(value))
        case datetime() | date() | time():
            return value.isoformat()
        case _:
            return str(value)


def _head(sheet: Any, name: str) -> Any:  # noqa: ANN401 - the library is untyped
    cell = WriteOnlyCell(sheet, value=name)
    cell.font = Font(bold=True)
    return cell


def _cell(sheet: Any, value: str | int | None) -> Any:  # noqa: ANN401 - the library is untyped
    """Numbers and plain text go in as they are; what looks like a formula is kept as text."""
    if not isinstance(value, str) or not value.startswith(("=", "#")):
        return value
    cell = WriteOnlyCell(sheet, value=value)
    cell.data_type = "s"
    return cell
