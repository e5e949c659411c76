"""A customer joins at a till without a name; head office finds, shows and erases the member."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.axe import Inspector
from tests.e2e.console_page import ConsolePage
from tests.e2e.shop import OATS, Shop
from tests.e2e.till_page import TillPage
from tests.e2e.waiting import until
from tests.e2e.windows import Windows, shoot

TYPED, PHONE, DIGITS = "(212) 555-0143", "+12125550143", "0143"


@pytest.fixture
def admin(ready: Shop, windows: Windows) -> ConsolePage:
    """The console with an administrator signed in."""
    page = ConsolePage(windows.open("en", width=1280, height=800), ready.chain.console_url)
    page.sign_in(ready.chain.state.console_user, ready.chain.state.console_password)
    return page


def test_a_customer_joins_by_keys_and_is_found_shown_and_erased(
    ready: Shop, till: TillPage, admin: ConsolePage
) -> None:
    join_at(till)
    page, told = admin.page, admin.words
    admin.go("console.members.title")
    find(ready, admin)
    drawer = page.get_by_role("dialog", name=told("console.members.member"))
    expect(drawer).to_contain_text(f"** {DIGITS}")
    assert PHONE not in page.content()
    drawer.get_by_role("button", name=told("console.members.see"), exact=True).click()
    expect(drawer).to_contain_text(PHONE)
    Inspector(page).look("member")
    shoot(page, "console-member-en")
    drawer.get_by_role("button", name=told("console.members.erase"), exact=True).click()
    sure = page.get_by_role("dialog", name=told("console.members.erase_title"))
    sure.get_by_role("button", name=told("console.members.erase_now")).click()
    expect(sure).to_have_count(0)
    expect(drawer).to_contain_text(told("console.members.is_erased"))
    assert not is_known(ready, admin)
    admin.close_dialog()
    shoot(page, "console-members-en")


def join_at(till: TillPage) -> None:
    """The customer joins, by keys alone; nobody used this number before."""
    words, keys = till.words, till.page.keyboard
    until(lambda: has_register(till), "the box to hear of the register", timeout_s=60)
    till.scan(OATS)
    keys.press("F8")
    dialog = till.dialog("till.member.title")
    field = dialog.get_by_label(words("till.member.phone"))
    expect(field).to_be_focused()
    keys.type(TYPED)
    keys.press("Enter")
    expect(dialog.get_by_label(words("till.member.agree"))).to_be_visible()
    join = dialog.get_by_role("button", name=words("till.member.join"), exact=True)
    expect(join).to_be_disabled()
    Inspector(till.page).look("join")
    shoot(till.page, "till-member-join-en")
    dialog.get_by_label(words("till.member.agree")).focus()
    keys.press("Space")
    join.focus()
    keys.press("Enter")
    expect(dialog).to_have_count(0)
    shown = words("till.basket.member", number=f"** {DIGITS}")
    expect(till.page.get_by_text(shown)).to_be_visible()
    assert TYPED not in till.page.content()
    shoot(till.page, "till-member-en")


def has_register(till: TillPage) -> bool:
    """Whether the box can look somebody up."""
    answer = till.page.request.post(
        f"{till.store.box.url}/v1/lanes/1/member",
        data={"phone": "(212) 555-0199"},
        headers={"Idempotency-Key": "is-there-a-register"},
    )
    return str(answer.json()["code"]) == "member.unknown"


def is_known(shop: Shop, admin: ConsolePage) -> bool:
    """Whether head office knows the number."""
    answer = admin.page.request.post(
        f"{shop.chain.console_url}/v1/members/find",
        data={"phone": TYPED, "currency": "USD"},
        headers={"X-Tillbox": "1"},
    )
    return bool(answer.json()["members"])


def find(shop: Shop, admin: ConsolePage) -> None:
    """Search for the number once head office has heard of it."""
    until(lambda: is_known(shop, admin), "head office to hear who joined", timeout_s=60)
    admin.page.get_by_role("textbox", name=admin.words("console.members.phone")).fill(TYPED)
    admin.button("console.members.search").click()
