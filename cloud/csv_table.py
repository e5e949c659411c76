"""Tables row by row, CSV or the first sheet of a workbook, with every error of every row.

A table that has one error is refused as a whole; the caller writes nothing before it has read
everything. Lines count from 1 and name the line on which a row starts.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

from cloud.sheet import ERROR_VALUES, is_sheet, sheet_rows
from shared.kernel.errors import RefusedError, RetailError

ROW_ERRORS_SHOWN_MAX = 10_000
CELL_LENGTH_MAX = 200
LONG_CELL_LENGTH_MAX = 4_000
LONG_COLUMNS = frozenset({"codes", "image"})
"""Lists and addresses."""
HEADER_LINE = 1
BYTE_ORDER_MARK = "\ufeff"

ErrorParam = str | int | None


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong with one cell, or with a whole row when `column` is None."""

    line: int
    column: str | None
    code: str
    params: dict[str, ErrorParam]


class ImportRefusedError(RefusedError):
    """A table was refused; `rows` are its errors by line, `count` how many there are in all."""

    def __init__(self, errors: Sequence[RowError]) -> None:
        super().__init__("import.refused", count=len(errors))
        self.count = len(errors)
        by_line = sorted(errors, key=lambda error: error.line)
        self.rows = by_line[:ROW_ERRORS_SHOWN_MAX]


@dataclass(slots=True)
class RowErrors:
    """Collects errors while a table is read."""

    found: list[RowError] = field(default_factory=list)

    def add(self, line: int, column: str | None, code: str, **params: ErrorParam) -> None:
        """Note one error."""
        self.found.append(RowError(line, column, code, params))

    def add_error(self, line: int, column: str, error: RetailError) -> None:
        """Note what a check of the core raised."""
        self.found.append(RowError(line, column, error.code, error.params))

    def raise_if_any(self) -> None:
        """Raise ImportRefusedError when something was noted."""
        if self.found:
            raise ImportRefusedError(self.found)


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the line it starts on, and its cells by column, without surrounding spaces."""

    line: int
    cells: Mapping[str, str]


def read_table(
    stream: IO[bytes], columns: Sequence[str], errors: RowErrors, optional: Sequence[str] = ()
) -> Iterator[Row]:
    """Rows of a UTF-8 CSV table or a workbook with these columns and no others, in any order.

    Rows have a cell of an `optional` column only where the table has the column. What is wrong
    is noted in `errors`; a row that cannot be told apart into cells is left out.
    """
    is_workbook = is_sheet(stream)
    rows = _sheet(stream, errors) if is_workbook else _rows(stream, errors)
    header = next(rows, None)
    if header is None:
        if not errors.found:
            errors.add(HEADER_LINE, None, "import.empty")
        return
    names = [cell.strip() for cell in header[1]]
    if not _is_header(names, columns, optional, errors):
        return
    for line, cells in rows:
        stripped = [cell.strip() for cell in cells]
        if is_workbook:  # a sheet has no cells where nothing stands
            stripped += [""] * (len(names) - len(stripped))
        if _is_row(stripped, names, line, errors):
            yield Row(line, dict(zip(names, stripped, strict=True)))


def _sheet(stream: IO[bytes], errors: RowErrors) -> Iterator[tuple[int, list[str]]]:
    try:
        yield from sheet_rows(stream)
    except RetailError as error:
        errors.found.append(RowError(HEADER_LINE, None, error.code, error.params))


def _rows(stream: IO[bytes], errors: RowErrors) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not blank, with the line it starts on."""
    reader = csv.reader(_lines(stream, errors), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            errors.add(line, None, "import.syntax", because=str(error))
            continue
        if cells:
            yield line, cells


def _lines(stream: IO[bytes], errors: RowErrors) -> Iterator[str]:
    """Decoded line by line, so that a wrong byte is reported where it stands."""
    for number, line in enumerate(stream, start=1):
        try:
            text = line.decode()
        except UnicodeDecodeError:
            errors.add(number, None, "import.encoding")
            text = line.decode(errors="replace")
        yield text.removeprefix(BYTE_ORDER_MARK) if number == 1 else text


def _is_header(
    names: list[str], columns: Sequence[str], optional: Sequence[str], errors: RowErrors
) -> bool:
    for name in columns:
        if name not in names:
            errors.add(HEADER_LINE, name, "import.column_missing", name=name)
    for place, name in enumerate(names):
        if name not in columns and name not in optional:
            errors.add(HEADER_LINE, name, "import.column_unknown", name=name[:CELL_LENGTH_MAX])
        elif name in names[:place]:
            errors.add(HEADER_LINE, name, "import.column_twice", name=name)
    return not errors.found


def _is_row(cells: list[str], names: list[str], line: int, errors: RowErrors) -> bool:
    if len(cells) != len(names):
        errors.add(line, None, "import.cells", found=len(cells), expected=len(names))
        return False
    bad = [(name, _fault(name, cell)) for name, cell in zip(names, cells, strict=True)]
    for name, code in bad:
        if code:
            errors.add(line, name, code, limit=_length_max(name))
    return not any(code for _, code in bad)


def _fault(name: str, cell: str) -> str:
    """What is wrong with any cell of that content; "" for nothing."""
    if len(cell) > _length_max(name):
        return "import.too_long"
    if cell in ERROR_VALUES:
        return "import.failed_formula"
    return "import.characters" if _has_control(cell) else ""


def _length_max(name: str) -> int:
    return LONG_CELL_LENGTH_MAX if name in LONG_COLUMNS else CELL_LENGTH_MAX


def _has_control(cell: str) -> bool:
    """Control characters cannot be stored or printed; other spaces than ASCII's are fine."""
    return not cell.isprintable() and any(unicodedata.category(sign) == "Cc" for sign in cell)
