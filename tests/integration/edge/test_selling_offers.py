"""Offers and their coupons at a lane: from the scan to the journal, the receipt and the screen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.desk.state import LaneState
from edge.sale.commands import GiveBackCoupon, HandInCoupon, RemoveLine, SetQuantity, Undo
from edge.sale.offers import OfferReasons, offer_reasons
from edge.sale.recorded import recorded_sale
from edge.sale.view import Surroundings, present
from shared.item.barcode import member_card_code
from shared.kernel.errors import RefusedError
from shared.price.condition import ALL, ForMember, MinSpend, Selector
from shared.price.offer import Level, Offer, Stack, StackMode, Validity
from shared.price.reward import AmountOff, BuyGet, Gift, PercentOff, Slot
from shared.publication.revision import Record, RecordKind
from shared.sale.basket import Basket
from shared.sale.transaction import RetailTransaction
from tests.builders import OPENED_AT_MS, a_gtin
from tests.integration.edge.boxes import DAY, offer_record, price_record
from tests.integration.edge.lanes import ANN, Lane, a_lane


def named(name: str) -> dict[str, str]:
    return {"en": name, "zh-CN": name, "zh-TW": name}


def goods(*numbers: int) -> Selector:
    return Selector(skus=frozenset(a_gtin(number) for number in numbers))


FIVE_OFF = Offer(
    "five-off",
    Level.BASKET,
    AmountOff(500),
    when=(MinSpend(ALL, 3000),),
    names=named("5 off from 30"),
)
BOGO = Offer(
    "bogo",
    Level.LINE,
    BuyGet(Slot(goods(4)), Slot(goods(4)), bp=10_000),
    names=named("Buy one, get one"),
)
TENTH = Offer(
    "tenth", Level.BASKET, PercentOff(1000), coupon="TENTH", names=named("Coupon: 10% off")
)


@pytest.fixture
def lane(tmp_path: Path) -> Iterator[Lane]:
    with a_lane(tmp_path) as made:
        made.publish(offer_record(FIVE_OFF), offer_record(BOGO), offer_record(TENTH))
        yield made


def around(lane: Lane) -> Surroundings:
    layout = lane.shop.layout
    return Surroundings("343", "Main Street", layout.currency, DAY, 2, (), layout.language)


def shown(lane: Lane, state: LaneState | None = None) -> dict[str, Any]:
    basket: dict[str, Any] = present(state or lane.state, around(lane), lane.shop.sources)["basket"]
    return basket


def told(lane: Lane) -> OfferReasons:
    return offer_reasons(lane.basket(), lane.shop.sources, lane.shop.layout.language)


def sold(lane: Lane, receipt_no: str = "1-000001") -> RetailTransaction:
    return recorded_sale(lane.journal.sale_by_receipt(receipt_no))[0]


def test_a_basket_with_offers_is_sold_printed_and_summed_up(lane: Lane) -> None:
    lane.scan(a_gtin(4), a_gtin(4), a_gtin(20), a_gtin(10))
    assert shown(lane)["due_minor"] == 2900  # 8.00 - 4.00 + 20.00 + 10.00 - 5.00
    lane.pay(2900)
    sale = sold(lane)
    assert [(each.id, each.amount_minor) for each in sale.offers] == [
        ("bogo", -400),
        ("five-off", -500),
    ]
    assert sale.totals.offer_disc_minor == 900
    assert lane.state.done is not None
    text = lane.state.done.receipt_text
    assert "Buy one, get one" in text
    assert "5 off from 30" in text
    z = lane.journal.z(DAY)
    assert (z.gross_minor, z.offer_disc_minor, z.net_minor, z.cash_minor) == (
        3800,
        900,
        2900,
        2900,
    )


def test_the_screen_names_each_offer_on_its_lines_and_in_sum(lane: Lane) -> None:
    lane.scan(a_gtin(4), a_gtin(4), a_gtin(20), a_gtin(10))
    basket = shown(lane)
    assert basket["has_offers"]
    assert basket["offers"] == [
        {"id": "bogo", "name": "Buy one, get one", "amount_minor": -400, "times": 1},
        {"id": "five-off", "name": "5 off from 30", "amount_minor": -500, "times": 1},
    ]
    first = basket["lines"][0]
    assert first["modifiers"][0] == {
        "kind": "offer",
        "amount_minor": -400,
        "because": "offer",
        "params": {"reference": "bogo", "name": "Buy one, get one"},
    }
    assert basket["savings"] == [{"kind": "offer", "amount_minor": -900}]


def test_a_near_miss_is_told_until_money_is_taken(lane: Lane) -> None:
    lane.scan(a_gtin(20), a_gtin(5))
    (hint,) = shown(lane)["hints"]
    assert hint == {
        "offer_id": "five-off",
        "name": "5 off from 30",
        "code": "spend",
        "params": {"short_minor": 500, "amount_minor": 3000},
    }
    lane.pay(100)
    assert shown(lane)["hints"] == []


def test_no_more_than_three_near_misses_are_told(lane: Lane) -> None:
    more = [replace(FIVE_OFF, id=f"more-{number}") for number in range(4)]
    lane.publish(*(offer_record(each) for each in more))
    lane.scan(a_gtin(20), a_gtin(5))
    assert len(shown(lane)["hints"]) == 3


def test_the_cashier_is_asked_to_scan_a_gift(lane: Lane) -> None:
    gift = Offer(
        "gift",
        Level.LINE,
        Gift(),
        goods(1),
        when=(MinSpend(ALL, 2000),),
        names=named("A free tea"),
    )
    lane.publish(offer_record(gift), Record(RecordKind.OFFER, "five-off", None))
    lane.scan(a_gtin(20))
    assert [(each["code"], each["name"]) for each in shown(lane)["hints"]] == [
        ("gift", "A free tea")
    ]
    lane.scan(a_gtin(1))
    assert [each["code"] for each in shown(lane)["hints"]] == []
    assert shown(lane)["lines"][1]["net_minor"] == 0


def test_a_coupon_may_be_scanned_before_or_after_the_goods(lane: Lane) -> None:
    lane.scan("tenth")
    assert lane.basket().revision == 2
    assert lane.state.last_scan is not None
    assert (lane.state.last_scan.kind, lane.state.last_scan.code) == ("coupon", "TENTH")
    lane.scan(a_gtin(10), "TENTH")
    assert lane.basket().coupons == ("TENTH",)
    assert shown(lane)["coupons"] == [
        {"code": "TENTH", "name": "Coupon: 10% off", "is_acting": True}
    ]
    lane.pay(900)
    sale = sold(lane)
    assert sale.coupons == ("TENTH",)
    assert (sale.offers[0].id, sale.offers[0].coupon) == ("tenth", "TENTH")


@pytest.mark.parametrize("symbology", ["]Q1", "]C0", "]d1"])
def test_a_coupon_is_one_whatever_symbol_it_is_printed_as(lane: Lane, symbology: str) -> None:
    lane.scan(f"{symbology}TENTH")
    assert lane.basket().coupons == ("TENTH",)
    assert not lane.basket().unknown


def test_a_typed_coupon_is_taken_once_and_given_back(lane: Lane) -> None:
    lane.scan(a_gtin(10))
    lane.do(HandInCoupon("Tenth"))
    with pytest.raises(RefusedError, match=r"coupon\.twice"):
        lane.do(HandInCoupon("TENTH"))
    with pytest.raises(RefusedError, match=r"coupon\.unknown"):
        lane.do(HandInCoupon("TWENTIETH"))
    lane.do(GiveBackCoupon("TENTH"))
    assert (lane.basket().coupons, shown(lane)["due_minor"]) == ((), 1000)
    lane.do(Undo())
    assert lane.basket().coupons == ("TENTH",)


def test_the_code_of_an_item_stays_an_item(lane: Lane) -> None:
    clash = replace(TENTH, id="clash", coupon=a_gtin(3))
    lane.publish(offer_record(clash))
    lane.scan(a_gtin(3))
    assert (len(lane.basket().lines), lane.basket().coupons) == (1, ())


def test_a_number_that_is_no_item_may_be_a_coupon(lane: Lane) -> None:
    numbered = replace(TENTH, id="numbered", coupon=a_gtin(999))
    lane.publish(offer_record(numbered))
    lane.scan(a_gtin(10), a_gtin(999))
    assert (lane.basket().coupons, lane.basket().unknown) == ((a_gtin(999),), ())


def test_an_open_basket_keeps_the_offers_that_it_pinned(lane: Lane) -> None:
    lane.scan(a_gtin(4))
    lane.publish(Record(RecordKind.OFFER, "bogo", None), price_record(4, 999))
    lane.scan(a_gtin(4))
    assert shown(lane)["due_minor"] == 400
    lane.pay(400)
    lane.scan(a_gtin(4), a_gtin(4))
    assert shown(lane)["due_minor"] == 1998


def test_an_offer_ends_by_the_stores_own_clock_and_spares_who_stands_there(lane: Lane) -> None:
    # The basket is opened at 03:20 in New York.
    night = replace(FIVE_OFF, id="night", when=(), valid=Validity(daily=((0, 3 * 3600 + 1201),)))
    day = replace(FIVE_OFF, id="day", when=(), valid=Validity(daily=((8 * 3600, 20 * 3600),)))
    lane.publish(offer_record(night), offer_record(day))
    lane.scan(a_gtin(10))
    lane.shop.clock.set_ms(OPENED_AT_MS + 3_600_000)  # type: ignore[attr-defined]
    assert [each["id"] for each in shown(lane)["offers"]] == ["night"]


def test_taking_goods_out_takes_their_offer_back(lane: Lane) -> None:
    lane.scan(a_gtin(4), a_gtin(4))
    lane.do(SetQuantity(1, 1000))
    assert (shown(lane)["due_minor"], shown(lane)["offers"]) == (400, [])
    lane.scan(a_gtin(4))
    lane.do(RemoveLine(1, "not wanted"))
    assert (shown(lane)["due_minor"], shown(lane)["offers"]) == (0, [])


def test_whoever_asks_is_told_why_each_offer_does_not_act(lane: Lane) -> None:
    best = Stack(StackMode.BEST_OF, "one")
    small = replace(FIVE_OFF, id="small", when=(), reward=AmountOff(100), stack=best)
    large = replace(small, id="large", reward=AmountOff(200), names=named("Two off"))
    member = replace(small, id="member", when=(ForMember(),), stack=Stack())
    lane.publish(*map(offer_record, (small, large, member)))
    lane.scan(a_gtin(10))
    found = told(lane)
    assert [(each.offer_id, each.amount_minor) for each in found.acting] == [("large", -200)]
    assert {each.offer_id: each.code for each in found.idle} == {
        "bogo": "no_goods",
        "five-off": "spend",
        "tenth": "coupon_missing",
        "small": "beaten",
        "member": "member_only",
    }
    beaten = next(each for each in found.idle if each.offer_id == "small")
    assert beaten.params == {"offer": "Two off", "more_minor": 100}


def test_a_member_card_lets_offers_for_members_act(lane: Lane) -> None:
    member = replace(FIVE_OFF, id="member", when=(ForMember(),), names=named("Members: 5 off"))
    lane.publish(offer_record(member))
    lane.scan(a_gtin(10))
    assert [each["code"] for each in shown(lane)["hints"]] == ["member"]
    lane.scan(member_card_code("2479"))
    assert [each["name"] for each in shown(lane)["offers"]] == ["Members: 5 off"]


def test_where_the_replica_is_gone_the_basket_needs_prices(lane: Lane) -> None:
    basket = Basket("b", OPENED_AT_MS, revision=99)
    lost = replace(lane.state, basket=basket, operator=ANN)
    found = shown(lane, lost)
    assert (found["offers"], found["coupons"], found["hints"]) == ([], [], [])
