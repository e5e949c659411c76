"""Work items at head office: seen in the navigation, read, noted and settled; and the exports."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import psycopg
import pytest
from playwright.sync_api import expect

from cloud.db import Database
from cloud.identity.people import put_user
from shared.journal.event import SaleCompleted
from tests.demo.shelves import SHELF, grams_of
from tests.e2e.axe import PHONE, Inspector
from tests.e2e.console_page import ConsolePage
from tests.e2e.shop import RICE, Shop
from tests.e2e.till_page import TillPage
from tests.e2e.waiting import until
from tests.e2e.windows import SIZES, Windows, shoot
from tests.fakes.box_stream import BoxStream, a_sale
from tests.fakes.poslog import breaches, find_all

USER = "carol"
PASSWORD = "an accountant's password"
LINE = "Transaction/RetailTransaction/LineItem"
TITLE = "work.ledger.totals.title"


@pytest.fixture
def poisoned(ready: Shop) -> Iterator[str]:
    """A sale of the northern store whose totals nobody can believe; answers its item's name."""
    box = BoxStream("d-" + "p" * 16, ready.north.store_id)
    box.append(SaleCompleted(a_sale(0)))
    body = json.loads(box.bodies[0])
    body["data"]["sale"]["totals"]["net_minor"] += 1
    row = (box.stream_id, box.id_at(0), box.store_id, json.dumps(body).encode(), box.hashes[0])
    url = ready.chain.database_url
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO stream (stream_id, dev, store_id, ordinal) SELECT %s, dev, store_id, 99"
            " FROM device WHERE store_id = %s AND status = 'active' LIMIT 1",
            (box.stream_id, box.store_id),
        )
        connection.execute(
            "INSERT INTO entry (stream_id, seq, id, type, at_ms, store_id, body, hash, flag)"
            " VALUES (%s, 0, %s, 'sale.completed', 1502100000000, %s, %s, %s, 'ledger.totals')",
            row,
        )
    yield f"entry:{box.stream_id.hex()}:0"
    with psycopg.connect(url) as connection:
        for table in ("entry", "stream"):
            connection.execute(f"DELETE FROM {table} WHERE stream_id = %s", (box.stream_id,))  # noqa: S608 - fixed
        for table in ("work_note", "work_done"):
            connection.execute(f"DELETE FROM {table} WHERE item LIKE 'entry:%%'")  # noqa: S608 - fixed


@pytest.fixture
def accountant(ready: Shop, windows: Windows) -> ConsolePage:
    """The console, in English, with an accountant signed in."""
    database = Database(ready.chain.database_url)
    put_user(database, name=USER, display_name=USER, role="accountant", password=PASSWORD)
    database.close()
    page = ConsolePage(windows.open("en", width=1280, height=800), ready.chain.console_url)
    page.sign_in(USER, PASSWORD)
    return page


def test_a_poison_sale_is_read_noted_and_settled(poisoned: str, accountant: ConsolePage) -> None:
    console, words = accountant, accountant.words
    link = console.navigation.get_by_role("link", name=words("console.work.title"))
    expect(link).to_contain_text(words("console.work.open_count", count=1))
    link.click()
    inspector = Inspector(console.page)
    expect(console.row(words(TITLE))).to_be_visible()
    inspector.look("work items", (*SIZES, PHONE))
    shoot(console.page, "console-work-items-en")

    console.page.get_by_role("button", name=words(TITLE)).press("Enter")
    item = console.page.get_by_role("dialog", name=words(TITLE))
    expect(item).to_contain_text(words("work.ledger.totals.what"))
    expect(item.locator("pre")).to_contain_text('"net_minor"')
    inspector.look("a work item", (*SIZES, PHONE))
    shoot(console.page, "console-work-item-en")

    item.get_by_role("button", name=words("console.work.repost"), exact=True).click()
    refused = words("console.work.repost_failed", reason=words(TITLE))
    expect(item.get_by_role("alert")).to_have_text(refused)
    field = item.get_by_label(words("console.work.say"))
    settle = item.get_by_role("button", name=words("console.work.settle"), exact=True)
    expect(settle).to_be_disabled()
    field.fill("The store says it was 9.99.")
    item.get_by_role("button", name=words("console.work.add_note")).click()
    expect(item.get_by_role("listitem")).to_contain_text("The store says it was 9.99.")
    expect(field).to_have_value("")
    field.fill("Booked by hand.")
    settle.click()
    expect(item).to_have_count(0)
    expect(console.page.get_by_text(words("console.work.none"), exact=True)).to_be_visible()
    expect(link).not_to_contain_text("1")

    console.field("console.work.state").select_option("done")
    settled = console.row(words(TITLE))
    expect(settled).to_contain_text(USER)
    expect(settled).to_contain_text("Booked by hand.")
    inspector.look("settled work items")
    assert inspector.problems == []


