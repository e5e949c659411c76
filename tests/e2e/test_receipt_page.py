"""A customer scans the QR code of a receipt that the till has just printed."""

from __future__ import annotations

import os
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.demo.chain import run_command
from tests.e2e.axe import PHONE, Inspector
from tests.e2e.console_page import ConsolePage
from tests.e2e.shop import NOODLES, OATS, Shop
from tests.e2e.texts import Words, money
from tests.e2e.till_page import TillPage
from tests.e2e.waiting import until
from tests.e2e.windows import SHOTS_ENV, SIZES, Windows, shoot

words = Words("en")
SHOWN = ((390, 844), (1280, 800))


def address_on(paper: str) -> str:
    """What a phone reads at the foot of a receipt."""
    found = re.search(r"\[qr (\S+)\]", paper)
    assert found is not None, paper
    return found[1]


def keep_picture(page: Page, name: str) -> None:
    """Pictures of the page on a phone and on a desk, in both looks, when a folder is asked for."""
    folder = os.environ.get(SHOTS_ENV)
    for width, height in SHOWN if folder else ():
        page.set_viewport_size({"width": width, "height": height})
        for look in ("light", "dark"):
            page.emulate_media(color_scheme=look)
            page.screenshot(path=Path(str(folder)) / f"{name}-{width}-{look}.png", full_page=True)


def test_a_customer_scans_the_receipt_and_sees_that_it_stands(
    till: TillPage, ready: Shop, windows: Windows
) -> None:
    papers = len(ready.north.papers())
    till.scan(OATS, NOODLES)
    till.wait_settled()
    till.page.keyboard.press("F1")
    expect(till.done).to_be_visible()
    until(lambda: len(ready.north.papers()) > papers, "the receipt on paper")
    address = address_on(ready.north.papers()[-1])
    ready.wait_synced()
    page = windows.open("en", *SHOWN[0])
    page.goto(address)
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text(words("proof_page.pending"))
    run_command("tillbox-cloud", "archive", "run", "--now", "--tree", env=ready.chain._cloud_env())
    page.reload()
    expect(heading).to_have_text(words("proof_page.stands"))
    expect(page.get_by_text(OATS.name)).to_be_visible()
    due = OATS.price + NOODLES.price
    expect(page.get_by_text(money(due)).first).to_be_visible()
    keep_picture(page, "receipt-stands")
    inspector = Inspector(page, is_app=False)
    inspector.look("receipt that stands", (*SIZES, PHONE))
    with page.expect_download() as download:
        page.get_by_role("link", name=words("proof_page.download")).click()
    assert download.value.suggested_filename.endswith("proof.json")
    page.get_by_role("link", name="简体中文").click()
    expect(heading).to_have_text("小票属实，没有改动")
    keep_picture(page, "receipt-stands-zh")
    page.goto(address[:-1] + ("0" if address[-1] != "0" else "1"))
    expect(heading).to_have_text(words("proof_page.mismatch"))
    keep_picture(page, "receipt-mismatch")
    inspector.look("receipt that does not match", (*SIZES, PHONE))
    page.get_by_role("link", name=words("proof_page.ask_again")).click()
    expect(heading).to_have_text(words("proof_page.ask"))
    keep_picture(page, "receipt-ask")
    inspector.look("form", (*SIZES, PHONE))
    assert inspector.problems == []


def test_a_closed_day_is_countersigned_under_the_code_that_the_store_sees(
    ready: Shop, windows: Windows, console: ConsolePage
) -> None:
    till = TillPage(windows.open("en"), ready.north)
    till.open()
    till.sign_in_manager()
    till.scan(OATS)
    till.wait_settled()
    till.page.keyboard.press("F1")
    expect(till.done).to_be_visible()
    till.choose("till.close_day.title")
    dialog = till.dialog("till.close_day.title")
    dialog.get_by_role("button", name=till.words("till.close_day.confirm")).click()
    expect(till.heading("till.day.closed")).to_be_visible()
    slip = till.region("till.day.last")
    expect(slip).to_contain_text(till.words("till.day.code"))
    code = slip.locator("strong").inner_text()
    shoot(till.page, "till-day-closed-slip")
    ready.wait_synced()
    console.go("console.close.title")
    seals = console.page.get_by_role("button", name=words("console.certificate.agrees"))
    expect(seals.first).to_be_visible()
    inspector = Inspector(console.page)
    inspector.look("daily close with certificates")
    shoot(console.page, "console-close-certificates")
    seals.first.click()
    drawer = console.page.get_by_role("dialog")
    expect(drawer).to_contain_text(code)
    inspector.look("certificate")
    shoot(console.page, "console-certificate")
    assert inspector.problems == []
