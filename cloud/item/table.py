"""The catalogue's CSV table: columns, and each row's checks. Pure."""

from __future__ import annotations

from typing import IO

from cloud.csv_table import Row, RowErrors, read_table
from shared.item.barcode import PLU_DIGITS
from shared.item.item import Item
from shared.kernel.errors import RetailError
from shared.kernel.gtin import parse_gtin

COLUMNS = (
    "ean13",
    "name",
    "department",
    "category",
    "brand",
    "package_size",
    "weighed",
    "plu",
)
YES = frozenset({"1", "true", "yes"})
NO = frozenset({"0", "false", "no", ""})


def read_items(stream: IO[bytes], errors: RowErrors) -> list[tuple[int, Item]]:
    """Every good row as (line, item); what is wrong with the others is in `errors`."""
    found: list[tuple[int, Item]] = []
    line_of_gtin: dict[str, int] = {}
    line_of_plu: dict[str, int] = {}
    for row in read_table(stream, COLUMNS, errors):
        item = _item(row, errors)
        if item is None:
            continue
        first = line_of_gtin.setdefault(item.gtin, row.line)
        if first != row.line:
            errors.add(row.line, "ean13", "import.duplicate", value=item.gtin, first=first)
        first = line_of_plu.setdefault(item.plu, row.line) if item.plu else row.line
        if first != row.line:
            errors.add(row.line, "plu", "import.duplicate", value=item.plu, first=first)
        found.append((row.line, item))
    return found


def cells_of(item: Item) -> tuple[str, ...]:
    """An item as a row of the table, in the order of `COLUMNS`."""
    weighed = "1" if item.is_weighed else "0"
    return (
        item.gtin,
        item.name,
        item.department,
        item.category,
        item.brand,
        item.package_size,
        weighed,
        item.plu or "",
    )


def _item(row: Row, errors: RowErrors) -> Item | None:
    cells, before = row.cells, len(errors.found)
    gtin = None
    try:
        gtin = parse_gtin(cells["ean13"])
    except RetailError as error:
        errors.add_error(row.line, "ean13", error)
    if not cells["name"]:
        errors.add(row.line, "name", "import.required")
    weighed = cells["weighed"].lower()
    if weighed not in YES | NO:
        errors.add(row.line, "weighed", "import.yes_or_no", value=cells["weighed"])
    plu = cells["plu"]
    if plu and not (plu.isascii() and plu.isdigit() and len(plu) <= PLU_DIGITS):
        errors.add(row.line, "plu", "item.plu", value=plu, digits=PLU_DIGITS)
    if gtin is None or len(errors.found) > before:
        return None
    return Item(
        gtin=gtin,
        name=cells["name"],
        department=cells["department"],
        category=cells["category"],
        brand=cells["brand"],
        package_size=cells["package_size"],
        is_weighed=weighed in YES,
        plu=plu.zfill(PLU_DIGITS) if plu else None,
    )
