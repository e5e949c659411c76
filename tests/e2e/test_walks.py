"""The two walks through the whole house, in a real browser on a real chain."""

from __future__ import annotations

import re
from collections.abc import Sequence

from playwright.sync_api import expect

from tests.demo.opening import CASHIER
from tests.e2e.console_page import ConsolePage
from tests.e2e.releases_page import PATIENCE_MS, ReleasesPage
from tests.e2e.shop import (
    BAD_CHECK_DIGIT,
    BREAD,
    NOODLES,
    NOT_ON_SALE,
    OATS,
    RICE,
    SAUCE,
    Shop,
    Store,
    receipt_words,
    round_note,
)
from tests.e2e.texts import Words, money
from tests.e2e.till_page import TillPage
from tests.e2e.waiting import until
from tests.e2e.windows import Windows, shoot

STORED_ACTIVE_SHOWN = (1, 2, 3)
REVISION = 2


def test_walk_one_a_scan_becomes_a_number_in_a_report(ready: Shop, windows: Windows) -> None:
    store = ready.north
    store.make_ready(on_new_day=True)
    day = store.business_date()
    console = ConsolePage(windows.open("en", width=1280, height=800), ready.chain.console_url)
    console.sign_in()
    till = TillPage(windows.open("zh-CN"), store)
    till.open()
    shoot(till.page, "till-sign-in-zh")
    till.sign_in()
    shoot(till.page, "till-sell-empty-zh")

    scan_a_basket(till)
    settle_unknown_codes(till)
    due = 2 * OATS.price + SAUCE.price
    first = pay_by_one_tap(till, due)
    check_paper(till, due)
    check_copy(till)
    second = pay_by_card_while_the_paper_is_out(till)

    sales = console.page.get_by_role("table", name=console.words("console.feed.title"))
    for number, net in ((first, due), (second, BREAD.price)):
        row = sales.get_by_role("row").filter(has_text=number).filter(has_text=store.box.store.name)
        expect(row).to_contain_text(money(net))
    shoot(console.page, "console-overview")
    total = money(due + BREAD.price)
    console.open("/daily-close")
    row = console.row(day, store.box.store.name, total)
    expect(row).to_contain_text(console.words("console.close.not_closed"))
    close_the_day(till)
    ready.wait_synced()
    console.open("/daily-close")
    expect(row).to_contain_text(console.words("console.close.matches"))
    shoot(console.page, "console-daily-close")


def scan_a_basket(till: TillPage) -> None:
    till.scan(OATS)
    expect(till.line(OATS)).to_contain_text(money(OATS.price))
    expect(till.last_scan).to_contain_text(OATS.name)
    till.is_due(OATS.price)
    till.scan(OATS, SAUCE)
    expect(till.line(OATS)).to_contain_text(money(2 * OATS.price))
    expect(till.lines).to_have_count(2)
    till.is_due(2 * OATS.price + SAUCE.price)
    shoot(till.page, "till-sell-zh")


def settle_unknown_codes(till: TillPage) -> None:
    """Both are listed with their reason, hold the payment, and are dismissed with a reason."""
    till.scan(NOT_ON_SALE, BAD_CHECK_DIGIT)
    words = till.words
    why = {
        NOT_ON_SALE: words("error.item.unknown", gtin=NOT_ON_SALE),
        BAD_CHECK_DIGIT: words("error.barcode.check_digit", code=BAD_CHECK_DIGIT),
    }
    for code, reason in why.items():
        expect(till.unknown.filter(has_text=code).filter(has_text=reason)).to_have_count(1)
    pay = till.region("till.pay.title")
    expect(pay).to_contain_text(words("till.blocked.unknown_codes", count=2))
    for key in ("till.pay.cash", "till.pay.card"):
        expect(till.button(key)).to_be_disabled()
    expect(till.lines).to_have_count(2)
    shoot(till.page, "till-unknown-zh")
    till.dismiss_unknown()
    till.dismiss_unknown()
    expect(till.button("till.pay.card")).to_be_enabled()


