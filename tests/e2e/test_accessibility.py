"""Every screen passes axe and keeps within its width, in both sizes and both looks."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from shared.item.barcode import member_card_code
from tests.e2e.axe import PHONE, Inspector
from tests.e2e.console_page import ConsolePage
from tests.e2e.shop import BAD_CHECK_DIGIT, NOODLES, NOT_ON_SALE, OATS, RICE, SAUCE, Shop
from tests.e2e.texts import money
from tests.e2e.till_page import TillPage
from tests.e2e.windows import SIZES, Windows, shoot

EVERYWHERE = (*SIZES, PHONE)


@pytest.fixture
def till(ready: Shop, windows: Windows) -> TillPage:
    """A till page, in the language with the longest words, with nobody signed in."""
    page = TillPage(windows.open("en"), ready.north)
    page.open()
    return page


def test_accessibility_of_a_sale(till: TillPage) -> None:
    inspector = Inspector(till.page)
    inspector.look("sign-in", EVERYWHERE)
    till.sign_in_manager()
    inspector.look("empty basket", EVERYWHERE)
    till.scan(member_card_code("501"), OATS, NOODLES, NOODLES, SAUCE)
    inspector.look("basket", EVERYWHERE)
    till.scan(NOT_ON_SALE, BAD_CHECK_DIGIT)
    inspector.look("unknown codes", EVERYWHERE)
    till.unknown.first.get_by_role("button").click()
    inspector.look("dismiss")
    till.close_dialog()
    till.dismiss_unknown()
    till.dismiss_unknown()
    till.page.keyboard.press("Tab")
    inspector.look("basket with its keys shown")
    till.wait_settled()
    till.page.keyboard.press("F1")
    expect(till.done).to_be_visible()
    inspector.look("done", EVERYWHERE)
    assert inspector.problems == []


def test_accessibility_of_the_till_in_large_text_for_the_left_hand(till: TillPage) -> None:
    till.sign_in()
    till.choose("till.settings.title")
    till.pick("150 %")
    till.pick(till.words("till.settings.hand_left"))
    till.close_dialog()
    till.scan(member_card_code("501"), NOODLES, OATS, SAUCE, RICE)
    inspector = Inspector(till.page)
    inspector.look("large text, left hand", EVERYWHERE)
    shoot(till.page, "till-large-left-en")
    assert inspector.problems == []


def test_accessibility_of_the_tills_dialogs(till: TillPage) -> None:
    inspector = Inspector(till.page)
    till.sign_in_manager()
    for entry in (
        "till.receipt.list",
        "till.changes.title",
        "till.drawer.title",
        "till.new_pin.title",
    ):
        look_at_entry(till, inspector, entry)
    for entry in ("till.device.title", "till.settings.title"):
        look_at_entry(till, inspector, entry)
    till.scan(NOODLES, OATS)
    look_at_entry(till, inspector, "till.void.title")
    for key in ("till.pay.cash", "till.pay.card", "till.pay.coupon"):
        till.button(key).click()
        inspector.look(key)
        shoot(till.page, f"till-{key.split('.')[-1]}-en")
        till.close_dialog()
    till.line(OATS).get_by_role("button", name=OATS.name).first.click()
    for tab in ("quantity", "override", "coupon", "remove"):
        till.pick(till.words(f"till.line.page.{tab}"))
        inspector.look(f"line, {tab}")
    shoot(till.page, "till-line-en")
    till.close_dialog()
    till.button("till.search.short").click()
    till.page.keyboard.type("oat")
    expect(till.page.get_by_role("dialog").get_by_role("listitem")).to_have_count(1)
    inspector.look("search")
    till.close_dialog()
    till.button("till.undo").click()
    assert inspector.problems == []


def look_at_entry(till: TillPage, inspector: Inspector, entry: str) -> None:
    """Inspect the menu's dialog of one entry."""
    till.choose(entry)
    expect(till.dialog(entry)).to_be_visible()
    expect(till.page.get_by_text(till.words("common.loading"))).to_have_count(0)
    inspector.look(entry)
    shoot(till.page, f"till-{entry.split('.')[1]}-en")
    till.close_dialog()


