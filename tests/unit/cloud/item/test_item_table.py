"""A row of the catalogue's table, and the record that stores get of it."""

from __future__ import annotations

import io

import pytest

from cloud.csv_table import RowErrors
from cloud.item.master import MasterItem
from cloud.item.service import record_of
from cloud.item.table import COLUMNS, ItemTable, read_items, rows_of
from shared.kernel.gtin import parse_gtin
from shared.publication.revision import record_bytes

MILK = parse_gtin("4006381333931")
HEADER = "ean13,name,department,category,brand,package_size,weighed,plu"


def read(header: str, *rows: str) -> tuple[ItemTable, list[tuple[int, str | None, str]]]:
    errors = RowErrors()
    table = read_items(io.BytesIO("\n".join([header, *rows]).encode()), errors)
    return table, [(error.line, error.column, error.code) for error in errors.found]


def test_a_table_without_the_optional_columns_states_nothing_about_them() -> None:
    table, errors = read(HEADER, f"{MILK},Milk,DAIRY,,,,0,")
    assert errors == []
    assert table.rows == [(2, MasterItem(MILK, "Milk", "DAIRY"))]
    assert table.fields[-1] == "plu"


def test_optional_columns_are_read_and_written_back() -> None:
    header = f"{HEADER},tags,tax_bp,promotable,min_price_cents,min_margin_bp,cost_cents,uom"
    row = f"{MILK},Milk,DAIRY,,,,0,,summer| cold |summer||,1300,no,250,1500,200,kg"
    table, errors = read(header, row)
    assert errors == []
    ((_, item),) = table.rows
    assert item == MasterItem(
        MILK, "Milk", "DAIRY", tags=("cold", "summer"), tax_bp=1300, is_promotable=False,
        min_price_minor=250, min_margin_bp=1500, cost_minor=200, uom="kg",
    )  # fmt: skip
    (cells,) = rows_of(item)
    assert read(",".join(COLUMNS), ",".join(map(str, cells)))[0].rows == [(2, item)]


def test_empty_optional_cells_mean_the_default() -> None:
    header = f"{HEADER},tags,tax_bp,promotable,min_price_cents,min_margin_bp,cost_cents,uom"
    table, errors = read(header, f"{MILK},Milk,,,,,0,,,,,,,,")
    assert errors == []
    assert table.rows == [(2, MasterItem(MILK, "Milk"))]
    assert table.fields[-2:] == ("cost_minor", "uom")


def test_every_bad_optional_cell_is_named() -> None:
    header = f"{HEADER},tax_bp,promotable,min_price_cents,min_margin_bp,cost_cents,uom"
    row = f"{MILK},Milk,,,,,0,,10001,maybe,-1,10000,1.5,{'k' * 17}"
    assert read(header, row)[1] == [
        (2, "uom", "import.too_long"),
        (2, "tax_bp", "import.range"),
        (2, "promotable", "import.yes_or_no"),
        (2, "min_price_cents", "import.range"),
        (2, "min_margin_bp", "import.range"),
        (2, "cost_cents", "import.range"),
    ]


def test_an_item_that_says_nothing_to_offers_keeps_its_published_bytes() -> None:
    assert record_bytes(record_of(MasterItem(MILK, "Milk", cost_minor=200))) == (
        b'{"b":{"brand":"","category":"","department":"","gtin":"4006381333931",'
        b'"is_weighed":false,"name":"Milk","package_size":"","plu":null},'
        b'"i":"4006381333931","k":"item"}'
    )


@pytest.mark.parametrize(
    ("cost", "margin", "floor"), [(None, 2000, 250), (200, None, 250), (400, 2000, 565)]
)
def test_stores_learn_the_floor_but_neither_cost_nor_margin(
    cost: int | None, margin: int | None, floor: int
) -> None:
    item = MasterItem(
        MILK, "Milk", tags=("cold",), tax_bp=1300,
        min_price_minor=250, min_margin_bp=margin, cost_minor=cost,
    )  # fmt: skip
    body = record_of(item).body
    assert body is not None
    assert (body["tags"], body["tax_bp"], body["floor_minor"]) == (["cold"], 1300, floor)
    assert {"is_promotable", "uom", "cost_minor", "min_margin_bp"} & set(body) == set()
