"""The lane's screen is a pure function of its state."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC
from typing import Any

import pytest

from edge.desk.state import DoneSale, DoneTender, LaneState, LastScan, Operator
from edge.sale.pricing import PriceSources, price_open_basket
from edge.sale.view import Surroundings, locked, present
from shared.item.item import Item
from shared.kernel.errors import MissingError
from shared.kernel.money import currency_of
from shared.kernel.rounding import CashRounding
from shared.price.offer import Offer
from shared.price.offer_book import OfferBook
from shared.price.price_book import DatedPrice
from shared.sale.basket import LineCoupon, PriceOverride
from shared.sale.member_history import MemberHistory
from shared.sale.tender import Tender, TenderKind
from tests.builders import a_basket, an_item

AROUND = Surroundings("343", "Main Street", currency_of("USD"), "2017-08-07", 9, ())
ANN = Operator("1001", "Ann", "manager", ("day.close", "sale.operate"))


class Prices:
    """A catalogue where item n costs n.00, members 10 off; knows revision 7 only."""

    def __init__(self, *items: Item, offers: Iterable[Offer] = ()) -> None:
        self._prices = {item.gtin: (DatedPrice(0, 500, 450),) for item in items}
        self._offers = OfferBook.of(offers)

    def active_revision(self) -> int:
        return 9

    def find_item(self, gtin: str, revision: int) -> Item | None:
        raise AssertionError

    def find_plu(self, plu: str, revision: int) -> Item | None:
        raise AssertionError

    def dated_prices(self, gtin: str, revision: int) -> tuple[DatedPrice, ...]:
        if revision != 7:
            raise MissingError("replica.revision", revision=revision)
        return self._prices.get(gtin, ())  # type: ignore[call-overload, no-any-return]

    def offers(self, revision: int) -> OfferBook:
        return self._offers


def sources(catalogue: Prices) -> PriceSources:
    return PriceSources(catalogue, lambda member: MemberHistory(), UTC)


def shown(state: LaneState, *items: Item, around: Surroundings = AROUND) -> dict[str, Any]:
    return present(state, around, sources(Prices(*items)))


def test_an_empty_lane_waits_for_the_first_scan() -> None:
    view = shown(LaneState(1, operator=ANN))
    assert (view["state"], view["can_pay"], view["pay_blocked_by"]) == ("selling", False, "empty")
    assert view["basket"]["lines"] == []
    assert (view["revision"], view["basket"]["id"]) == (9, "")
    assert view["operator"] == {"id": "1001", "name": "Ann", "role": "manager"}


def test_a_basket_shows_lines_savings_and_what_is_due() -> None:
    item = an_item()
    state = LaneState(1, operator=ANN, basket=a_basket((item, 2), member="2479"))
    view = shown(state, item)
    (line,) = view["basket"]["lines"]
    assert (line["unit_minor"], line["gross_minor"], line["net_minor"]) == (500, 1000, 900)
    assert line["modifiers"] == [
        {"kind": "member_price", "amount_minor": -100, "because": "price_book", "params": {}}
    ]
    assert view["basket"]["savings"] == [{"kind": "member_price", "amount_minor": -100}]
    assert (view["basket"]["due_minor"], view["basket"]["count"]) == (900, 2)
    assert view["quick_cash"] == [900, 1000, 2000, 5000]
    assert view["can_pay"]
    assert view["revision"] == 7


def test_goods_with_an_age_limit_wait_for_the_cashiers_word() -> None:
    beer = replace(an_item(), age_limit=18)
    basket = a_basket(beer)
    view = shown(LaneState(1, operator=ANN, basket=basket), beer)
    assert (view["pay_blocked_by"], view["age_asked"]) == ("age", 18)
    view = shown(LaneState(1, operator=ANN, basket=basket.with_age(18)), beer)
    assert (view["can_pay"], view["age_asked"]) == (True, 0)


def test_an_override_and_a_coupon_are_told_apart() -> None:
    item = an_item()
    basket = a_basket(item)
    basket = basket.with_override(1, PriceOverride(400, None, "dented", "1001"))
    basket = basket.with_coupon(1, LineCoupon(50, "C-1"))
    (line,) = shown(LaneState(1, operator=ANN, basket=basket), item)["basket"]["lines"]
    assert (line["is_overridden"], line["gross_minor"], line["net_minor"]) == (True, 400, 350)
    assert line["modifiers"][0]["params"] == {"reference": "C-1"}


@pytest.mark.parametrize(
    ("changes", "blocked_by"),
    [
        ({}, None),
        ({"unknown": True}, "unknown_codes"),
        ({"unpriced": True}, "needs_price"),
        ({"closed": True}, "day_closed"),
    ],
)
def test_the_reason_why_nothing_can_be_paid(
    changes: dict[str, bool], blocked_by: str | None
) -> None:
    item = an_item()
    basket = a_basket(item)
    if "unknown" in changes:
        basket = basket.with_unknown("123", "barcode.length", 1)
    around = replace(AROUND, business_date=None) if "closed" in changes else AROUND
    known = () if "unpriced" in changes else (item,)
    view = shown(LaneState(1, operator=ANN, basket=basket), *known, around=around)
    assert view["pay_blocked_by"] == blocked_by
    assert view["can_pay"] is (blocked_by is None)


def test_what_was_handed_over_is_taken_off() -> None:
    item = an_item()
    basket = a_basket(item).with_tender(Tender(TenderKind.CARD, 200))
    view = shown(LaneState(1, operator=ANN, basket=basket), item)
    assert view["basket"]["remaining_minor"] == 300
    assert view["basket"]["tenders"] == [{"kind": "card", "amount_minor": 200}]
    assert view["quick_cash"][0] == 300


def test_the_done_sale_is_shown_until_the_next_scan() -> None:
    tenders = (DoneTender("cash", 2000),)
    done = DoneSale("1-000001", 900, 2000, 1100, tenders, "text", "printed")
    view = shown(LaneState(1, operator=ANN, done=done))
    assert view["state"] == "done"
    assert (view["done"]["change_minor"], view["done"]["print"]) == (1100, "printed")


def test_nobody_signed_in_means_locked() -> None:
    assert shown(LaneState(1))["state"] == "locked"
    assert (
        shown(LaneState(1, operator=ANN), around=replace(AROUND, business_date=None))["state"]
        == "day_closed"
    )


def test_a_screen_without_a_session_sees_neither_goods_nor_people() -> None:
    item = an_item()
    scan = LastScan(1, "item", item.name, 500, item.gtin)
    state = LaneState(1, seq=4, operator=ANN, basket=a_basket(item), last_scan=scan)
    view = locked(shown(state, item))
    assert (view["state"], view["seq"], view["operator"]) == ("locked", 4, None)
    assert item.name not in str(view)
    assert "Ann" not in str(view)


def test_a_screen_without_a_session_sees_nothing_of_the_member() -> None:
    """Anybody in the store's network may look at a lane so."""
    state = LaneState(1, operator=ANN, basket=a_basket(an_item(), member="m1"))
    told = locked(shown(state, an_item()) | {"member_digits": "5678"})
    assert (told["member_digits"], told["basket"]["member"]) == ("", None)


