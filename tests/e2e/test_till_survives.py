"""What a till does without its cloud, and what it does after its box lost its power."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e.shop import BREAD, OATS, SAUCE, Shop
from tests.e2e.texts import money
from tests.e2e.till_page import TillPage
from tests.e2e.waiting import until
from tests.e2e.windows import Windows, shoot

OFFLINE_SHOWN_S = 10.0
BACK_SHOWN_S = 20.0


@pytest.fixture
def outage(shop: Shop, windows: Windows) -> Iterator[Shop]:
    """Headquarters without power; it has power again at the end, whatever happened."""
    shop.wait_synced()
    shop.chain.kill_cloud()
    shop.is_dark = True
    yield shop
    shop.bring_cloud_back()
    windows.forgive_network()


def test_the_till_survives_headquarters(till: TillPage, outage: Shop) -> None:
    words, status = till.words, till.status
    till.scan(OATS)
    expect(status).to_contain_text(
        words.like("till.status.cloud_offline"), timeout=OFFLINE_SHOWN_S * 1000
    )
    receipts = [sell(till), sell(till)]
    unsynced = till.store.unsynced()
    assert unsynced >= len(receipts)
    expect(status).to_contain_text(words.like("till.status.cloud_offline", count=unsynced))
    shoot(till.page, "till-offline-en")

    outage.bring_cloud_back()
    expect(status).to_contain_text(words("till.status.cloud_ok"), timeout=BACK_SHOWN_S * 1000)
    outage.wait_synced()
    arrived = [sale["receipt_no"] for sale in outage.recent_sales()]
    assert [arrived.count(receipt) for receipt in receipts] == [1, 1]


def sell(till: TillPage) -> str:
    """Sell one loaf more for cash; the receipt's number."""
    till.scan(BREAD)
    till.page.get_by_role("button", name=till.words.like("till.pay.cash_of")).first.click()
    expect(till.done).to_be_visible()
    return till.receipt_no()


def test_the_till_survives_a_power_cut_of_its_box(till: TillPage, windows: Windows) -> None:
    box, words = till.store.box, till.words
    till.scan(OATS, OATS, SAUCE)
    due = 2 * OATS.price + SAUCE.price
    till.is_due(due)
    taps = till.taps()
    box.process.kill()
    expect(till.status).to_contain_text(words("till.silent.title"), timeout=8000)
    expect(till.lines).to_have_count(2)
    expect(till.line(OATS)).to_contain_text(money(2 * OATS.price))
    expect(till.button("till.pay.card")).to_be_disabled()
    shoot(till.page, "till-box-silent-en")

    box.start()
    box.wait()
    began = time.monotonic()
    expect(till.status.get_by_text(words("till.silent.title"))).to_have_count(0)
    assert time.monotonic() - began < 5
    expect(till.button("till.pay.card")).to_be_enabled()
    expect(till.lines).to_have_count(2)
    till.is_due(due)
    assert till.taps() == taps

    till.store.scanner.close()
    till.scan(SAUCE)
    expect(till.lines).to_have_count(2)
    till.is_due(due + SAUCE.price)
    till.note(due + SAUCE.price).click()
    expect(till.done).to_be_visible()
    until(lambda: len(till.store.papers()) == 1, "the receipt")
    windows.forgive_network()
