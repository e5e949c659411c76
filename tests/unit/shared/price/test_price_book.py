from __future__ import annotations

from shared.price.price_book import DatedPrice, PriceBook, price_at
from tests.builders import a_gtin

PRICES = (DatedPrice(100, 500), DatedPrice(200, 600, 550), DatedPrice(300, 400))


def test_a_price_is_in_force_from_its_instant_until_the_next() -> None:
    found = {at: price_at(PRICES, at) for at in (99, 100, 199, 200, 299, 300, 10**15)}
    assert found == {
        99: None,
        100: PRICES[0],
        199: PRICES[0],
        200: PRICES[1],
        299: PRICES[1],
        300: PRICES[2],
        10**15: PRICES[2],
    }


def test_of_two_prices_of_one_instant_the_later_entered_counts() -> None:
    assert price_at((DatedPrice(100, 500), DatedPrice(100, 600)), 100) == DatedPrice(100, 600)


def test_an_item_without_prices_has_none() -> None:
    assert price_at((), 5) is None
    assert PriceBook(1).price_at(a_gtin(), 5) is None
    assert PriceBook(1, {a_gtin(): PRICES}).price_at(a_gtin(), 250) == PRICES[1]