def test_a_deleted_replica_needs_prices_and_does_not_crash() -> None:
    basket = replace(a_basket(an_item()), revision=3)
    priced = price_open_basket(basket, sources(Prices(an_item())))
    assert priced.needs_price


def test_what_a_store_does_not_take_is_not_offered() -> None:
    item = an_item()
    state = LaneState(1, operator=ANN, basket=a_basket(item))
    assert shown(state, item)["tenders"] == ["card", "cash", "manufacturer_coupon"]
    assert shown(state, item)["quick_cash"]
    view = shown(state, item, around=replace(AROUND, tenders=("card",)))
    assert (view["tenders"], view["quick_cash"]) == (["card"], [])


@pytest.mark.parametrize(
    ("tenders", "cash_due", "notes"), [(["cash", "card"], 500, True), (["card"], 503, False)]
)
def test_cash_is_rounded_where_the_store_takes_cash(
    tenders: list[str], cash_due: int, *, notes: bool
) -> None:
    around = replace(AROUND, tenders=tenders, rounding=CashRounding(10))
    item = an_item()
    basket = replace(a_basket((item, 2)), tenders=(Tender(TenderKind.CARD, 497, "1"),))
    view = shown(LaneState(1, operator=ANN, basket=basket), item, around=around)
    assert view["basket"]["remaining_minor"] == 503
    assert (view["cash_due_minor"], bool(view["quick_cash"])) == (cash_due, notes)