def pay_by_one_tap(till: TillPage, due: int) -> str:
    """Pay with the next round note; the receipt's number."""
    opened = till.store.drawer_openings()
    note = round_note(due)
    till.note(note).click()
    expect(till.done).to_contain_text(till.words("till.done.change"))
    expect(till.done).to_contain_text(money(note - due))
    expect(till.done).to_contain_text(till.words("till.print.printed"))
    until(lambda: till.store.drawer_openings() == opened + 1, "the drawer to open")
    shoot(till.page, "till-done-zh")
    return till.receipt_no()


def check_paper(till: TillPage, due: int) -> None:
    """The paper says what the preview on the screen says."""
    preview = till.region("till.receipt.preview").inner_text()
    paper = till.store.papers()[-1]
    for name in (OATS.name, SAUCE.name):
        assert name in preview
    assert f"{due // 100}.{due % 100:02d}" in preview
    assert receipt_words(paper) == receipt_words(preview)


def check_copy(till: TillPage) -> None:
    before = till.store.papers()
    till.button("till.receipt.reprint").click()
    until(lambda: len(till.store.papers()) == len(before) + 1, "the copy on paper")
    copy = till.store.papers()[-1]
    mark = Words("zh-CN")("receipt.copy", n=1)
    assert mark not in before[-1]
    assert mark in copy
    assert set(receipt_words(before[-1])) <= set(receipt_words(copy))


def pay_by_card_while_the_paper_is_out(till: TillPage) -> str:
    """The sale is in the journal without any paper; its receipt comes when there is some."""
    store, words = till.store, till.words
    papers = len(store.papers())
    store.printer_fault("paper_out")
    expect(till.status).to_contain_text(words.like("till.status.printer_paper_out"))
    head = store.head_seq()
    till.scan(BREAD)
    till.button("till.pay.card").click()
    dialog = till.dialog("till.card.title")
    expect(dialog).to_contain_text(money(BREAD.price))
    shoot(till.page, "till-card-zh")
    dialog.get_by_role("button", name=words("till.card.approved")).click()
    expect(till.done).to_contain_text(words("till.done.paid"))
    expect(till.done).to_contain_text(words("till.print.queued"))
    assert store.head_seq() > head
    assert len(store.papers()) == papers
    shoot(till.page, "till-paper-out-zh")
    store.printer_fault(None)
    expect(till.status).to_contain_text(words("till.status.printer_ok"))
    expect(till.done).to_contain_text(words("till.print.printed"))
    until(lambda: len(store.papers()) == papers + 1, "the receipt on new paper")
    number = till.receipt_no()
    assert number in store.papers()[-1]
    assert Words("zh-CN")("receipt.copy", n=1) not in store.papers()[-1]
    return number


def close_the_day(till: TillPage) -> None:
    till.choose("common.sign_out")
    till.sign_in_manager()
    till.choose("till.close_day.title")
    dialog = till.dialog("till.close_day.title")
    shoot(till.page, "till-close-day-zh")
    dialog.get_by_role("button", name=till.words("till.close_day.confirm")).click()
    expect(till.page.get_by_role("heading", name=till.words("till.day.closed"))).to_be_visible()


def test_walk_two_a_price_change_at_hq_reaches_every_till(ready: Shop, windows: Windows) -> None:
    console = ReleasesPage(windows.open("en", width=1280, height=800), ready.chain.console_url)
    console.sign_in()
    till_north, till_south = tills = [TillPage(windows.open("en"), one) for one in ready.stores]
    for till in tills:
        till.open()
        till.sign_in(CASHIER)
    old = ready.price(RICE)
    till_north.scan(RICE)
    till_north.is_due(old)

    new = old - 30
    draft_a_price(console, RICE.name, new)
    rev = publish(console, ready)

    changes = till_south.page.get_by_role("listitem").filter(has_text=RICE.name)
    expect(changes.first).to_contain_text(money(new))
    till_north.choose("till.changes.title")
    listed = till_north.dialog("till.changes.title").get_by_role("listitem")
    expect(listed.filter(has_text=RICE.name).first).to_contain_text(money(new))
    till_north.close_dialog()
    shoot(till_south.page, "till-repriced-en")
    print_the_label(till_south, old, new)

    console.go("console.convergence.title")
    check_row(console, ready.south, STORED_ACTIVE_SHOWN, rev)
    check_row(console, ready.north, STORED_ACTIVE_SHOWN[:2], rev)
    till_south.scan(RICE)
    till_south.is_due(new)
    check_pinned_basket(till_north, old, new)
    check_row(console, ready.north, STORED_ACTIVE_SHOWN, rev)
    shoot(console.page, "console-convergence")


