"""A box dies with sales that only its till page has a copy of; the box after it gets them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.demo.opening import CASHIER
from tests.e2e.console_page import ConsolePage
from tests.e2e.shop import NAMES, SOUTHERN_TEA, SOUTHERN_TOWEL, Shop
from tests.e2e.till_page import TillPage
from tests.e2e.waiting import until
from tests.e2e.windows import Windows, shoot

ARRIVED_SHOWN_S = 20
KEPT = """
async () => {
  const known = await indexedDB.databases();
  if (!known.some((one) => one.name === "tillbox-copies")) return 0;
  const database = await new Promise((done, failed) => {
    const request = indexedDB.open("tillbox-copies", 1);
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
  const store = database.transaction("facts").objectStore("facts");
  const facts = await new Promise((done) => {
    const request = store.getAll();
    request.onsuccess = () => done(request.result);
  });
  database.close();
  return facts.filter((one) => one.sale).length;
}
"""


@pytest.fixture
def southern(ready: Shop, windows: Windows) -> TillPage:
    """The southern store's till, in Chinese, with the cashier signed in."""
    page = TillPage(windows.open("zh-CN"), ready.south)
    page.open()
    page.sign_in()
    return page


@pytest.fixture
def outage(southern: TillPage, ready: Shop, windows: Windows) -> Iterator[Shop]:
    """Headquarters without power from here on, and with it at the end."""
    ready.wait_synced()
    ready.chain.kill_cloud()
    ready.is_dark = True
    yield ready
    ready.bring_cloud_back()
    windows.forgive_network()


def test_sales_of_a_dead_box_reach_headquarters_through_the_page(
    southern: TillPage, outage: Shop, windows: Windows
) -> None:
    till, store, box = southern, outage.south, outage.south.box
    receipts = [sell(till), sell(till), sell(till)]
    until(lambda: till.page.evaluate(KEPT) == len(receipts), "the page to keep the sales")

    box.process.kill()
    store.scanner.close()
    shutil.rmtree(box.folder)
    outage.bring_cloud_back()
    hq = outage.chain.console
    assert set(arrived_of(outage)).isdisjoint(receipts)

    box.enrol(outage.chain.console_url, hq.claim(store.store_id))
    box.start()
    box.wait()
    expect(till.status).to_contain_text(till.words.like("till.copies.locked", count=3))
    expect(till.page.get_by_role("button", name=NAMES[CASHIER])).to_be_visible()
    shoot(till.page, "till-copies-waiting-zh-CN")
    store.make_ready()
    till.sign_in()
    done = till.words("till.copies.done_other", count=3)
    expect(till.status).to_contain_text(done, timeout=ARRIVED_SHOWN_S * 1000)
    shoot(till.page, "till-copies-done-zh-CN")
    outage.wait_synced()
    arrived = arrived_of(outage)
    assert [arrived.count(receipt) for receipt in receipts] == [1, 1, 1]
    assert till.page.evaluate(KEPT) == 0
    windows.forgive_network()
    shut_out_the_lost_box(outage, windows)


def shut_out_the_lost_box(shop: Shop, windows: Windows) -> None:
    """Head office sees to it that nobody comes back with what the dead box knew."""
    state, store = shop.chain.state, shop.south.store_id
    office = ConsolePage(windows.open("en", width=1280, height=800), shop.chain.console_url)
    office.sign_in(state.console_user, state.console_password)
    words = office.words
    boxes = shop.chain.console.call("GET", "/v1/fleet/boxes")["boxes"]
    lost = next(
        box["dev"]
        for box in boxes
        if (box["store_id"], box["device_status"]) == (store, "retiring")
    )
    office.go("console.stores.title")
    row = office.row(lost[:8])
    row.get_by_role("button", name=words.like("console.life.open", dev=lost)).click()
    office.button("console.shut_out.open").click()
    asked = office.dialog("console.shut_out.of", store=shop.south.box.store.name)
    refused = asked.get_by_role("button", name=words("console.shut_out.do"), exact=True)
    expect(refused).to_be_disabled()
    asked.get_by_label(words("console.shut_out.reason")).fill("gone with the van")
    shoot(office.page, "console-shut-out")
    refused.click()
    expect(asked).to_have_count(0)
    expect(row).to_contain_text(words("console.stores.revoked"))


def arrived_of(shop: Shop) -> list[str]:
    """Receipts of the southern store that headquarters has."""
    store = shop.south.store_id
    return [sale["receipt_no"] for sale in shop.recent_sales() if sale["store_id"] == store]


def sell(till: TillPage) -> str:
    """Sell for cash; the receipt's number."""
    till.scan(SOUTHERN_TEA, SOUTHERN_TOWEL)
    till.page.get_by_role("button", name=till.words.like("till.pay.cash_of")).first.click()
    expect(till.done).to_be_visible()
    return till.receipt_no()
