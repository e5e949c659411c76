"""A simulated basket costs what the till would have asked under the same offers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from cloud.simulation.body import read_sale
from cloud.simulation.recorded import RecordedBasket
from cloud.simulation.replay import ItemFacts, Shop, basket_of
from cloud.simulation.report import Scope, report_of
from cloud.simulation.simulate import Rules, simulate
from cloud.simulation.tally import StoreTally
from cloud.simulation.view import report_data
from shared.journal.event import SaleCompleted
from shared.price.context import PricingInstant
from shared.price.derive import derive
from shared.price.offer import Offer
from shared.price.offer_book import OfferBook
from shared.price.price_book import PriceBook
from shared.sale.basket import Basket, BasketLine, LineCoupon
from shared.sale.pricing import tags_of
from shared.sale.tender import Tender, TenderKind
from shared.sale.transaction import RetailTransaction, SoldLine
from shared.wire.codec import event_data
from tests.builders import a_sale, priced
from tests.property.price_strategies import Scene, price_offers, scenes
from tests.property.strategies import CATALOGUE, offer_books, promoted

SHOP = Shop(
    "1",
    UTC,
    {
        item.gtin: ItemFacts(
            item.category,
            tags_of(item.tags, item.department, item.brand),
            item.uom,
            item.is_promotable,
            item.floor_minor,
            item.tax_bp,
            None if place % 3 == 0 else 100 * place,
        )
        for place, item in enumerate(CATALOGUE)
    },
)
DAY = date(2017, 8, 7)
AT = PricingInstant(1_502_120_400_000, DAY, 15 * 3600)


def sold(basket: Basket, book: PriceBook) -> RetailTransaction:
    due = priced(basket, book).due_minor
    return a_sale(basket, book, [Tender(TenderKind.CASH, due)])


def recorded(sale: RetailTransaction) -> RecordedBasket:
    body = orjson.dumps({"data": event_data(SaleCompleted(sale))})
    return basket_of(read_sale(body), SHOP)


def with_recorded_coupons(basket: Basket, sale: RetailTransaction) -> Basket:
    """A coupon counts with what it took, which is all that was recorded of it."""
    lines = zip(basket.lines, sale.lines, strict=True)
    return replace(basket, lines=tuple(_with_recorded_coupon(*each) for each in lines))


def _with_recorded_coupon(line: BasketLine, sold_line: SoldLine) -> BasketLine:
    taken = -sum(m.amount_minor for m in sold_line.modifiers if m.kind == "store_coupon")
    return replace(line, coupon=LineCoupon(taken, "") if taken else None)


@given(promoted(), offer_books())
def test_every_amount_is_the_one_that_the_till_finds(
    world: tuple[Basket, PriceBook], other: OfferBook
) -> None:
    basket, book = world
    sale = sold(basket, book)
    tally = simulate([recorded(sale)], Rules(book.offers, other))
    assert tally.unlike_receipt == 0
    assert tally.today.due_minor == tally.paid_minor == sale.totals.net_minor
    assert tally.gross_minor == sale.totals.gross_minor
    again = priced(with_recorded_coupons(basket, sale), replace(book, offers=other))
    assert tally.draft.due_minor == again.due_minor
    given = {each.offer.id: each.amount_minor for each in again.applied}
    assert {name: did.discount_minor for name, did in tally.draft.offers.items()} == given
    saved = sale.totals.net_minor - again.due_minor
    assert tally.change.winners_minor - tally.change.losers_minor == saved


@given(scenes(), st.data())
def test_two_rule_sets_priced_together_are_priced_as_each_alone(
    scene: Scene, data: st.DataObject
) -> None:
    lines = tuple(replace(line, key=place) for place, line in enumerate(scene.lines))
    customer = replace(scene.context, member_uses={}, member_units={})
    gross = sum(line.gross_minor for line in lines)
    basket = RecordedBasket("1", "1-1", lines, customer, AT, gross, gross)
    today, draft = OfferBook.of(scene.offers), OfferBook.of(data.draw(drafts_of(scene.offers)))
    tally = simulate([basket], Rules(today, draft, scene.policy))
    for side, book in ((tally.today, today), (tally.draft, draft)):
        found = derive(lines, book, customer, AT, scene.policy)
        assert side.due_minor == sum(found.nets)
        given = {each.offer.id: each.amount_minor for each in found.applied}
        assert {name: did.discount_minor for name, did in side.offers.items()} == given


@st.composite
def drafts_of(draw: st.DrawFn, offers: Sequence[Offer]) -> list[Offer]:
    """Some offers as they are, some changed, some gone, perhaps a new one."""
    draft = []
    for offer in offers:
        other = draw(price_offers(offer.id))
        as_it_is, sooner = replace(offer, version=2), replace(offer, priority=offer.priority + 1)
        draft.append(draw(st.sampled_from([as_it_is, as_it_is, sooner, other, None])))
    draft.append(draw(st.none() | price_offers(f"{offers[0].id}0")))
    return [offer for offer in draft if offer is not None]


@given(st.lists(promoted(), min_size=1, max_size=5), offer_books(), offer_books(), st.data())
def test_parts_merged_in_any_order_are_the_whole(
    worlds: Sequence[tuple[Basket, PriceBook]],
    today: OfferBook,
    draft: OfferBook,
    data: st.DataObject,
) -> None:
    baskets = [recorded(sold(*world)) for world in worlds]
    rules = Rules(today, draft)
    parts = [simulate([basket], rules) for basket in data.draw(st.permutations(baskets))]
    merged = StoreTally()
    for part in parts:
        merged.merge(part)
    assert shown(merged, rules) == shown(simulate(baskets, rules), rules)


def shown(tally: StoreTally, rules: Rules) -> dict[str, Any]:
    scope = Scope(DAY, DAY, {"1": rules.today.offers}, {"1": rules.draft.offers})
    return report_data(report_of(scope, {"1": tally}, {"1": "CNY"}))
