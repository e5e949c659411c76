"""A row of the catalogue's table, and the record that stores get of it."""

from __future__ import annotations

import io

import pytest

from cloud.csv_table import RowErrors
from cloud.item.master import MasterItem
from cloud.item.service import record_of
from cloud.item.table import COLUMNS, ItemTable, read_items, rows_of
from shared.item.item import ItemChange
from shared.item.pack_code import PackCode
from shared.item.record import item_of
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


GOODS = f"{HEADER},tax_bp,codes,age_limit,shelf_life_days,tax_class,image,effective_from"
CASE = parse_gtin("14006381333938")
PICTURE = "sha256:" + "0a" * 32


def test_codes_age_shelf_life_tax_class_and_picture_are_read_and_written_back() -> None:
    row = f"{MILK},Milk,,,,,0,,,{CASE}*12*case|5901234123457 ,18,7,reduced,{PICTURE},"
    table, errors = read(GOODS, row)
    assert errors == []
    ((_, item),) = table.rows
    assert item == MasterItem(
        MILK,
        "Milk",
        codes=(PackCode(CASE, 12_000, "case"), PackCode(parse_gtin("5901234123457"))),
        age_limit=18,
        shelf_life_days=7,
        tax_class="reduced",
        image=PICTURE,
    )
    (cells,) = rows_of(item)
    assert read(",".join(COLUMNS), ",".join(map(str, cells)))[0].rows == [(2, item)]


def test_a_row_with_a_time_says_what_changes_then() -> None:
    later = MasterItem(
        MILK,
        "Milk",
        later=(
            ItemChange("2026-12-01T00:00", name="Whole milk", tax_bp=700),
            ItemChange("2027-01-01T06:30", tax_class="reduced"),
        ),
    )
    rows = [",".join(map(str, cells)) for cells in rows_of(later)]
    table, errors = read(",".join(COLUMNS), *rows, f"{CASE},,,,,,,,{',' * 12}2026-12-01 00:00:00")
    assert errors == []
    assert [item for _, item in table.rows] == [MasterItem(MILK, "Milk")]
    assert [row.change for _, row in table.dated] == [
        *later.later,
        ItemChange("2026-12-01T00:00"),  # nothing changes: the plan is dropped
    ]
    assert later.settled("2026-12-31T00:00") == MasterItem(
        MILK, "Whole milk", tax_bp=700, later=later.later[1:]
    )


def test_every_bad_cell_of_the_further_columns_is_named() -> None:
    row = f"{MILK},Milk,,,,,0,,,{CASE}*0|1|{MILK},100,10000,Full VAT,http://x,"
    late = f"{MILK},Milk,DAIRY,,,,0,,,,,,,,2026-13-01"
    assert read(GOODS, row, late)[1] == [
        (2, "codes", "item.pack_units"),
        (2, "codes", "barcode.length"),
        (2, "age_limit", "import.range"),
        (2, "shelf_life_days", "import.range"),
        (2, "tax_class", "item.tax_class"),
        (2, "image", "item.image"),
        (3, "effective_from", "import.time"),
        (3, "department", "item.not_dated"),
        (3, "weighed", "item.not_dated"),
    ]


def test_a_code_names_one_item_and_a_time_is_said_once() -> None:
    bread = "5901234123457"
    rows = [
        f"{MILK},Milk,,,,,0,,,{CASE}|{bread},,,,,",
        f"{bread},Bread,,,,,0,,,{CASE},,,,,",
        f"{MILK},Milk,,,,,,,,,,,,,2026-12-01",
        f"{MILK},Milk,,,,,,,,,,,,,2026-12-01T00:00",
    ]
    assert read(GOODS, *rows)[1] == [
        (3, "codes", "import.duplicate"),
        (5, "ean13", "import.duplicate"),
        (2, "codes", "item.code_is_item"),
    ]


def test_stores_are_told_of_pictures_that_were_uploaded_alone() -> None:
    body = record_of(MasterItem(MILK, "Milk", image=PICTURE)).body
    assert body is not None
    assert item_of(MILK, body).image == PICTURE.removeprefix("sha256:")


def test_a_record_says_codes_age_and_later_changes_only_where_there_are_some() -> None:
    plain = MasterItem(MILK, "Milk", shelf_life_days=7, image="https://shop.example/milk.jpg")
    assert record_bytes(record_of(plain)) == record_bytes(record_of(MasterItem(MILK, "Milk")))
    item = MasterItem(
        MILK,
        "Milk",
        codes=(PackCode(CASE, 12_000, "case"),),
        age_limit=18,
        tax_class="reduced",
        later=(ItemChange("2026-12-01T00:00", name="Whole milk"),),
    )
    body = record_of(item).body
    assert body is not None
    assert (body["codes"], body["age_limit"]) == ([[CASE, 12_000, "case"]], 18)
    assert body["tax_class"] == "reduced"
    assert body["later"] == [["2026-12-01T00:00", {"name": "Whole milk"}]]
    assert item_of(MILK, body) == item.sold()
