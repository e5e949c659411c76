"""The catalogue's table: columns, and each row's checks. Pure.

A row with `effective_from` (a time on the stores' own clocks) says what an item is called or
taxed from then on: only `name`, `tax_class` and `tax_bp` may stand beside it, empty where nothing
changes; where all are empty, what was planned for that time is dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, TypedDict

from cloud.csv_table import Row, RowErrors, read_table
from cloud.item import cells
from cloud.item.master import MasterItem
from shared.item.barcode import PLU_DIGITS
from shared.item.item import ItemChange
from shared.item.pack_code import PackCode
from shared.kernel.errors import RetailError
from shared.kernel.gtin import Gtin
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
    "codes": "codes",
    "age_limit": "age_limit",
    "shelf_life_days": "shelf_life_days",
    "tax_class": "tax_class",
    "image": "image",
}
"""What a table may leave out: items then keep what they have."""
EFFECTIVE_FROM = "effective_from"
DATED = ("name", "tax_class", "tax_bp")
"""What may change at a later time."""
FIELD_OF = REQUIRED | OPTIONAL
COLUMNS = (*FIELD_OF, EFFECTIVE_FROM)
UOM_LENGTH_MAX = 16
AGE_MAX = 99
SHELF_LIFE_DAYS_MAX = 9_999


@dataclass(frozen=True, slots=True)
class DatedRow:
    """What changes about an item later."""

    gtin: Gtin
    change: ItemChange


@dataclass(frozen=True, slots=True)
class ItemTable:
    """Good rows as (line, item), later changes as (line, row), and which fields are stated."""

    rows: list[tuple[int, MasterItem]]
    fields: tuple[str, ...]
    dated: list[tuple[int, DatedRow]] = field(default_factory=list)


class _Terms(TypedDict):
    tags: tuple[str, ...]
    tax_bp: int
    is_promotable: bool
    min_price_minor: int
    min_margin_bp: int | None
    cost_minor: int | None
    uom: str
    codes: tuple[PackCode, ...]
    age_limit: int
    shelf_life_days: int
    tax_class: str
    image: str


@dataclass(slots=True)
class _Seen:
    """On which line a value stood first."""

    errors: RowErrors
    lines: dict[tuple[str, ...], int] = field(default_factory=dict)

    def note(self, line: int, column: str, *key: str) -> None:
        """Name a value that stands in the table a second time."""
        first = self.lines.setdefault((column, *key), line)
        if first != line:
            self.errors.add(line, column, "import.duplicate", value=key[0], first=first)


def read_items(stream: IO[bytes], errors: RowErrors) -> ItemTable:
    """Every good row; what is wrong with the others is in `errors`."""
    found: list[tuple[int, MasterItem]] = []
    dated: list[tuple[int, DatedRow]] = []
    columns, seen = set(REQUIRED), _Seen(errors)
    optional = (*OPTIONAL, EFFECTIVE_FROM)
    for row in read_table(stream, tuple(REQUIRED), errors, optional):
        columns |= row.cells.keys()
        if row.cells.get(EFFECTIVE_FROM):
            planned = _dated(row, errors)
            if planned is not None:
                seen.note(row.line, "ean13", planned.gtin, planned.change.from_local)
                dated.append((row.line, planned))
            continue
        item = _item(row, errors)
        if item is not None:
            _note(seen, row.line, item)
            found.append((row.line, item))
    _check_codes(found, errors)
    stated = tuple(FIELD_OF[name] for name in FIELD_OF if name in columns)
    return ItemTable(found, stated, dated)


def rows_of(item: MasterItem) -> Iterator[tuple[str | int, ...]]:
    """An item as rows of the table, in the order of `COLUMNS`: itself, then its later changes."""
    yield (*(cells.cell_of(getattr(item, name)) for name in FIELD_OF.values()), "")
    for change in item.later:
        said = change.changed | {"gtin": item.gtin}
        yield (*(cells.cell_of(said.get(name)) for name in FIELD_OF.values()), change.from_local)


def _note(seen: _Seen, line: int, item: MasterItem) -> None:
    seen.note(line, "ean13", item.gtin, "")
    if item.plu:
        seen.note(line, "plu", item.plu)
    for code in item.codes:
        seen.note(line, "codes", code.gtin)


def _check_codes(rows: list[tuple[int, MasterItem]], errors: RowErrors) -> None:
    """No further barcode is the own code of an item of the table."""
    own = {item.gtin for _, item in rows}
    for line, item in rows:
        for code in item.codes:
            if code.gtin in own:
                errors.add(line, "codes", "item.code_is_item", value=code.gtin)


def _dated(row: Row, errors: RowErrors) -> DatedRow | None:
    before, given = len(errors.found), row.cells
    gtin = cells.gtin_of(row, errors)
    from_local = ""
    try:
        from_local = cells.wall_clock(given[EFFECTIVE_FROM])
    except RetailError as error:
        errors.add_error(row.line, EFFECTIVE_FROM, error)
    for column, cell in given.items():
        if cell and column not in ("ean13", EFFECTIVE_FROM, *DATED):
            errors.add(row.line, column, "item.not_dated")
    tax_class = cells.tax_class(row, errors)
    tax_bp = cells.whole(row, "tax_bp", FULL_BP, errors)
    if gtin is None or len(errors.found) > before:
        return None
    return DatedRow(gtin, ItemChange(from_local, given["name"] or None, tax_class or None, tax_bp))


def _item(row: Row, errors: RowErrors) -> MasterItem | None:
    given, before = row.cells, len(errors.found)
    gtin = cells.gtin_of(row, errors)
    if not given["name"]:
        errors.add(row.line, "name", "import.required")
    is_weighed = cells.flag(row, "weighed", errors)
    plu = given["plu"]
    if plu and not (plu.isascii() and plu.isdigit() and len(plu) <= PLU_DIGITS):
        errors.add(row.line, "plu", "item.plu", value=plu, digits=PLU_DIGITS)
    terms = _terms(row, errors)
    if gtin is None or len(errors.found) > before:
        return None
    return MasterItem(
        gtin=gtin,
        name=given["name"],
        department=given["department"],
        category=given["category"],
        brand=given["brand"],
        package_size=given["package_size"],
        is_weighed=is_weighed,
        plu=plu.zfill(PLU_DIGITS) if plu else None,
        **terms,
    )


def _terms(row: Row, errors: RowErrors) -> _Terms:
    """What a table may leave out; a column or cell that is not there states nothing."""
    uom = row.cells.get("uom", "")
    if len(uom) > UOM_LENGTH_MAX:
        errors.add(row.line, "uom", "import.too_long", limit=UOM_LENGTH_MAX)
    return {
        "tags": cells.tags(row),
        "tax_bp": cells.whole(row, "tax_bp", FULL_BP, errors) or 0,
        "is_promotable": not row.cells.get("promotable") or cells.flag(row, "promotable", errors),
        "min_price_minor": cells.whole(row, "min_price_cents", PRICE_MINOR_MAX, errors) or 0,
        "min_margin_bp": cells.whole(row, "min_margin_bp", FULL_BP - 1, errors),
        "cost_minor": cells.whole(row, "cost_cents", PRICE_MINOR_MAX, errors),
        "uom": uom,
        "codes": cells.codes(row, errors),
        "age_limit": cells.whole(row, "age_limit", AGE_MAX, errors) or 0,
        "shelf_life_days": cells.whole(row, "shelf_life_days", SHELF_LIFE_DAYS_MAX, errors) or 0,
        "tax_class": cells.tax_class(row, errors),
        "image": cells.image(row, errors),
    }
