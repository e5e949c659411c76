"""What the customer sees: goods and money, and nobody's name."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import UTC
from typing import Any

from edge.desk.feed import ViewSink
from edge.desk.state import DoneSale, LaneState, Operator, View, Weighing
from edge.sale.customer import DisplayFeed
from edge.sale.customer_view import RowStyle, customer_rows, customer_view
from edge.sale.pricing import PriceSources
from edge.sale.view import Surroundings, present
from shared.item.item import Item
from shared.kernel.money import currency_of
from shared.price.offer_book import OfferBook
from shared.price.price_book import DatedPrice
from shared.sale.basket import Weighed
from shared.sale.member_history import MemberHistory
from shared.sale.tender import Tender, TenderKind
from tests.builders import a_basket, an_item

AROUND = Surroundings("343", "Main Street", currency_of("USD"), "2017-08-07", 7, ())
ANN = Operator("1001", "Ann Secret", "manager", ("sale.operate",))
RICE, HAM = an_item(1, name="Rice"), an_item(2, name="五花肉", is_weighed=True)
TEXTS = {
    "display.vfd.total": "TOTAL",
    "display.vfd.change": "CHANGE",
    "display.vfd.remaining": "TO PAY",
    "display.vfd.welcome": "WELCOME",
    "display.vfd.weighing": "WEIGHING",
}
CHINESE = RowStyle(20, currency_of("USD"), TEXTS, is_ascii=False)
ASCII = replace(CHINESE, is_ascii=True)


class Prices:
    """Everything costs 5.00, members 4.50."""

    def active_revision(self) -> int:
        return 7

    def find_item(self, gtin: str, revision: int) -> Item | None:
        raise AssertionError

    def find_plu(self, plu: str, revision: int) -> Item | None:
        raise AssertionError

    def dated_prices(self, gtin: str, revision: int) -> tuple[DatedPrice, ...]:
        return (DatedPrice(0, 500, 450),)

    def offers(self, revision: int) -> OfferBook:
        return OfferBook.of(())


def shown(state: LaneState) -> dict[str, Any]:
    view = present(state, AROUND, PriceSources(Prices(), lambda member: MemberHistory(), UTC))
    return json.loads(json.dumps(view))  # type: ignore[no-any-return]


def test_a_customer_sees_goods_savings_and_sums() -> None:
    basket = a_basket((RICE, 2), member="13800012479")
    basket = basket.with_tender(Tender(TenderKind.CASH, 100))
    view = customer_view(shown(LaneState(1, operator=ANN, basket=basket)))
    assert (view["phase"], view["store_name"]) == ("open", "Main Street")
    assert [(line["name"], line["net_minor"]) for line in view["lines"]] == [("Rice", 900)]
    assert (view["gross_minor"], view["saved_minor"]) == (1000, 100)
    assert (view["due_minor"], view["paid_minor"], view["remaining_minor"]) == (900, 100, 800)


def test_neither_the_member_nor_the_cashier_is_named() -> None:
    basket = a_basket(RICE, member="13800012479")
    view = customer_view(shown(LaneState(1, operator=ANN, basket=basket)))
    text = json.dumps(view)
    assert view["is_member"]
    assert not any(secret in text for secret in ("13800012479", "2479", "Ann", "1001"))


def test_a_locked_lane_and_an_empty_one_show_the_store_alone() -> None:
    assert customer_view(shown(LaneState(1)))["phase"] == "idle"
    locked = LaneState(1, basket=a_basket(RICE))
    assert customer_view(shown(locked))["phase"] == "idle"


def test_short_rows_tell_the_last_line_and_the_total() -> None:
    state = LaneState(1, operator=ANN, basket=a_basket((RICE, 2)))
    assert customer_rows(shown(state), ASCII) == ("Rice        2x 10.00", "TOTAL          10.00")
    weighed = a_basket(RICE).with_weighed(HAM, HAM.gtin, 250, Weighed("scale"))
    state = LaneState(1, operator=ANN, basket=weighed, touched_line=2)
    assert customer_rows(shown(state), CHINESE)[0] == "五花肉  0.250kg 1.25"
    assert customer_rows(shown(state), ASCII)[0] == f"{HAM.gtin[:7]} 0.250kg 1.25"
    paid = weighed.with_tender(Tender(TenderKind.CASH, 100))
    state = LaneState(1, operator=ANN, basket=paid)
    assert customer_rows(shown(state), ASCII)[1] == "TO PAY          5.25"


def test_short_rows_greet_ask_to_wait_and_tell_the_change() -> None:
    assert customer_rows(shown(LaneState(1, operator=ANN)), ASCII) == ("WELCOME", "")
    waiting = LaneState(1, operator=ANN, weighing=Weighing(HAM, HAM.gtin, 500))
    assert customer_rows(shown(waiting), CHINESE) == ("五花肉", "WEIGHING")
    sold = DoneSale("1-000001", 500, 1000, 500, (), "", "printed")
    done = LaneState(1, operator=ANN, done=sold)
    assert customer_rows(shown(done), ASCII) == ("TOTAL           5.00", "CHANGE          5.00")


class Rows:
    """A serial display that fails at its first rows."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, ...]] = []

    def show(self, rows: tuple[str, ...]) -> None:
        self.shown.append(rows)
        if len(self.shown) == 1:
            raise TypeError(rows)


class OneLane:
    """A desk whose lane a display watches."""

    numbers = (1,)

    def watch(self, lane: int, sink: ViewSink) -> None:
        self.sink = sink


def test_one_view_that_cannot_be_set_is_not_the_last_one() -> None:
    rows, desk = Rows(), OneLane()
    feed = DisplayFeed({1: rows}, CHINESE)  # type: ignore[dict-item]
    feed.start(desk)  # type: ignore[arg-type]
    payload = json.dumps(shown(LaneState(1, operator=ANN))).encode()
    deadline = time.monotonic() + 5
    for seq in (1, 2):
        desk.sink.offer(View(seq, payload))
        while len(rows.shown) < seq:
            assert time.monotonic() < deadline
            time.sleep(0.005)
    feed.stop()
    assert rows.shown == [("WELCOME", "")] * 2
