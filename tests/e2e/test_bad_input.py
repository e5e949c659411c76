"""What people type and upload wrongly, and what they are told."""

from __future__ import annotations

import pytest
from playwright.sync_api import FilePayload, Locator, expect

from tests.e2e.axe import Inspector
from tests.e2e.console_page import ConsolePage
from tests.e2e.shop import BAD_CHECK_DIGIT, BREAD, MILK, OATS, Shop
from tests.e2e.texts import money
from tests.e2e.till_page import TillPage
from tests.e2e.windows import shoot

HEADER = "ean13,name,department,category,brand,package_size,weighed,plu"
BAD_ROWS = [
    f"{BAD_CHECK_DIGIT},Lamp,HOME,LIGHT,House,1,0,",
    f"{OATS.code},,GROCERY,CEREAL,House,500 g,0,",
    f"{MILK.code},Milk,GROCERY,MILK,House,1 l,perhaps,",
    f"{BREAD.code},too few cells",
]


def csv(*lines: str) -> FilePayload:
    content = "\r\n".join((HEADER, *lines)).encode()
    return {"name": "items.csv", "mimeType": "text/csv", "buffer": content}


def test_bad_input_in_a_csv_file_names_every_row(console: ConsolePage) -> None:
    words = console.words
    console.go("console.import.title")
    console.page.locator("input[type=file]").set_input_files(csv(*BAD_ROWS))
    console.button("console.import.send").click()
    errors = console.page.get_by_role("table", name=words("console.import.errors_caption"))
    told = {
        "2": words("error.barcode.check_digit", code=BAD_CHECK_DIGIT),
        "3": words("error.import.required"),
        "4": words("error.import.yes_or_no", value="perhaps"),
        "5": words("error.import.cells", found=2, expected=8),
    }
    for line, text in told.items():
        header = console.page.get_by_role("rowheader", name=line, exact=True)
        row = errors.get_by_role("row").filter(has=header)
        expect(row).to_contain_text(text)
    title = words("console.import.errors", count=len(told), shown=len(told))
    expect(console.page.get_by_role("heading", name=title)).to_be_visible()
    inspector = Inspector(console.page)
    inspector.look("import errors")
    assert inspector.problems == []
    shoot(console.page, "console-import-errors-en")
    console.go("console.catalogue.title")
    expect(console.row(MILK.name)).to_have_count(1)
    expect(console.row("Lamp")).to_have_count(0)


def test_bad_input_in_a_file_that_is_no_table(console: ConsolePage) -> None:
    console.go("console.import.title")
    binary: FilePayload = {
        "name": "x.csv",
        "mimeType": "text/csv",
        "buffer": b"\x00\xff\xfe\x89PNG",
    }
    console.page.locator("input[type=file]").set_input_files(binary)
    console.button("console.import.send").click()
    expect(console.page.get_by_role("alert")).to_be_visible()


def test_what_a_file_would_change_is_shown_and_can_be_discarded(console: ConsolePage) -> None:
    words = console.words
    console.go("console.import.title")
    renamed = csv(f"{MILK.code},Creamy milk,GROCERY,MILK,House,1 l,0,")
    console.page.locator("input[type=file]").set_input_files(renamed)
    console.button("console.import.send").click()
    diff = console.page.get_by_role("table", name=words("console.import.diff"))
    expect(diff.get_by_role("row").filter(has_text=MILK.name)).to_contain_text("Creamy milk")
    inspector = Inspector(console.page)
    inspector.look("import diff")
    assert inspector.problems == []
    shoot(console.page, "console-import-diff-en")
    console.button("console.import.discard").click()
    expect(diff).to_have_count(0)
    console.go("console.catalogue.title")
    expect(console.row("Creamy milk")).to_have_count(0)


@pytest.mark.parametrize(
    ("regular", "member", "told"),
    [
        ("-1.00", "", "console.price.bad_amount"),
        ("1.999", "", "console.price.bad_amount"),
        ("twelve", "", "console.price.bad_amount"),
        ("0", "", "error.price.zero"),
        ("9999999.00", "", "error.price.absurd"),
        ("3.00", "4.00", "console.price.member_above"),
    ],
)
def test_bad_input_of_a_price_is_refused_in_words(
    console: ConsolePage, regular: str, member: str, told: str
) -> None:
    dialog = price_dialog(console)
    fill(console, dialog, regular, member)
    expect(dialog.get_by_role("alert").filter(has_text=console.words(told))).to_be_visible()
    expect(dialog).to_be_visible()
    shoot(console.page, f"console-price-refused-{told}")


def test_a_large_move_of_a_price_asks_once_more(console: ConsolePage, shop: Shop) -> None:
    before = shop.price(MILK)
    dialog = price_dialog(console)
    fill(console, dialog, "99.00", "")
    warning = dialog.get_by_role("alert")
    expect(warning).to_contain_text(console.words("console.price.large"))
    expect(dialog.get_by_role("button", name=console.words("console.price.save"))).to_be_disabled()
    shoot(console.page, "console-price-large-en")
    console.close_dialog()
    assert shop.price(MILK) == before


def price_dialog(console: ConsolePage) -> Locator:
    console.go("console.catalogue.title")
    row = console.row(MILK.name)
    row.get_by_role("button", name=console.words("console.price.open")).click()
    return console.dialog("console.price.title", item=MILK.name)


def fill(console: ConsolePage, dialog: Locator, regular: str, member: str) -> None:
    words = console.words
    dialog.get_by_label(words("console.price.regular", currency="USD")).fill(regular)
    dialog.get_by_label(words("console.price.member", currency="USD")).fill(member)
    dialog.get_by_role("button", name=words("console.price.save")).click()


def test_bad_input_at_the_scanner_is_listed_and_nothing_else_happens(till: TillPage) -> None:
    """A code is text wherever it stands; an overlong one is told, an empty one is no scan."""
    markup = "<img src=x onerror=alert(1)>"
    till.store.scan("")
    till.scan("9" * 300)
    till.scan(markup, "12345", OATS)
    expect(till.unknown).to_have_count(2)
    expect(till.unknown.filter(has_text=markup)).to_contain_text(
        till.words("error.barcode.characters")
    )
    expect(till.unknown.filter(has_text="12345")).to_contain_text(
        till.words("error.barcode.length", length=5)
    )
    expect(till.lines).to_have_count(1)


def test_bad_input_of_a_tender_is_refused_in_words(till: TillPage) -> None:
    till.scan(OATS)
    till.button("till.pay.coupon").click()
    dialog = till.dialog("till.coupon.title")
    dialog.get_by_label(till.words("till.coupon.reference")).fill("A-1")
    for _ in range(8):
        dialog.get_by_role("button", name="9", exact=True).click()
    take = dialog.get_by_role(
        "button", name=till.words("till.coupon.take", amount=money(99_999_999))
    )
    take.click()
    expect(till.page.get_by_text(till.words("error.tender.over")).first).to_be_visible()
    expect(dialog).to_be_visible()
    till.is_due(OATS.price)
