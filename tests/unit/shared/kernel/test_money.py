from __future__ import annotations

import pytest

from shared.kernel.errors import RefusedError
from shared.kernel.money import CURRENCIES, Currency, currency_of, format_minor, quick_cash


@pytest.mark.parametrize(
    ("minor", "code", "text"),
    [
        (0, "CNY", "0.00"),
        (5, "CNY", "0.05"),
        (1250, "CNY", "12.50"),
        (-1250, "USD", "-12.50"),
        (-5, "USD", "-0.05"),
        (99_999_999, "EUR", "999999.99"),
        (350, "TWD", "350"),
        (-350, "TWD", "-350"),
    ],
)
def test_minor_units_read_as_digits(minor: int, code: str, text: str) -> None:
    assert format_minor(minor, CURRENCIES[code]) == text


@pytest.mark.parametrize(
    ("due", "code", "amounts"),
    [
        (1250, "CNY", (1250, 1300, 1500, 2000)),
        (990, "CNY", (990, 1000, 2000, 5000)),
        (8800, "CNY", (8800, 9000, 10000)),
        (10000, "CNY", (10000,)),
        (12350, "CNY", (12350, 12400, 12500, 13000)),
        (437, "USD", (437, 500, 1000, 2000)),
        (2000, "USD", (2000, 5000, 10000)),
        (350, "TWD", (350, 400, 500, 1000)),
        (1980, "TWD", (1980, 2000)),
        (1, "EUR", (1, 500, 1000, 2000)),
    ],
)
def test_quick_cash_offers_what_customers_hand_over(
    due: int, code: str, amounts: tuple[int, ...]
) -> None:
    assert quick_cash(due, CURRENCIES[code]) == amounts


@pytest.mark.parametrize("due", [0, -100])
def test_nothing_due_offers_nothing(due: int) -> None:
    assert quick_cash(due, CURRENCIES["CNY"]) == ()


def test_an_unknown_currency_is_refused() -> None:
    assert currency_of("TWD").digits == 0
    with pytest.raises(RefusedError, match=r"currency\.unknown"):
        currency_of("XXX")


@pytest.mark.parametrize("currency", CURRENCIES.values(), ids=lambda each: each.code)
def test_notes_ascend_and_are_positive(currency: Currency) -> None:
    assert list(currency.notes_minor) == sorted(set(currency.notes_minor))
    assert currency.notes_minor[0] > 0
