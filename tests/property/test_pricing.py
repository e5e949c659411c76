from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from shared.item.item import Item
from shared.journal.event import SaleCompleted
from shared.price.price_book import PriceBook
from shared.sale.basket import Basket
from shared.sale.line_price import OFFER
from shared.sale.pricing import PricedBasket
from shared.sale.reprice import reprice
from shared.sale.tender import Tender, TenderKind
from shared.sale.transaction import RetailTransaction
from shared.wire.codec import event_data, parse_event
from tests.builders import a_sale, an_instant, priced
from tests.property.strategies import (
    CATALOGUE,
    MEMBERS,
    basket_of,
    price_books,
    promoted,
    sales,
    scans,
)


@given(promoted())
def test_gross_and_modifiers_are_net_and_lines_are_the_whole(
    world: tuple[Basket, PriceBook],
) -> None:
    found = priced(*world)
    for line in found.lines:
        assert line.gross_minor + sum(m.amount_minor for m in line.modifiers) == line.net_minor
    assert found.gross_minor == sum(line.gross_minor for line in found.lines)
    assert found.due_minor == sum(line.net_minor for line in found.lines)


@given(promoted())
def test_no_line_is_below_nought_or_dearer_than_regular(
    world: tuple[Basket, PriceBook],
) -> None:
    for line in priced(*world).lines:
        assert 0 <= line.net_minor <= line.gross_minor
        assert all(modifier.amount_minor < 0 for modifier in line.modifiers)


@given(promoted())
def test_the_shares_of_an_offer_add_up_to_it(world: tuple[Basket, PriceBook]) -> None:
    found = priced(*world)
    shared: dict[str, int] = {}
    for line in found.lines:
        for modifier in line.modifiers:
            if modifier.kind == OFFER:
                shared[modifier.reference] = (
                    shared.get(modifier.reference, 0) - modifier.amount_minor
                )
                assert 0 < -modifier.amount_minor <= modifier.base_minor
                assert line.line.override is None
                assert line.line.item.is_promotable
    assert shared == {each.offer.id: each.amount_minor for each in found.applied}


@given(promoted())
def test_the_tax_of_a_line_is_part_of_what_is_paid_for_it(world: tuple[Basket, PriceBook]) -> None:
    found = priced(*world)
    for line in found.lines:
        assert 0 <= line.tax_minor <= line.net_minor
    assert sum(tax.tax_minor for tax in found.taxes) == sum(line.tax_minor for line in found.lines)
    assert sum(tax.net_minor for tax in found.taxes) == found.due_minor


@given(promoted())
def test_a_sale_priced_again_from_its_journal_entry_costs_the_same(
    world: tuple[Basket, PriceBook],
) -> None:
    basket, book = world
    due = priced(basket, book).due_minor
    made = SaleCompleted(a_sale(basket, book, [Tender(TenderKind.CASH, due)]))
    event = parse_event(made.type, event_data(made))
    assert isinstance(event, SaleCompleted)
    items = {item.gtin: item for item in CATALOGUE}
    again = reprice(event.sale, items, book.offers, an_instant(event.sale.priced_at_ms))
    assert again.nets == tuple(line.net_minor for line in event.sale.lines)
    assert again.due_minor == due
    assert [each.offer.id for each in again.applied] == [each.id for each in event.sale.offers]


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
