"""Codes of badges, and what is kept of them."""

from __future__ import annotations

import pytest

from shared.item.barcode import BadBarcode, TextCode, parse_barcode
from shared.kernel.errors import RefusedError
from shared.staff.badge import (
    badge_code,
    badge_hash,
    check_badge_code,
    may_be_badge,
    parse_badge,
)

KEY = bytes(range(16))


def test_a_new_code_is_long_plain_and_no_goods() -> None:
    code = badge_code(bytes(range(10)))
    check_badge_code(code)
    assert len(code) == 19
    assert isinstance(parse_barcode(code), BadBarcode | TextCode)


def test_every_random_bit_is_in_the_code() -> None:
    codes = {badge_code((1 << bit).to_bytes(10, "big")) for bit in range(80)}
    assert len(codes) == 80


def test_a_hash_needs_code_and_key() -> None:
    kept = badge_hash("TBSABCDEFGH", KEY)
    assert kept.is_of("TBSABCDEFGH")
    assert not kept.is_of("TBSABCDEFGJ")
    assert badge_hash("TBSABCDEFGH", bytes(16)).hash != kept.hash
    assert "ABCDEFGH" not in kept.hash


@pytest.mark.parametrize(
    "code", ["", "SHORT1", "6901234567892", "with space", "x" * 41, "甲乙丙丁戊己庚辛"]
)
def test_a_code_of_an_older_card_may_not_be_taken_for_goods(code: str) -> None:
    with pytest.raises(RefusedError, match=r"badge\.code"):
        check_badge_code(code)


def test_a_badge_reads_back_from_a_record() -> None:
    kept = badge_hash("TBSABCDEFGH", KEY)
    assert parse_badge({"key": kept.key, "hash": kept.hash}) == kept


@pytest.mark.parametrize("value", [None, {}, [], "x", {"key": "00"}, {"key": 1, "hash": 2}])
def test_a_record_without_a_badge_has_none(value: object) -> None:
    assert parse_badge(value) is None


@pytest.mark.parametrize("code", ["6901234567892", "(01)0690123456789", "]C10106901"])
def test_the_number_of_goods_is_never_taken_for_a_badge(code: str) -> None:
    assert not may_be_badge(code)
