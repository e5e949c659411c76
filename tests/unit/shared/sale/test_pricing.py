from __future__ import annotations

import pytest

from shared.price.price_book import DatedPrice, PriceBook
from shared.sale.basket import LineCoupon, PriceOverride
from shared.sale.pricing import PricedBasket, PricedLine
from tests.builders import PRICED_AT_MS, a_basket, a_price_book, an_item, priced
from tests.counting import calls_of

RICE, MILK = an_item(1), an_item(2)
HAM = an_item(3, is_weighed=True, plu="00003")
BOOK = a_price_book({RICE: (500, 399), MILK: 250, HAM: (2990, 1990)})


def amounts(line: PricedLine) -> list[tuple[str, int]]:
    return [(modifier.kind, modifier.amount_minor) for modifier in line.modifiers]


def test_lines_and_sums() -> None:
    found = priced(a_basket((RICE, 2), MILK), BOOK)
    assert [(line.unit_minor, line.gross_minor, line.net_minor) for line in found.lines] == [
        (500, 1000, 1000),
        (250, 250, 250),
    ]
    assert (found.gross_minor, found.due_minor) == (1250, 1250)
    assert (found.revision, found.at_ms) == (7, PRICED_AT_MS)


def test_a_member_pays_member_prices_where_there_are_some() -> None:
    found = priced(a_basket((RICE, 2), MILK, member="2479"), BOOK)
    assert amounts(found.lines[0]) == [("member_price", -202)]
    assert amounts(found.lines[1]) == []
    assert (found.gross_minor, found.due_minor) == (1250, 1048)


def test_the_instant_decides_which_price_is_in_force() -> None:
    book = PriceBook(8, {RICE.gtin: (DatedPrice(100, 500), DatedPrice(200, 600))})
    dues = [priced(a_basket(RICE), book, at).due_minor for at in (100, 199, 200)]
    assert dues == [500, 500, 600]
    assert priced(a_basket(RICE), book, 99).needs_price


def test_a_weighed_line_is_rounded_once() -> None:
    basket = a_basket(member="2479").with_item(HAM, HAM.gtin, 355)
    (line,) = priced(basket, BOOK).lines
    assert (line.gross_minor, line.net_minor) == (1061, 706)


def test_a_label_price_is_for_that_very_pack_member_or_not() -> None:
    basket = a_basket(member="2479").with_item(HAM, "x", 2000, label_minor=1061)
    (line,) = priced(basket, BOOK).lines
    assert (line.unit_minor, line.gross_minor, line.net_minor) == (1061, 2122, 2122)


def test_a_label_prices_an_item_that_the_book_does_not_have() -> None:
    basket = a_basket().with_item(HAM, "x", label_minor=1061)
    found = priced(basket, PriceBook(1))
    assert (found.due_minor, found.needs_price) == (1061, False)


def test_a_line_without_a_price_says_so_and_adds_nothing() -> None:
    found = priced(a_basket(RICE, an_item(9)), BOOK)
    line = found.lines[1]
    assert line.needs_price
    assert found.needs_price
    assert (line.unit_minor, line.gross_minor, line.net_minor) == (None, 0, 0)
    assert found.due_minor == 500


def override(regular: int, member: int | None) -> PriceOverride:
    return PriceOverride(regular, member, "deal", "manager-1")


@pytest.mark.parametrize(
    ("given", "member", "net"),
    [
        (override(900, None), None, 900),
        (override(900, 700), None, 900),
        (override(900, 700), "2479", 700),
        (override(900, None), "2479", 900),  # the book's member price no longer applies
        (override(0, 0), "2479", 0),
    ],
)
def test_a_price_by_hand_is_for_the_whole_line(
    given: PriceOverride, member: str | None, net: int
) -> None:
    basket = a_basket((RICE, 3), member=member).with_override(1, given)
    (line,) = priced(basket, BOOK).lines
    assert (line.unit_minor, line.gross_minor, line.net_minor) == (500, given.regular_minor, net)


def test_a_price_by_hand_cures_a_missing_price() -> None:
    basket = a_basket(an_item(9)).with_override(1, override(900, None))
    found = priced(basket, BOOK)
    assert (found.needs_price, found.due_minor, found.lines[0].unit_minor) == (False, 900, None)


def test_a_coupon_comes_after_the_member_price_and_stops_at_nought() -> None:
    basket = a_basket(RICE, MILK, member="2479")
    basket = basket.with_coupon(1, LineCoupon(450, "c1")).with_coupon(2, LineCoupon(50, "c2"))
    found = priced(basket, BOOK)
    assert amounts(found.lines[0]) == [("member_price", -101), ("store_coupon", -399)]
    assert amounts(found.lines[1]) == [("store_coupon", -50)]
    assert [modifier.reference for modifier in found.lines[0].modifiers] == ["", "c1"]
    assert found.due_minor == 200


def test_an_empty_basket_costs_nothing() -> None:
    assert priced(a_basket(), BOOK, 5) == PricedBasket((), 5, 7, 0, 0)


def test_pricing_twice_gives_the_same() -> None:
    basket = a_basket((RICE, 2), MILK, member="2479").with_coupon(1, LineCoupon(450, "c1"))
    assert priced(basket, BOOK, 5) == priced(basket, BOOK, 5)


def priced_lines(count: int) -> int:
    """The calls that pricing so many lines takes."""
    goods = [an_item(n) for n in range(count)]
    book = a_price_book(dict.fromkeys(goods, (500, 399)))
    basket = a_basket(*goods, member="2479")
    return calls_of(lambda: priced(basket, book))


def test_each_line_costs_the_same_few_calls() -> None:
    first, second = priced_lines(50), priced_lines(100)
    assert second - first <= 50 * 50
    assert second <= 2 * first
