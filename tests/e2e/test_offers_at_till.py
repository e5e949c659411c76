"""Offers from head office to the till: published, scanned, seen, sold, printed, summed up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.axe import PHONE, Inspector
from tests.e2e.console_page import ConsolePage
from tests.e2e.shop import BREAD, OATS, RICE, SAUCE, Good, Shop
from tests.e2e.texts import money
from tests.e2e.till_page import TillPage
from tests.e2e.windows import SIZES, Windows, shoot

EVERYWHERE = (*SIZES, PHONE)
CODE = "TILL-TEN"
SPEND, BOGO, TENTH, GIFT = "大米燕麦满15减3", "酱料买一送一", "券享九折", "满17送面包"


def goods(*of: Good) -> dict[str, Any]:
    return {"sku": [one.code for one in of]}


STAPLES = goods(OATS, RICE, SAUCE)
OFFERS: tuple[dict[str, Any], ...] = (
    {
        "id": "till-spend",
        "name": {"zh-CN": SPEND, "zh-TW": SPEND, "en": "3 off staples from 15"},
        "level": "basket",
        "target": STAPLES,
        "when": [{"type": "min_spend", "scope": STAPLES, "amount": 1500}],
        "reward": {"type": "amount_off", "amount": 300},
    },
    {
        "id": "till-bogo",
        "name": {"zh-CN": BOGO, "zh-TW": BOGO, "en": "Sauce: buy one, get one"},
        "level": "line",
        "reward": {
            "type": "buy_get",
            "buy": {"select": goods(SAUCE), "qty": 1},
            "get": {"select": goods(SAUCE), "qty": 1},
            "bp": 10_000,
        },
    },
    {
        "id": "till-gift",
        "name": {"zh-CN": GIFT, "zh-TW": GIFT, "en": "Bread with staples from 17"},
        "level": "line",
        "target": goods(BREAD),
        "when": [{"type": "min_spend", "scope": STAPLES, "amount": 1700, "basis": "list"}],
        "reward": {"type": "gift", "max_units": 1},
    },
    {
        "id": "till-tenth",
        "name": {"zh-CN": TENTH, "zh-TW": TENTH, "en": "Coupon: 10% off staples"},
        "level": "basket",
        "target": STAPLES,
        "reward": {"type": "percent_off", "bp": 1000},
        "coupon": CODE,
    },
)


def publish(shop: Shop) -> None:
    rev = shop.chain.console.publish("offers at the till")
    shop.chain.console.wait_converged("active_rev", rev, len(shop.chain.boxes))


@pytest.fixture
def promoted(ready: Shop) -> Iterator[Shop]:
    """The chain while the offers run; afterwards it sells as before."""
    hq = ready.chain.console
    document = {"format": "tillbox-offers/1", "offers": OFFERS}
    hq.call("POST", "/v1/offers/import", content=json.dumps(document))
    publish(ready)
    yield ready
    for store in ready.stores:
        store.make_ready()
    for offer in OFFERS:
        hq.call("POST", f"/v1/offers/{offer['id']}/end", json={"reason": "test"})
    publish(ready)


class OfferTill(TillPage):
    """The till page with what it says of offers."""

    @property
    def strip(self) -> Locator:
        """The strip of near misses."""
        name = self.words("till.offers.title")
        return self.page.get_by_role("complementary", name=name, exact=True)

    @property
    def coupons(self) -> Locator:
        """The coupons that were handed in."""
        name = self.words("till.coupons.title")
        return self.page.get_by_role("list", name=name, exact=True).get_by_role("listitem")

    def open_offers(self) -> Locator:
        """Ask why each offer acts or does not."""
        self.strip.get_by_role("button").click()
        dialog = self.dialog("till.offers.title")
        expect(dialog.get_by_role("heading", name=self.words("till.offers.acting"))).to_be_visible()
        return dialog

    def type_coupon(self, code: str) -> None:
        """Type a coupon's code into its dialog."""
        self.choose("till.coupons.enter")
        dialog = self.dialog("till.coupons.enter")
        dialog.get_by_label(self.words("till.coupons.code")).fill(code)
        dialog.get_by_role("button", name=self.words("till.coupons.take")).click()


def test_offers_from_the_publication_to_the_books(promoted: Shop, windows: Windows) -> None:
    store = promoted.north
    store.make_ready(on_new_day=True)
    day = store.business_date()
    till = OfferTill(windows.open("zh-CN"), store)
    till.open()
    till.sign_in_manager()
    inspector = Inspector(till.page)
    expect(till.strip).to_contain_text(till.words("till.offers.no_hint"))

    due = scan_towards_offers(till, inspector)
    try_coupons(till, due, inspector)
    ask_why(till, inspector)
    till.wait_settled()
    till.note(due).click()
    expect(till.done).to_contain_text(till.words("till.print.printed"))
    paper = store.papers()[-1]
    for name in (SPEND, BOGO, GIFT):
        assert name in paper
    assert TENTH not in paper
    shoot(till.page, "till-offers-done-zh")
    close_and_compare(promoted, till, windows, day)
    assert inspector.problems == []


