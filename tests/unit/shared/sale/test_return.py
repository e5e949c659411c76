from __future__ import annotations

from dataclasses import replace

import pytest

from shared.kernel.errors import MissingError, RefusedError
from shared.price.condition import Selector
from shared.price.offer import Level, Offer
from shared.price.offer_book import OfferBook
from shared.price.reward import AmountOff, BuyGet, Slot
from shared.sale.return_ import ReturnWish, exchange_due_minor, return_lines
from shared.sale.tender import Tender, TenderKind
from shared.sale.transaction import RetailTransaction
from tests.builders import a_basket, a_price_book, a_sale, an_item

TEA, CUP = an_item(1), an_item(2)


def sold(*offers: Offer) -> RetailTransaction:
    """Three teas at 5.00 and a cup at 8.00."""
    book = replace(a_price_book({TEA: 500, CUP: 800}), offers=OfferBook.of(offers))
    return a_sale(a_basket((TEA, 3), CUP), book, [Tender(TenderKind.CASH, 5000)])


def with_tax(sale: RetailTransaction) -> RetailTransaction:
    return replace(
        sale, lines=tuple(replace(line, tax_bp=1300, tax_minor=100) for line in sale.lines)
    )


def test_returns_one_by_one_give_back_what_was_paid_and_its_tax() -> None:
    sale = with_tax(sold(Offer("ten", Level.BASKET, AmountOff(230))))
    net = sale.lines[0].net_minor
    assert net == 1500 - 150
    wish = ReturnWish(1, 1000)
    found = return_lines(sale, [wish, wish, wish], {})
    assert [line.refund_minor for line in found] == [450, 450, 450]
    assert [line.tax_minor for line in found] == [33, 34, 33]
    later = return_lines(sale, [wish], {1: 1000})
    assert later == (found[1],)
    assert later[0].receipt_no == sale.receipt_no


def test_the_free_one_of_another_line_gives_back_nothing() -> None:
    tea, cup = (Selector(skus=frozenset({item.gtin})) for item in (TEA, CUP))
    free_cup = Offer("free", Level.LINE, BuyGet(Slot(tea), Slot(cup), bp=10_000))
    sale = sold(free_cup)
    assert [line.refund_minor for line in return_lines(sale, [ReturnWish(2, 1000)], {})] == [0]


def test_an_exchange_costs_the_difference_or_gives_money_back() -> None:
    returns = return_lines(sold(), [ReturnWish(1, 2000)], {})
    assert exchange_due_minor(1500, returns) == 500
    assert exchange_due_minor(300, returns) == -700
    assert exchange_due_minor(0, ()) == 0


def test_what_was_not_sold_or_came_back_already_is_refused() -> None:
    sale = sold()
    with pytest.raises(MissingError, match=r"return\.line"):
        return_lines(sale, [ReturnWish(9, 1000)], {})
    with pytest.raises(RefusedError, match=r"return\.quantity"):
        return_lines(sale, [ReturnWish(1, 2000)], {1: 2000})
    with pytest.raises(RefusedError, match=r"return\.quantity"):
        return_lines(sale, [ReturnWish(1, 2000), ReturnWish(1, 2000)], {})
    with pytest.raises(RefusedError, match=r"quantity\.whole"):
        return_lines(sale, [ReturnWish(1, 500)], {})
