from __future__ import annotations

from dataclasses import replace
from functools import reduce

import pytest

from shared.journal.event import (
    BasketVoided,
    DayOpened,
    DrawerOpened,
    Event,
    OperatorSignedOn,
    ReceiptReprinted,
    SaleCompleted,
    UnknownEvent,
)
from shared.price.offer import Level, Offer
from shared.price.offer_book import OfferBook
from shared.price.reward import AmountOff
from shared.sale.basket import LineCoupon, PriceOverride
from shared.sale.tender import Tender, TenderKind
from shared.till.z_report import ZReport, fold_z, merge_z
from tests.builders import a_basket, a_price_book, a_sale, an_item

EMPTY = ZReport("2017-08-07")
RICE, MILK = an_item(1), an_item(2)
BOOK = a_price_book({RICE: (500, 399), MILK: 250})


def rich_sale() -> SaleCompleted:
    basket = a_basket((RICE, 2), MILK, MILK, member="2479").without_line(2, "x", 5)
    basket = basket.with_item(MILK, MILK.gtin).with_coupon(3, LineCoupon(100, "c1"))
    basket = basket.with_item(an_item(9), "9").with_override(4, PriceOverride(200, None, "x", "m"))
    tenders = [
        Tender(TenderKind.MANUFACTURER_COUPON, 48),
        Tender(TenderKind.CARD, 500),
        Tender(TenderKind.CASH, 1000),
    ]
    return SaleCompleted(a_sale(basket, BOOK, tenders))


def test_a_sale_adds_its_totals_and_what_stayed_in_the_drawer() -> None:
    assert fold_z(EMPTY, rich_sale()) == ZReport(
        "2017-08-07",
        receipts=1,
        lines=3,
        units=4,
        gross_minor=1450,
        member_disc_minor=202,
        store_coupon_minor=100,
        net_minor=1148,
        mfr_coupon_minor=48,
        tender_minor=1100,
        cash_minor=600,
        card_minor=500,
        voided_lines=1,
        overrides=1,
    )


def test_what_offers_took_has_a_sum_of_its_own() -> None:
    offers = OfferBook.of([Offer("o", Level.LINE, AmountOff(150))])
    sale = SaleCompleted(a_sale(a_basket((RICE, 2), member="2479"), replace(BOOK, offers=offers)))
    z = fold_z(EMPTY, sale)
    assert (z.gross_minor, z.member_disc_minor, z.offer_disc_minor) == (1000, 202, 150)
    assert (z.store_coupon_minor, z.net_minor) == (0, 648)
    assert merge_z(z, z).offer_disc_minor == 300


@pytest.mark.parametrize(
    ("event", "z"),
    [
        (BasketVoided(1, 3, 500, "left"), ZReport("2017-08-07", voided_baskets=1)),
        (DrawerOpened(1, "change for a note"), ZReport("2017-08-07", no_sales=1)),
        (DrawerOpened(1, "sale"), EMPTY),
        (ReceiptReprinted(1, "343-1-000001", 1), ZReport("2017-08-07", reprints=1)),
        (DayOpened("2017-08-07"), EMPTY),
        (OperatorSignedOn(1, "cashier-1"), EMPTY),
        (UnknownEvent("till.counted", {"minor": 5}), EMPTY),
    ],
)
def test_other_events_count_or_do_not(event: Event, z: ZReport) -> None:
    assert fold_z(EMPTY, event) == z


def test_two_lanes_together_are_the_store() -> None:
    events: list[Event] = [rich_sale(), SaleCompleted(a_sale()), DrawerOpened(2, "x")]
    store = reduce(fold_z, events, EMPTY)
    assert merge_z(fold_z(EMPTY, events[0]), reduce(fold_z, events[1:], EMPTY)) == store


def test_reports_of_two_days_do_not_mix() -> None:
    with pytest.raises(AssertionError):
        merge_z(EMPTY, ZReport("2017-08-08"))