def test_an_accountant_takes_the_days_away(
    ready: Shop, till: TillPage, accountant: ConsolePage
) -> None:
    till.scan(RICE)
    till.wait_settled()
    till.page.keyboard.press("F1")
    expect(till.done).to_be_visible()
    ready.wait_synced()
    accountant.go("console.close.title")
    page, words = accountant.page, accountant.words
    day = ready.north.business_date()
    for end in ("from", "to"):
        page.get_by_role("textbox", name=words(f"console.close.{end}"), exact=True).fill(day)
    link = page.get_by_role("link", name=words("console.close.poslog"))
    expect(link).to_have_attribute("href", f"/v1/export/poslog.xml?from={day}&to={day}")
    with page.expect_download() as download:
        link.click()
    assert download.value.suggested_filename == f"tillbox-poslog-{day}-{day}.xml"
    document = ET.fromstring(download.value.path().read_text("utf-8"))  # noqa: S314 - our own text
    sold = {name.text for name in find_all(document, f"{LINE}/Sale/ItemID")}
    assert RICE.code in sold
    assert list(breaches(document)) == []


def test_a_buyer_sees_no_export_and_only_reads_items(poisoned: str, console: ConsolePage) -> None:
    console.go("console.close.title")
    assert console.page.get_by_text(console.words("console.close.poslog")).count() == 0
    console.go("console.work.title")
    console.page.get_by_role("button", name=console.words(TITLE)).click()
    item = console.page.get_by_role("dialog", name=console.words(TITLE))
    expect(item.locator("pre")).to_be_visible()
    assert item.get_by_role("textbox").count() == 0


def test_an_emptied_shelf_is_told_at_head_office(
    ready: Shop, console: ConsolePage, till: TillPage
) -> None:
    """Over the store's own broker, the journal and the cloud, up to the page."""
    north = ready.north

    def move(pieces: int) -> None:
        north.call("POST", f"/virtual/shelf/{SHELF}", {"value": grams_of(pieces)})

    move(12)
    till.choose("till.shelves.title")
    row = till.dialog("till.shelves.title").get_by_role("row", name="A3")
    expect(row.get_by_role("cell").first).to_have_text("12", timeout=15_000)
    row.get_by_role("button", name=till.words("till.shelves.count"), exact=True).click()
    till.page.get_by_role("textbox", name=till.words("till.shelves.counted")).fill("12")
    till.page.keyboard.press("Enter")
    move(0)
    told = till.words("till.shelves.empty", book="12", shelf="0")
    expect(till.page.get_by_text(told)).to_be_visible(timeout=15_000)
    inspector = Inspector(console.page)
    console.go("console.shelves.title")
    differed = console.words("console.shelves.differed", book="12", shelf="0")
    standing = console.page.get_by_role("table", name=console.words("console.shelves.standing"))

    def look_again() -> bool:
        console.page.reload()
        expect(console.page.get_by_role("heading", level=1)).to_be_visible()
        console.page.wait_for_load_state("networkidle")
        return standing.count() == 1

    until(look_again, "headquarters to hear of the shelf")
    expect(standing.get_by_role("row").filter(has_text=differed)).to_have_count(1)
    inspector.look("shelves", (*SIZES, PHONE))
    shoot(console.page, "console-shelves-en")
    assert inspector.problems == []
