"""The catalogue's CSV table: columns, and each row's checks. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, TypedDict

from cloud.csv_table import Row, RowErrors, read_table
from cloud.item.master import MasterItem
from shared.item.barcode import PLU_DIGITS
from shared.kernel.errors import RetailError
from shared.kernel.gtin import parse_gtin
from shared.kernel.money import PRICE_MINOR_MAX
from shared.price.reward import FULL_BP

REQUIRED = {
    "ean13": "gtin",
    "name": "name",
    "department": "department",
    "category": "category",
    "brand": "brand",
    "package_size": "package_size",
    "weighed": "is_weighed",
    "plu": "plu",
}
OPTIONAL = {
    "tags": "tags",
    "tax_bp": "tax_bp",
    "promotable": "is_promotable",
    "min_price_cents": "min_price_minor",
    "min_margin_bp": "min_margin_bp",
    "cost_cents": "cost_minor",
    "uom": "uom",
}
"""What a table may leave out: items then keep what they have."""
FIELD_OF = REQUIRED | OPTIONAL
COLUMNS = tuple(FIELD_OF)
YES = frozenset({"1", "true", "yes"})
NO = frozenset({"0", "false", "no", ""})
TAG_SEPARATOR = "|"
UOM_LENGTH_MAX = 16


@dataclass(frozen=True, slots=True)
class ItemTable:
    """Good rows as (line, item), and which fields the table states."""

    rows: list[tuple[int, MasterItem]]
    fields: tuple[str, ...]


class _Terms(TypedDict):
    tags: tuple[str, ...]
    tax_bp: int
    is_promotable: bool
    min_price_minor: int
    min_margin_bp: int | None
    cost_minor: int | None
    uom: str


def read_items(stream: IO[bytes], errors: RowErrors) -> ItemTable:
    """Every good row; what is wrong with the others is in `errors`."""
    found: list[tuple[int, MasterItem]] = []
    columns = set(REQUIRED)
    line_of_gtin: dict[str, int] = {}
    line_of_plu: dict[str, int] = {}
    for row in read_table(stream, tuple(REQUIRED), errors, tuple(OPTIONAL)):
        columns |= row.cells.keys()
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
    return ItemTable(found, tuple(FIELD_OF[name] for name in COLUMNS if name in columns))


def cells_of(item: MasterItem) -> tuple[str, ...]:
    """An item as a row of the table, in the order of `COLUMNS`."""
    return tuple(_cell(getattr(item, name)) for name in FIELD_OF.values())


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, tuple):
        return TAG_SEPARATOR.join(value)
    return "" if value is None else str(value)


def _item(row: Row, errors: RowErrors) -> MasterItem | None:
    cells, before = row.cells, len(errors.found)
    gtin = None
    try:
        gtin = parse_gtin(cells["ean13"])
    except RetailError as error:
        errors.add_error(row.line, "ean13", error)
    if not cells["name"]:
        errors.add(row.line, "name", "import.required")
    is_weighed = _flag(row, "weighed", errors)
    plu = cells["plu"]
    if plu and not (plu.isascii() and plu.isdigit() and len(plu) <= PLU_DIGITS):
        errors.add(row.line, "plu", "item.plu", value=plu, digits=PLU_DIGITS)
    terms = _terms(row, errors)
    if gtin is None or len(errors.found) > before:
        return None
    return MasterItem(
        gtin=gtin,
        name=cells["name"],
        department=cells["department"],
        category=cells["category"],
        brand=cells["brand"],
        package_size=cells["package_size"],
        is_weighed=is_weighed,
        plu=plu.zfill(PLU_DIGITS) if plu else None,
        **terms,
    )


def _terms(row: Row, errors: RowErrors) -> _Terms:
    """What offers ask of an item; a column or cell that is not there states nothing."""
    cells = row.cells
    tags = {tag.strip() for tag in cells.get("tags", "").split(TAG_SEPARATOR)} - {""}
    uom = cells.get("uom", "")
    if len(uom) > UOM_LENGTH_MAX:
        errors.add(row.line, "uom", "import.too_long", limit=UOM_LENGTH_MAX)
    return {
        "tags": tuple(sorted(tags)),
        "tax_bp": _whole(row, "tax_bp", FULL_BP, errors) or 0,
        "is_promotable": not cells.get("promotable") or _flag(row, "promotable", errors),
        "min_price_minor": _whole(row, "min_price_cents", PRICE_MINOR_MAX, errors) or 0,
        "min_margin_bp": _whole(row, "min_margin_bp", FULL_BP - 1, errors),
        "cost_minor": _whole(row, "cost_cents", PRICE_MINOR_MAX, errors),
        "uom": uom,
    }


def _flag(row: Row, column: str, errors: RowErrors) -> bool:
    cell = row.cells[column].lower()
    if cell not in YES | NO:
        errors.add(row.line, column, "import.yes_or_no", value=row.cells[column])
    return cell in YES


def _whole(row: Row, column: str, most: int, errors: RowErrors) -> int | None:
    """A whole number from 0 to `most`; None where nothing is stated, or after an error."""
    cell = row.cells.get(column, "")
    if not cell:
        return None
    is_number = cell.isascii() and cell.isdigit() and len(cell) <= len(str(most))
    if not is_number or int(cell) > most:
        errors.add(row.line, column, "import.range", value=cell, least=0, most=most)
        return None
    return int(cell)
