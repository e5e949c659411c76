"""One cell of the catalogue's table: read with its checks, and written. Pure."""

from __future__ import annotations

import re
from datetime import datetime

from cloud.csv_table import Row, RowErrors
from shared.item.pack_code import PackCode, parse_pack_code
from shared.kernel.errors import RefusedError, RetailError
from shared.kernel.gtin import Gtin, parse_gtin
from shared.kernel.wall_clock import FROM_YEAR, TO_YEAR

YES = frozenset({"1", "true", "yes"})
NO = frozenset({"0", "false", "no", ""})
LIST_SEPARATOR = "|"
TAX_CLASS_LENGTH_MAX = 32
_TAX_CLASS = re.compile(r"[a-z0-9_-]{0,32}", re.ASCII)
_IMAGE = re.compile(r"sha256:[0-9a-f]{64}|https://[^\s\"'<>]{1,2000}", re.ASCII)


def gtin_of(row: Row, errors: RowErrors) -> Gtin | None:
    """The row's own code; None after an error."""
    try:
        return parse_gtin(row.cells["ean13"])
    except RetailError as error:
        errors.add_error(row.line, "ean13", error)
        return None


def flag(row: Row, column: str, errors: RowErrors) -> bool:
    """Yes or no; an empty cell is no."""
    cell = row.cells[column].lower()
    if cell not in YES | NO:
        errors.add(row.line, column, "import.yes_or_no", value=row.cells[column])
    return cell in YES


def whole(row: Row, column: str, most: int, errors: RowErrors) -> int | None:
    """A whole number from 0 to `most`; None where nothing is stated, or after an error."""
    cell = row.cells.get(column, "")
    if not cell:
        return None
    is_number = cell.isascii() and cell.isdigit() and len(cell) <= len(str(most))
    if not is_number or int(cell) > most:
        errors.add(row.line, column, "import.range", value=cell[:40], least=0, most=most)
        return None
    return int(cell)


def tags(row: Row) -> tuple[str, ...]:
    """Words between bars, sorted, none twice."""
    return tuple(sorted({tag.strip() for tag in _listed(row, "tags")} - {""}))


def codes(row: Row, errors: RowErrors) -> tuple[PackCode, ...]:
    """Further barcodes between bars, sorted; one that stands twice is named."""
    found: dict[Gtin, PackCode] = {}
    for text in _listed(row, "codes"):
        try:
            code = parse_pack_code(text)
        except RetailError as error:
            errors.add_error(row.line, "codes", error)
            continue
        if code.gtin in found:
            errors.add(row.line, "codes", "import.duplicate", value=code.gtin, first=row.line)
        found[code.gtin] = code
    return tuple(sorted(found.values()))


def tax_class(row: Row, errors: RowErrors) -> str:
    """The key of a tax class; "" is none."""
    cell = row.cells.get("tax_class", "")
    if _TAX_CLASS.fullmatch(cell) is None:
        limit = TAX_CLASS_LENGTH_MAX
        errors.add(row.line, "tax_class", "item.tax_class", value=cell[:40], limit=limit)
    return cell


def image(row: Row, errors: RowErrors) -> str:
    """A reference to a picture; "" is none."""
    cell = row.cells.get("image", "")
    if cell and _IMAGE.fullmatch(cell) is None:
        errors.add(row.line, "image", "item.image", value=cell[:40])
    return cell


def wall_clock(text: str) -> str:
    """A time on the store's own clock to the minute, "2026-12-01T00:00"; midnight for a day.

    Raises RefusedError `import.time` or `import.time_range`.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise RefusedError("import.time", value=text[:40]) from None
    if found.tzinfo is not None:
        raise RefusedError("import.time", value=text[:40])
    if not FROM_YEAR <= found.year <= TO_YEAR:
        raise RefusedError("import.time_range", from_year=FROM_YEAR, to_year=TO_YEAR)
    return found.isoformat(timespec="minutes")


def cell_of(value: object) -> str | int:
    """A field of an item as a cell."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, tuple):
        texts = (each.text if isinstance(each, PackCode) else str(each) for each in value)
        return LIST_SEPARATOR.join(texts)
    if isinstance(value, int):
        return value
    return "" if value is None else str(value)


def _listed(row: Row, column: str) -> list[str]:
    return [part for part in row.cells.get(column, "").split(LIST_SEPARATOR) if part.strip()]
