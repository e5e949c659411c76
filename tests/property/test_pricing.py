from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from shared.item.item import Item
from shared.price.price_book import PriceBook
from shared.sale.basket import Basket
from shared.sale.pricing import PricedBasket
from shared.sale.transaction import RetailTransaction
from tests.builders import priced
from tests.property.strategies import MEMBERS, basket_of, baskets, price_books, sales, scans


@given(baskets(), price_books())
def test_gross_and_modifiers_are_net_and_lines_are_the_whole(
    basket: Basket, book: PriceBook
) -> None:
    found = priced(basket, book)
    for line in found.lines:
        assert line.gross_minor + sum(m.amount_minor for m in line.modifiers) == line.net_minor
    assert found.gross_minor == sum(line.gross_minor for line in found.lines)
    assert found.due_minor == sum(line.net_minor for line in found.lines)


@given(baskets(), price_books())
def test_no_line_is_below_nought_or_dearer_than_regular(basket: Basket, book: PriceBook) -> None:
    for line in priced(basket, book).lines:
        assert 0 <= line.net_minor <= line.gross_minor
        assert all(modifier.amount_minor < 0 for modifier in line.modifiers)


@given(st.lists(scans(), max_size=12), price_books(), MEMBERS, st.randoms(use_true_random=False))
def test_the_order_of_scans_does_not_matter(
    goods: list[tuple[Item, int, int | None]],
    book: PriceBook,
    member: str | None,
    chance: random.Random,
) -> None:
    shuffled = goods.copy()
    chance.shuffle(shuffled)
    assert by_line(priced(basket_of(goods, member), book)) == by_line(
        priced(basket_of(shuffled, member), book)
    )


def by_line(found: PricedBasket) -> list[tuple[str, int | None, int, int, int]]:
    return sorted(
        (
            line.line.item.gtin,
            line.line.label_minor or 0,
            line.line.qty_milli,
            line.gross_minor,
            line.net_minor,
        )
        for line in found.lines
    )


@given(st.lists(scans(), min_size=1, max_size=6), price_books())
def test_a_member_never_pays_more(
    goods: list[tuple[Item, int, int | None]], book: PriceBook
) -> None:
    as_member, as_guest = priced(basket_of(goods, "2479"), book), priced(basket_of(goods), book)
    assert as_member.due_minor <= as_guest.due_minor
    assert as_member.gross_minor == as_guest.gross_minor == as_guest.due_minor


@given(sales().map(lambda event: event.sale))
def test_the_totals_of_a_sale_are_exact(sale: RetailTransaction) -> None:
    totals = sale.totals
    saved = totals.member_disc_minor + totals.offer_disc_minor + totals.store_coupon_minor
    assert totals.gross_minor - saved == totals.net_minor
    assert totals.net_minor - totals.mfr_coupon_minor == totals.tender_minor
    assert sum(tender.amount_minor for tender in sale.tenders) - sale.change_minor == (
        totals.net_minor
    )
    assert min(totals.units, totals.lines) == len(sale.lines)
    assert totals.tender_minor >= 0