def test_accessibility_of_the_end_of_a_day(till: TillPage) -> None:
    inspector = Inspector(till.page)
    till.sign_in_manager()
    till.button("till.menu.short").click()
    inspector.look("menu")
    till.close_dialog()
    till.choose("till.close_day.title")
    dialog = till.dialog("till.close_day.title")
    confirm = dialog.get_by_role("button", name=till.words("till.close_day.confirm"))
    expect(confirm).to_be_enabled()
    inspector.look("close day")
    confirm.click()
    expect(till.heading("till.day.closed")).to_be_visible()
    inspector.look("day closed", EVERYWHERE)
    assert inspector.problems == []


@pytest.fixture
def admin(ready: Shop, windows: Windows) -> ConsolePage:
    """The console with nobody signed in."""
    return ConsolePage(windows.open("en", width=1280, height=800), ready.chain.console_url)


def test_accessibility_of_the_console(admin: ConsolePage, shop: Shop) -> None:
    inspector, state = Inspector(admin.page), shop.chain.state
    admin.open()
    expect(admin.field("console.sign_in.user")).to_be_visible()
    inspector.look("console sign-in", EVERYWHERE)
    admin.sign_in(state.console_user, state.console_password)
    for page in (
        *("overview", "close", "convergence", "stores", "import", "releases", "promotions"),
        *("catalogue", "masters", "fleet", "alerts", "staff"),
    ):
        admin.go(f"console.{page}.title")
        expect(admin.page.get_by_text(admin.words("common.loading"))).to_have_count(0)
        inspector.look(f"console {page}")
        shoot(admin.page, f"console-{page}-en")
    assert inspector.problems == []


def test_accessibility_of_the_consoles_dialogs(admin: ConsolePage, shop: Shop) -> None:
    inspector, state, words = Inspector(admin.page), shop.chain.state, admin.words
    admin.sign_in(state.console_user, state.console_password)
    admin.go("console.catalogue.title")
    admin.row(RICE.name).get_by_role("button", name=words("console.price.open")).click()
    dialog = admin.page.get_by_role("dialog")
    for key in ("console.price.regular", "console.price.member"):
        dialog.get_by_label(words(key, currency="USD")).fill("10.01")
    expect(dialog.get_by_role("table")).to_contain_text(money(1001))
    inspector.look("price dialog")
    admin.close_dialog()
    history = words("console.history.open_for", item=OATS.name)
    admin.page.get_by_role("button", name=history).click()
    expect(admin.page.get_by_role("dialog").get_by_role("row").first).to_be_visible()
    inspector.look("price history")
    shoot(admin.page, "console-history-en")
    admin.close_dialog()
    admin.go("console.stores.title")
    opener = words("console.life.open", dev="d-")
    admin.page.get_by_role("button", name=opener.partition("d-")[0].strip()).first.click()
    journals = admin.page.get_by_role("dialog")
    expect(journals).to_contain_text(words("console.life.cause.enrol"))
    expect(journals).to_contain_text(words("console.life.event.enrolled"))
    inspector.look("journals of a box")
    shoot(admin.page, "console-journals-en")
    admin.close_dialog()
    admin.button("console.claim.open").click()
    admin.button("console.claim.make").click()
    expect(admin.page.get_by_role("dialog")).to_contain_text(words("console.claim.once"))
    inspector.look("claim")
    shoot(admin.page, "console-claim-en")
    admin.close_dialog()
    admin.page.keyboard.press("Control+k")
    expect(admin.page.get_by_role("combobox", name=words("console.palette.open"))).to_be_focused()
    admin.page.keyboard.type("oat")
    expect(admin.page.get_by_role("option").filter(has_text=OATS.name)).to_be_visible()
    inspector.look("palette")
    shoot(admin.page, "console-palette-en")
    assert inspector.problems == []
