from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sale.receipt_code import (
    ReceiptLink,
    is_code_of,
    parse_receipt_code,
    parse_receipt_url,
    receipt_code,
    receipt_url,
    short_code,
)

HASH = bytes.fromhex("00443214c74254b635cf84653a56d7c6") + bytes(16)
CODE = "0123-4567-89AB-CDEF"
LINK = ReceiptLink("343", "2017-08-07", "1-K7QM-000017", CODE)


def test_the_code_is_the_beginning_of_the_hash_in_groups_of_four() -> None:
    assert receipt_code(HASH) == CODE
    assert short_code(HASH) == "0123-4567"
    assert is_code_of(CODE, HASH)
    assert not is_code_of(CODE, HASH[1:] + b"\0")


@pytest.mark.parametrize(
    "typed",
    [
        "0123456789abcdef",
        " 0123 4567 89AB CDEF ",
        "o123-4567-89ab-cdef",
        "OI23.4567.89AB.CDEF",
        "0l23–4567—89AB-CDEF",
    ],
)
def test_what_people_mistake_is_read_as_it_was_meant(typed: str) -> None:
    assert parse_receipt_code(typed) == CODE


@pytest.mark.parametrize("typed", ["", "0123", CODE + "0", "0123-4567-89AB-CDE!", "核验码"])
def test_anything_else_is_no_code(typed: str) -> None:
    assert parse_receipt_code(typed) is None


@given(st.binary(min_size=32, max_size=32))
def test_a_code_reads_back_in_any_case_and_grouping(entry_hash: bytes) -> None:
    code = receipt_code(entry_hash)
    assert parse_receipt_code(code) == code
    assert parse_receipt_code(code.lower().replace("-", " ").replace("0", "o")) == code


@pytest.mark.parametrize("base", ["https://hq.example", "https://hq.example/shop/"])
def test_an_address_reads_back(base: str) -> None:
    url = receipt_url(base, LINK)
    assert url.startswith(base.rstrip("/") + "/r/343/2017-08-07/1-K7QM-000017/0123-")
    assert parse_receipt_url(url) == LINK
    assert parse_receipt_url(f" {url.lower()}/?lang=en ") == LINK


@pytest.mark.parametrize(
    "url",
    [
        "https://hq.example/r/343/2017-08-07/1-000017",
        "https://hq.example/r/343/2017-13-07/1-000017/" + CODE,
        "https://hq.example/r/343/2017-08-07/1-000017/ABC",
        "",
    ],
)
def test_an_address_of_something_else_is_none(url: str) -> None:
    assert parse_receipt_url(url) is None


# A receipt's address with a control character is nobody's.
NAMES = st.text(min_size=1, max_size=20).filter(str.isprintable)


@given(NAMES.filter(lambda name: name.strip() == name))
def test_a_store_of_any_name_reads_back(store_id: str) -> None:
    link = ReceiptLink(store_id, "2017-08-07", "1-000017", CODE)
    url = receipt_url("https://hq.example", link)
    assert url.isascii()
    assert parse_receipt_url(url) == link