def print_the_label(till: TillPage, old: int, new: int) -> None:
    """What changed on the shelf is printed at the till, and then waits no more."""
    till.choose("till.labels.title")
    dialog = till.dialog("till.labels.title")
    row = dialog.get_by_role("row").filter(has_text=RICE.name)
    expect(row).to_contain_text(money(old))
    expect(row).to_contain_text(money(new))
    shoot(till.page, "till-labels-en")
    named = till.words("till.labels.print", count=0).partition("(")[0].strip()
    dialog.get_by_role("button", name=named).click()
    expect(row).to_have_count(0)
    assert any(RICE.name in paper and money(new)[1:] in paper for paper in till.store.papers())
    till.close_dialog()


def draft_a_price(console: ConsolePage, item: str, new: int) -> None:
    console.go("console.catalogue.title")
    shoot(console.page, "console-catalogue")
    search = console.page.get_by_role("searchbox", name=console.words("common.search"))
    search.fill(item)
    row = console.row(item)
    expect(console.page.get_by_role("row")).to_have_count(2)
    row.get_by_role("button", name=console.words("console.price.open")).click()
    dialog = console.dialog("console.price.title", item=item)
    amount = f"{new // 100}.{new % 100:02d}"
    for key in ("console.price.regular", "console.price.member"):
        dialog.get_by_label(console.words(key, currency="USD")).fill(amount)
    expect(dialog.get_by_role("table")).to_contain_text(money(new))
    shoot(console.page, "console-price-dialog")
    dialog.get_by_role("button", name=console.words("console.price.save")).click()
    expect(row).to_contain_text(console.words("console.draft"))


def publish(console: ReleasesPage, shop: Shop) -> int:
    """Release what waits, from the catalogue's hint; the new revision."""
    console.page.get_by_role("link", name=console.words("console.catalogue.review")).click()
    expect(console.row(RICE.name).first).to_be_visible()
    shoot(console.page, "console-releases")
    before = console_target(console)
    console.submit_at_once("rice")
    until(lambda: console_target(console) > before, "a later revision", PATIENCE_MS / 1000)
    after = console_target(console)
    for store in shop.stores:
        row = console.store_row(store.box.store.name)
        expect(row.get_by_role("cell").nth(REVISION)).to_have_text(str(after), timeout=PATIENCE_MS)
    shoot(console.page, "console-release")
    return after


def console_target(console: ConsolePage) -> int:
    answer = console.page.request.get(f"{console.url}/v1/convergence")
    target: int = answer.json()["target_rev"]
    return target


def check_row(console: ConsolePage, store: Store, columns: Sequence[int], rev: int) -> None:
    """The store has come to the revision at all of the columns, and is said to have arrived only
    where these are all there are: the till shows it between two baskets.
    """
    state = "current" if tuple(columns) == STORED_ACTIVE_SHOWN else "not_shown"
    row = console.row(store.box.store.name, console.words(f"console.state.{state}"))
    for column in columns:
        expect(row.get_by_role("cell").nth(column)).to_have_text(re.compile(rf"^\s*{rev}\b"))


def check_pinned_basket(till: TillPage, old: int, new: int) -> None:
    """The basket that was open keeps its prices to its end; the next one has the new price."""
    till.is_due(old)
    till.scan(RICE, NOODLES)
    till.is_due(2 * old + NOODLES.price)
    till.note(2 * old + NOODLES.price).click()
    expect(till.done).to_be_visible()
    till.scan(RICE)
    till.is_due(new)
