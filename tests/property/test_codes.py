"""Codes of any kind: what was written is read, what was damaged is refused, nothing crashes."""

from __future__ import annotations

import string
from datetime import date
from random import Random
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.item.barcode import (
    BadBarcode,
    ItemBarcode,
    OtherData,
    parse_barcode,
    read_barcode,
    scheme_of,
)
from shared.item.element_string import FNC1, Element, read_elements, write_elements
from shared.item.gs1_date import date_of, is_yymmdd
from shared.kernel.errors import RefusedError
from shared.kernel.gtin import canonical_gtin, check_digit

DIGITS = string.digits
WORD = st.text(string.ascii_letters + DIGITS + "!\"%&'()*+,-./:;<=>?_", min_size=1, max_size=20)
GTINS = st.text(DIGITS, min_size=13, max_size=13).map(lambda body: body + check_digit(body))
DAYS = st.dates().map(lambda day: day.strftime("%y%m%d"))
ELEMENTS = st.fixed_dictionaries(
    {"01": GTINS},
    optional={
        "10": WORD,
        "17": DAYS,
        "21": WORD,
        "240": WORD,
        "422": st.just("156"),
        "99": WORD,
    },
)
SCANS = st.builds(
    str.__add__,
    st.sampled_from(
        ["", "]E0", "]E3", "]E4", "]C0", "]C1", "]e0", "]d1", "]d2", "]Q1", "]Q3", "]"]
    ),
    st.text(max_size=40)
    | st.text(DIGITS + FNC1 + "|]e^\\", max_size=40)
    | st.text("0123456789/?=&%:#abst.h", max_size=40).map("https://a.example/01/".__add__),
)


@given(SCANS)
def test_no_scan_whatsoever_fails(text: str) -> None:
    found = parse_barcode(text)
    if isinstance(found, BadBarcode):
        assert text.endswith(found.text)
        with pytest.raises(RefusedError, match=found.because.replace(".", r"\.")):
            read_barcode(text)
    else:
        assert read_barcode(text).meaning == found


@given(ELEMENTS, st.randoms())
def test_elements_are_read_as_they_were_written(data: dict[str, str], chance: Random) -> None:
    elements = [Element(ai, value) for ai, value in data.items()]
    chance.shuffle(elements)
    text = write_elements(elements)
    assert read_elements(text) == tuple(elements)
    found = parse_barcode(f"]C1{text}")
    assert isinstance(found, ItemBarcode)
    assert found.gtin == canonical_gtin(data["01"])
    assert (found.lot, found.serial) == (data.get("10", ""), data.get("21", ""))
    assert read_barcode(f"]d2{text}").data == "^" + text.replace(FNC1, "^")


@given(ELEMENTS)
def test_a_link_says_what_the_elements_say(data: dict[str, str]) -> None:
    path = "".join(f"/{ai}/{quote(data[ai], safe='')}" for ai in ("01", "10", "21") if ai in data)
    rest = {ai: value for ai, value in data.items() if ai not in ("01", "10", "21")}
    query = "&".join(f"{ai}={quote(value, safe='')}" for ai, value in rest.items())
    found = parse_barcode(f"https://brand.example/tea{path}?{query}")
    elements = [Element(ai, value) for ai, value in data.items()]
    assert found == parse_barcode(f"]C1{write_elements(elements)}")


@given(st.text(DIGITS, min_size=12, max_size=12), st.integers(0, 12), st.integers(1, 9))
def test_an_ean_with_one_wrong_digit_is_refused(body: str, place: int, change: int) -> None:
    code = body + check_digit(body)
    wrong = str((int(code[place]) + change) % 10)
    damaged = code[:place] + wrong + code[place + 1 :]
    assert isinstance(parse_barcode(damaged), BadBarcode)
    assert isinstance(parse_barcode(f"]E0{damaged}"), BadBarcode)


@given(GTINS, st.sampled_from(["SE", "DK", "DE", "GB", "FI"]))
def test_a_pack_never_becomes_another_item_by_its_measure(gtin: str, country: str) -> None:
    found = parse_barcode(gtin, scheme_of(country))
    if isinstance(found, ItemBarcode):
        again = parse_barcode(found.gtin, scheme_of(country))
        assert isinstance(again, ItemBarcode)
        assert again.gtin == found.gtin
        assert check_digit(found.gtin[:-1]) == found.gtin[-1]


@given(st.text(DIGITS, min_size=18, max_size=18))
def test_a_pallets_number_is_never_an_item(digits: str) -> None:
    sscc = digits[:17] + check_digit(digits[:17])
    assert parse_barcode(f"]C100{sscc}") == OtherData((Element("00", sscc),))
    assert isinstance(parse_barcode(sscc), BadBarcode)


@given(st.dates(), st.text(DIGITS, min_size=6, max_size=6))
def test_a_date_is_within_fifty_years_and_of_the_digits(today: date, digits: str) -> None:
    if is_yymmdd(digits) and 100 < today.year < 9900:
        day = date_of(digits, today)
        assert day.strftime("%y%m%d") == digits
        assert -49 <= day.year - today.year <= 50
