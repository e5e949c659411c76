from __future__ import annotations

import pytest

from shared.kernel.errors import RefusedError
from shared.sale.basket import Basket, LineCoupon, PriceOverride
from shared.sale.tender import Tender, TenderKind
from shared.sale.transaction import SaleTotals, SoldModifier, SoldOverride
from tests.builders import (
    OPENED_AT_MS,
    PRICED_AT_MS,
    a_basket,
    a_price_book,
    a_sale,
    an_item,
)

RICE, MILK = an_item(1), an_item(2)
HAM = an_item(3, is_weighed=True)
BOOK = a_price_book({RICE: (500, 399), MILK: 250, HAM: 2990})


def test_a_sale_is_what_was_sold_to_whom_for_which_money() -> None:
    basket = a_basket((RICE, 2), MILK, member="2479").without_line(2, "changed mind", 5)
    sale = a_sale(basket, BOOK, [Tender(TenderKind.CASH, 1000)])
    assert (sale.receipt_no, sale.lane, sale.operator) == ("343-1-000001", 1, "cashier-1")
    assert (sale.opened_at_ms, sale.priced_at_ms, sale.revision) == (OPENED_AT_MS, PRICED_AT_MS, 7)
    assert (sale.member, sale.change_minor, sale.voided) == ("2479", 202, basket.voided)
    (line,) = sale.lines
    assert (line.n, line.gtin, line.name, line.code) == (1, RICE.gtin, RICE.name, RICE.gtin)
    assert (line.qty_milli, line.unit_minor, line.gross_minor, line.net_minor) == (
        2000,
        500,
        1000,
        798,
    )
    assert line.modifiers == (SoldModifier("member_price", -202, "price_book"),)


def test_totals_are_the_sums_of_lines_and_tenders() -> None:
    basket = a_basket((RICE, 2), MILK, member="2479").with_coupon(2, LineCoupon(100, "c1"))
    tenders = [
        Tender(TenderKind.MANUFACTURER_COUPON, 50),
        Tender(TenderKind.CARD, 500),
        Tender(TenderKind.CASH, 500),
    ]
    sale = a_sale(basket, BOOK, tenders)
    assert sale.totals == SaleTotals(
        lines=2,
        units=3,
        gross_minor=1250,
        member_disc_minor=202,
        store_coupon_minor=100,
        net_minor=948,
        mfr_coupon_minor=50,
        tender_minor=898,
    )
    assert sale.change_minor == 102


@pytest.mark.parametrize(("qty_milli", "units"), [(355, 1), (2500, 1), (1000, 1), (3000, 3)])
def test_a_pack_is_one_unit_whatever_it_weighs(qty_milli: int, units: int) -> None:
    basket = a_basket().with_item(HAM, HAM.gtin, qty_milli)
    assert a_sale(basket, BOOK, [Tender(TenderKind.CASH, 10_000)]).totals.units == units


def test_a_price_by_hand_stays_visible_with_the_price_it_replaced() -> None:
    basket = a_basket(RICE, an_item(9))
    for number in (1, 2):
        basket = basket.with_override(number, PriceOverride(300, None, "dented", "manager-1"))
    sale = a_sale(basket, BOOK)
    assert [line.override for line in sale.lines] == [
        SoldOverride(500, "dented", "manager-1"),
        SoldOverride(None, "dented", "manager-1"),
    ]


def test_a_sale_that_coupons_paid_in_full_brings_no_money() -> None:
    sale = a_sale(a_basket(MILK), BOOK, [Tender(TenderKind.MANUFACTURER_COUPON, 250)])
    assert (sale.totals.net_minor, sale.totals.tender_minor) == (250, 0)


@pytest.mark.parametrize(
    ("basket", "code"),
    [
        (a_basket(), "basket.empty"),
        (a_basket(RICE).without_line(1, "x", 1), "basket.empty"),
        (a_basket(RICE).with_unknown("1", "barcode.length", 1), "basket.unknown_codes"),
        (a_basket(RICE, an_item(9)), "basket.needs_price"),
    ],
)
def test_what_must_not_be_sold_is_refused(basket: Basket, code: str) -> None:
    with pytest.raises(RefusedError) as refused:
        a_sale(basket, BOOK)
    assert refused.value.code == code
