"""A catalogue as a CSV table, for linting offers where no database is at hand.

The columns are those of the items' own table, with `regular_price_cents` beside them; all but
the barcode and the price may be left out.
"""

from __future__ import annotations

from typing import IO

from cloud.csv_table import Row, RowErrors, read_table
from shared.kernel.errors import RetailError
from shared.kernel.gtin import parse_gtin
from shared.kernel.money import PRICE_MINOR_MAX
from shared.price.floor import floor_unit_minor
from shared.price.lint import LintItem
from shared.price.reward import FULL_BP
from shared.sale.pricing import tags_of

REQUIRED = ("ean13", "regular_price_cents")
NUMBERS = {
    "regular_price_cents": PRICE_MINOR_MAX,
    "tax_bp": FULL_BP,
    "min_price_cents": PRICE_MINOR_MAX,
    "min_margin_bp": FULL_BP - 1,
    "cost_cents": PRICE_MINOR_MAX,
}
FLAGS = {"weighed": False, "promotable": True}
TEXTS = ("name", "department", "category", "brand", "package_size", "plu", "tags", "uom")
OPTIONAL = (*(name for name in NUMBERS if name not in REQUIRED), *FLAGS, *TEXTS)
WORDS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


def read_lint_items(stream: IO[bytes]) -> list[LintItem]:
    """Every item of the table; raises ImportRefusedError with the errors of all its rows."""
    errors = RowErrors()
    found: list[LintItem] = []
    line_of: dict[str, int] = {}
    for row in read_table(stream, REQUIRED, errors, OPTIONAL):
        item = _item(row, errors)
        if item is None:
            continue
        first = line_of.setdefault(item.sku, row.line)
        if first != row.line:
            errors.add(row.line, "ean13", "import.duplicate", value=item.sku, first=first)
        found.append(item)
    errors.raise_if_any()
    return found


def _item(row: Row, errors: RowErrors) -> LintItem | None:
    before = len(errors.found)
    try:
        gtin = parse_gtin(row.cells["ean13"])
    except RetailError as error:
        errors.add_error(row.line, "ean13", error)
        return None
    numbers = {name: _number(row, name, errors) for name in NUMBERS}
    flags = {name: _flag(row, name, errors) for name in FLAGS}
    if numbers["regular_price_cents"] is None:
        errors.add(row.line, "regular_price_cents", "import.required")
    if len(errors.found) > before:
        return None
    texts = {name: row.cells.get(name, "") for name in TEXTS}
    tags = tuple(filter(None, (tag.strip() for tag in texts["tags"].split("|"))))
    tax_bp, cost_minor = numbers["tax_bp"] or 0, numbers["cost_cents"]
    return LintItem(
        sku=gtin,
        unit_minor=numbers["regular_price_cents"] or 0,
        cost_minor=cost_minor,
        category=texts["category"],
        tags=tags_of(tags, texts["department"], texts["brand"]),
        is_weighed=flags["weighed"],
        is_promotable=flags["promotable"],
        floor_unit_minor=floor_unit_minor(
            numbers["min_price_cents"] or 0, cost_minor, numbers["min_margin_bp"], tax_bp
        ),
        uom=texts["uom"],
        tax_bp=tax_bp,
    )


def _number(row: Row, name: str, errors: RowErrors) -> int | None:
    cell, most = row.cells.get(name, ""), NUMBERS[name]
    if not cell:
        return None
    is_number = cell.isascii() and cell.isdigit() and len(cell) <= len(str(most))
    if is_number and int(cell) <= most:
        return int(cell)
    errors.add(row.line, name, "import.range", value=cell, least=0, most=most)
    return None


def _flag(row: Row, name: str, errors: RowErrors) -> bool:
    cell = row.cells.get(name, "").lower()
    if cell and cell not in WORDS:
        errors.add(row.line, name, "import.yes_or_no", value=cell)
    return WORDS.get(cell, FLAGS[name])
