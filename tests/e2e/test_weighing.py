"""Weighing at the till and what the customer sees of it, in a browser, on one box with a scale."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.builders import a_gtin
from tests.e2e.axe import PHONE, Inspector
from tests.e2e.texts import Words
from tests.e2e.windows import SIZES, Windows, shoot, taps_of
from tests.integration.edge.boxes import CASHIER_PIN, WEIGHED_NUMBER
from tests.integration.edge.running_box import RunningBox, a_weighing_box

BANANAS = a_gtin(WEIGHED_NUMBER)
words = Words("en")
EVERYWHERE = (*SIZES, PHONE)


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBox]:
    running = a_weighing_box(tmp_path_factory.mktemp("weighing"))
    yield running
    running.stop()


@pytest.fixture
def till(box: RunningBox, windows: Windows) -> Page:
    """Lane 1 with the cashier signed in and nothing on the scale."""
    lay(box, 0)
    box.sign_in()
    box.call("DELETE", "/v1/lanes/1/weighing")
    box.call("POST", "/v1/lanes/1/void", {"reason": "test"})
    box.call("DELETE", "/v1/lanes/1/session")
    page = windows.open("en")
    page.goto(f"{box.url}/?lane=1")
    page.get_by_role("button", name="Cashier").click()
    for digit in CASHIER_PIN:
        page.get_by_role("button", name=digit, exact=True).click()
    page.get_by_role("button", name=words("common.sign_in"), exact=True).click()
    expect(page.get_by_role("region", name=words("till.summary"))).to_be_visible()
    return page


def lay(box: RunningBox, milli: int) -> None:
    box.post("/virtual/scale/1", {"load_milli": milli})


def button(within: Page | Locator, key: str) -> Locator:
    return within.get_by_role("button", name=words(key), exact=True)


def test_weighed_goods_take_one_tap(box: RunningBox, till: Page) -> None:
    inspector = Inspector(till)
    before = taps_of(till)
    box.scan(BANANAS)
    dialog = till.get_by_role("dialog", name="Bananas")
    expect(dialog.get_by_role("status")).to_have_text(words("till.weigh.is.zero"))
    lay(box, 1235)
    expect(dialog.get_by_test_id("pan")).to_have_text("1.235\u00a0kg")
    expect(dialog).to_contain_text("12.35")
    till.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    line = till.get_by_role("region", name=words("till.basket.title")).get_by_role("listitem")
    expect(line).to_contain_text("1.235\u00a0kg")
    expect(line).to_contain_text("12.35")
    assert taps_of(till) - before == 1

    box.scan(BANANAS)
    expect(dialog.get_by_test_id("pan")).to_have_text("1.235\u00a0kg")
    inspector.look("weigh, stable", EVERYWHERE)
    shoot(till, "till-weigh-en")
    dialog.get_by_text(words("till.weigh.page.tare"), exact=True).last.click()
    dialog.get_by_role("textbox").fill("0,035")
    inspector.look("weigh, tare", (PHONE,))
    shoot(till, "till-weigh-tare-en")
    till.keyboard.press("Enter")
    expect(dialog.get_by_test_id("pan")).to_have_text("1.200\u00a0kg")
    dialog.get_by_text(words("till.weigh.page.by_hand")).click()
    expect(dialog).to_contain_text(words("till.weigh.by_hand_hint"))
    button(dialog, "till.weigh.later").click()
    expect(till.get_by_text(words("till.blocked.weighing", name="Bananas"))).to_be_visible()
    inspector.look("weighing waits", (PHONE,))
    shoot(till, "till-weighing-waits-en")
    button(till, "till.weigh.now").click()
    button(dialog, "till.weigh.give_up").click()
    expect(dialog).to_have_count(0)
    expect(line).to_have_count(1)
    lay(box, 20_000)
    box.scan(BANANAS)
    expect(dialog.get_by_role("status")).to_have_text(words("till.weigh.is.over"))
    button(dialog, "till.weigh.give_up").click()
    assert inspector.problems == []


def test_the_customer_sees_goods_weight_and_change(box: RunningBox, till: Page) -> None:
    button(till, "till.menu.short").click()
    with till.expect_popup() as opened:
        button(till, "till.display.open").click()
    display = opened.value
    display.set_viewport_size({"width": 1280, "height": 800})
    inspector = Inspector(display)
    expect(display.get_by_text(words("display.welcome"))).to_be_visible()
    assert "#" not in display.url
    inspector.look("display, idle", (PHONE,))
    shoot(display, "display-idle-en")
    box.scan(a_gtin(3), a_gtin(4), a_gtin(4))
    goods = display.get_by_role("region", name=words("display.lines"))
    expect(goods.get_by_role("listitem")).to_have_count(2)
    expect(display.get_by_role("main")).to_contain_text("11.00")
    lay(box, 0)
    box.scan(BANANAS)
    lay(box, 500)
    expect(display.get_by_text("0.500\u00a0kg")).to_be_visible()
    inspector.look("display, weighing", EVERYWHERE)
    shoot(display, "display-weighing-en")
    till.get_by_role("dialog", name="Bananas").get_by_role(
        "button", name=words("till.weigh.add")
    ).click()
    expect(goods.get_by_role("listitem")).to_have_count(3)
    expect(display.get_by_role("main")).to_contain_text("16.00")
    shoot(display, "display-lines-en")
    display.reload()
    expect(goods.get_by_role("listitem")).to_have_count(3)
    till.bring_to_front()
    till.get_by_role("button", name=words.like("till.pay.cash_of")).nth(1).click()
    expect(display.get_by_text(words("display.thanks"))).to_be_visible()
    expect(display.get_by_text(words("display.change"), exact=True)).to_be_visible()
    inspector.look("display, done", (PHONE,))
    shoot(display, "display-done-en")
    assert inspector.problems == []


def test_a_display_without_a_key_says_where_to_get_one(box: RunningBox, windows: Windows) -> None:
    page = windows.open("en")
    page.goto(f"{box.url}/display/1")
    expect(page.get_by_text(words("display.no_key"))).to_be_visible()
    page.goto(f"{box.url}/display/2#guess")
    page.reload()
    expect(page.get_by_text(words("display.no_key"))).to_be_visible(timeout=12_000)
    windows.forgive_network()
