"""One number is one number, however it is typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.errors import RefusedError
from shared.member.phone import PLANS, last_digits, normal_phone


@pytest.mark.parametrize(
    ("typed", "currency", "normal"),
    [
        ("13800138000", "CNY", "+8613800138000"),
        (" 138-0013 8000 ", "CNY", "+8613800138000"),
        ("１３８００１３８０００", "CNY", "+8613800138000"),
        ("+86 138 0013 8000", "TWD", "+8613800138000"),
        ("008613800138000", "HKD", "+8613800138000"),
        ("0912 345 678", "TWD", "+886912345678"),
        ("6123 4567", "HKD", "+85261234567"),
        ("(212) 555-0143", "USD", "+12125550143"),
        ("+44 7400 123456", "CNY", "+447400123456"),
        ("+447400123456", "", "+447400123456"),
    ],
)
def test_a_number_has_one_form(typed: str, currency: str, normal: str) -> None:
    assert normal_phone(typed, currency) == normal
    assert normal_phone(normal, currency) == normal


@pytest.mark.parametrize(
    ("typed", "currency"),
    [
        ("", "CNY"),
        ("1380013800", "CNY"),
        ("12800138000", "CNY"),
        ("0912345678", "CNY"),
        ("+86 010 6552 9988", "CNY"),
        ("13800138000", ""),
        ("+", "CNY"),
        ("+8613800138000'; DROP TABLE member; --", "CNY"),
        ("138001380٠٠", "CNY"),
        ("1" * 4000, "CNY"),
    ],
)
def test_what_is_no_mobile_number_is_refused_and_not_repeated(typed: str, currency: str) -> None:
    with pytest.raises(RefusedError) as refused:
        normal_phone(typed, currency)
    assert (refused.value.code, refused.value.params) == ("member.phone", {})


@given(st.text(max_size=30), st.sampled_from([*PLANS, "", "EUR"]))
def test_whatever_is_typed_is_a_number_or_refused(typed: str, currency: str) -> None:
    try:
        normal = normal_phone(typed, currency)
    except RefusedError:
        return
    assert normal[0] == "+"
    assert normal[1:].isascii()
    assert normal[1:].isdigit()
    assert normal.endswith(last_digits(normal))
