from __future__ import annotations

import pytest

from shared.item.barcode import (
    BadBarcode,
    BarcodeScheme,
    ItemBarcode,
    LabelKind,
    MemberCard,
    PriceBarcode,
    WeightBarcode,
    member_card_code,
    parse_barcode,
    price_label_code,
)
from shared.kernel.errors import RefusedError
from shared.kernel.gtin import Gtin, check_digit


def with_check(body: str) -> str:
    return body + check_digit(body)


def test_a_plain_code_is_an_item() -> None:
    assert parse_barcode("6901234567892") == ItemBarcode(Gtin("6901234567892"))
    assert parse_barcode("96385074") == ItemBarcode(Gtin("0000096385074"))


def test_a_price_label_carries_its_price() -> None:
    assert parse_barcode(price_label_code("123", 1590)) == PriceBarcode("00123", 1590)


def test_a_weight_label_carries_grams() -> None:
    assert parse_barcode(with_check("210012300355")) == WeightBarcode("00123", 355)


def test_a_member_card_carries_its_number_without_leading_zeros() -> None:
    assert parse_barcode(member_card_code("2479")) == MemberCard("2479")
    assert parse_barcode(member_card_code("0000")) == MemberCard("0")
    assert parse_barcode(member_card_code("1234567890")) == MemberCard("1234567890")


def test_a_label_read_as_fourteen_digits_is_the_same_label() -> None:
    label = price_label_code("77", 250)
    assert parse_barcode(f"0{label}") == parse_barcode(label) == PriceBarcode("00077", 250)


def test_a_case_of_goods_is_no_label_whatever_its_digits() -> None:
    case = with_check("1229876543210")
    assert parse_barcode(case) == ItemBarcode(Gtin(case))


def test_prefixes_are_the_chains_own_data() -> None:
    scheme = BarcodeScheme((("02", LabelKind.PRICE),))
    upc = with_check("21234500999")  # a North American random-weight UPC-A
    assert parse_barcode(upc, scheme) == PriceBarcode("12345", 999)
    assert isinstance(parse_barcode(price_label_code("1", 5), scheme), ItemBarcode)


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("", "barcode.characters"),
        ("HELLO", "barcode.characters"),
        ("123", "barcode.length"),
        ("6901234567893", "barcode.check_digit"),
        ("2200123015901", "barcode.check_digit"),
    ],
)
def test_a_text_that_does_not_check_is_bad_with_its_reason(text: str, because: str) -> None:
    assert parse_barcode(text) == BadBarcode(text, because)


@pytest.mark.parametrize("amount", [-1, 100_000])
def test_a_price_that_does_not_fit_a_label_is_refused(amount: int) -> None:
    with pytest.raises(RefusedError, match=r"barcode\.label_price"):
        price_label_code("1", amount)


@pytest.mark.parametrize("plu", ["", "123456", "12a", "²"])
def test_a_plu_that_does_not_fit_a_label_is_refused(plu: str) -> None:
    with pytest.raises(RefusedError, match=r"barcode\.label_plu"):
        price_label_code(plu, 1)


@pytest.mark.parametrize("number", ["", "12345678901", "12a", "²", "-1"])
def test_a_member_number_that_does_not_fit_a_card_is_refused(number: str) -> None:
    with pytest.raises(RefusedError, match=r"barcode\.member_number"):
        member_card_code(number)
