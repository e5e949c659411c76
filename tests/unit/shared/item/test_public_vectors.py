"""GS1's and biip's own test data, and numbers from real shelves, where they lie beside the tree."""

from __future__ import annotations

import csv
import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from shared.item.barcode import (
    BadBarcode,
    ItemBarcode,
    MemberCard,
    parse_barcode,
    read_barcode,
    scheme_of,
)
from shared.kernel.errors import RefusedError
from shared.kernel.gtin import check_digit

DATA = Path(__file__).parents[5] / "shared" / "data"
REGIONS = {
    "baltics": "LV",
    "denmark": "DK",
    "estonia": "EE",
    "finland": "FI",
    "germany": "DE",
    "great_britain": "GB",
    "latvia": "LV",
    "lithuania": "LT",
    "norway": "NO",
    "sweden": "SE",
}
needs_gs1 = pytest.mark.skipif(
    not (DATA / "gs1").is_dir(), reason="GS1's and biip's test data are not beside this tree"
)
needs_products = pytest.mark.skipif(
    not (DATA / "openfoodfacts").is_dir(),
    reason="the numbers of Open Food Facts are not beside this tree",
)


def vectors(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((DATA / "gs1" / name).read_text(encoding="utf-8"))
    assert found
    return found


def numbers(name: str) -> list[str]:
    with lzma.open(DATA / "openfoodfacts" / name, "rt", encoding="utf-8", newline="") as file:
        return [row["barcode"] for row in csv.DictReader(file)]


@needs_gs1
def test_scans_are_read_as_gs1s_syntax_engine_reads_them() -> None:
    for vector in vectors("gs1_scan_vectors.json"):
        try:
            reading = read_barcode(vector["scan"])
            found = (True, reading.symbology, reading.data)
        except RefusedError:
            found = (False, "NONE", "")
        assert found == (vector["ok"], vector["symbology"], vector["expected_data"]), vector


@needs_gs1
def test_packs_carry_what_biip_reads_from_them() -> None:
    for vector in vectors("rcn_price_weight_vectors.json"):
        if "value" in vector:
            _check_pack(vector)
        else:
            for prefix in vector["nonvariable_prefixes"].strip("[]").split(", "):
                number = prefix + "1111111111"
                _check_plain(number + check_digit(number), country_of(vector))


def country_of(vector: dict[str, Any]) -> str:
    region = vector.get("rcn_region", vector["test"]).split(".")[-1].lower()
    return REGIONS.get(region.removeprefix("test_region_"), "")


def _check_pack(vector: dict[str, Any]) -> None:
    found = parse_barcode(vector["value"], scheme_of(country_of(vector)))
    if "expected" in vector:
        assert isinstance(found, ItemBarcode)
        assert found.gtin == vector["expected"]
    elif "weight" not in vector or isinstance(found, MemberCard):
        _check_plain(vector["value"], country_of(vector))
    else:
        assert isinstance(found, ItemBarcode)
        measures = {"weight": found.weight, "price": found.price, "count": found.count}
        assert all(
            vector.get(name) == (None if value is None else str(value))
            for name, value in measures.items()
        ), vector
        money = f"{found.price}, {found.currency}" if found.currency else None
        assert money == vector["money"]


def _check_plain(number: str, country: str) -> None:
    found = parse_barcode(number, scheme_of(country))
    if not isinstance(found, MemberCard):
        assert isinstance(found, ItemBarcode)
        assert found.gtin.zfill(14) == number.zfill(14)
        assert not found.is_measured


@needs_products
def test_every_number_of_a_product_is_read_and_no_other_one() -> None:
    for number in numbers("products.csv.xz"):
        assert not isinstance(parse_barcode(number), BadBarcode), number
    for number in numbers("invalid_codes.csv.xz"):
        assert isinstance(parse_barcode(number), BadBarcode), number