def scan_towards_offers(till: OfferTill, inspector: Inspector) -> int:
    """Scan until three offers act, with the strip naming each next one; what is due."""
    till.scan(RICE)
    expect(till.strip).to_contain_text(SPEND)
    expect(till.strip).to_contain_text(money(1500 - RICE.price))
    expect(till.strip.get_by_role("button")).to_contain_text("+1")
    shoot(till.page, "till-offers-hint-zh")
    top = till.strip.bounding_box()
    till.scan(SAUCE, SAUCE)
    due = RICE.price + SAUCE.price - 300
    till.is_due(due)
    expect(till.strip).to_contain_text(till.words("offer.hint.gift", name=GIFT))
    shoot(till.page, "till-offers-gift-zh")
    till.scan(BREAD)
    till.is_due(due)
    expect(till.line(BREAD)).to_contain_text(GIFT)
    expect(till.strip).to_contain_text(till.words("till.offers.no_hint"))
    assert till.strip.bounding_box() == top
    expect(till.line(SAUCE)).to_contain_text(BOGO)
    expect(till.line(SAUCE)).to_contain_text(money(-SAUCE.price))
    expect(till.summary).to_contain_text(SPEND)
    inspector.look("offers on lines", EVERYWHERE)
    shoot(till.page, "till-offers-zh")
    return due


def ask_why(till: OfferTill, inspector: Inspector) -> None:
    """Whoever asks is told what acts, and why the coupon's offer does not."""
    dialog = till.open_offers()
    expect(dialog.get_by_role("listitem").filter(has_text=BOGO)).to_contain_text(
        money(-SAUCE.price)
    )
    expect(dialog.get_by_role("listitem").filter(has_text=TENTH)).to_contain_text(CODE)
    inspector.look("why offers act", EVERYWHERE)
    shoot(till.page, "till-offers-why-zh")
    till.close_dialog()


def try_coupons(till: OfferTill, due: int, inspector: Inspector) -> None:
    """A wrong code is refused with a reason; the right one acts until it is given back."""
    till.type_coupon("TILL-ELEVEN")
    expect(till.page.get_by_role("dialog")).to_contain_text(
        till.words("error.coupon.unknown", coupon="TILL-ELEVEN")
    )
    inspector.look("a wrong coupon")
    till.close_dialog()
    till.type_coupon(CODE.lower())
    expect(till.coupons).to_have_count(1)
    expect(till.coupons).to_contain_text(TENTH)
    till.is_due(due - (due + 5) // 10)
    inspector.look("a coupon", EVERYWHERE)
    shoot(till.page, "till-offers-coupon-zh")
    till.button("till.coupons.give_back", code=CODE).click()
    expect(till.coupons).to_have_count(0)
    till.is_due(due)


def close_and_compare(promoted: Shop, till: OfferTill, windows: Windows, day: str) -> None:
    """Till and head office name the same sum of offers, and head office says that both agree."""
    saved = SAUCE.price + BREAD.price + 300
    till.choose("till.close_day.title")
    dialog = till.dialog("till.close_day.title")
    expect(dialog.get_by_text(till.words("till.z.offer_disc"), exact=True)).to_be_visible()
    expect(dialog).to_contain_text(money(saved))
    shoot(till.page, "till-offers-close-day-zh")
    dialog.get_by_role("button", name=till.words("till.close_day.confirm")).click()
    expect(till.heading("till.day.closed")).to_be_visible()
    promoted.wait_synced()
    console = ConsolePage(windows.open("en", width=1280, height=800), promoted.chain.console_url)
    console.sign_in()
    console.open("/daily-close")
    row = console.row(day, till.store.box.store.name, money(saved))
    expect(row).to_contain_text(console.words("console.close.matches"))
    shoot(console.page, "console-daily-close-offers")


def test_a_scanned_coupon_and_one_that_search_does_not_find(
    promoted: Shop, windows: Windows
) -> None:
    till = OfferTill(windows.open("en"), promoted.north)
    till.open()
    till.sign_in()
    till.scan(CODE)
    expect(till.last_scan).to_contain_text(CODE)
    expect(till.coupons).to_contain_text(till.words("till.coupons.idle"))
    till.scan(OATS)
    till.is_due(OATS.price - (OATS.price + 5) // 10)
    till.button("till.coupons.give_back", code=CODE).click()
    till.is_due(OATS.price)
    till.button("till.search.short").click()
    till.page.keyboard.type(CODE)
    till.button("till.search.coupon").click()
    dialog = till.dialog("till.coupons.enter")
    dialog.get_by_role("button", name=till.words("till.coupons.take")).click()
    expect(till.coupons).not_to_contain_text(till.words("till.coupons.idle"))
    shoot(till.page, "till-offers-en")
