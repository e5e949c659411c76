"""Head office decides who may do what at the tills, in a real browser."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import expect

from tests.demo.opening import CASHIER, MANAGER
from tests.e2e.axe import Inspector
from tests.e2e.console_page import ConsolePage
from tests.e2e.shop import NAMES, OATS, Shop
from tests.e2e.waiting import until
from tests.e2e.windows import Windows


@pytest.fixture
def admin(ready: Shop, windows: Windows) -> ConsolePage:
    """The console with an administrator signed in."""
    page = ConsolePage(windows.open("en", width=1280, height=800), ready.chain.console_url)
    page.sign_in(ready.chain.state.console_user, ready.chain.state.console_password)
    return page


def test_a_role_gets_a_ceiling_and_a_person_a_badge(admin: ConsolePage) -> None:
    words, page, inspector = admin.words, admin.page, Inspector(admin.page)
    admin.go("console.staff.title")
    badge = words("console.staff.badge_of", name=NAMES[CASHIER])
    page.get_by_role("button", name=badge).click()
    dialog = page.get_by_role("dialog", name=badge)
    dialog.get_by_role("button", name=words("console.staff.badge_make")).click()
    expect(dialog.get_by_label(words("console.staff.badge_code"))).to_have_value(
        re.compile("^TBS[A-Z2-9]{16}$")
    )
    inspector.look("badge")
    admin.close_dialog()
    expect(admin.row(NAMES[CASHIER])).to_contain_text(words("console.staff.badge_yes"))

    page.get_by_role("button", name=words("console.staff.roles")).click()
    page.get_by_role("button", name=words("console.staff.role.senior_cashier"), exact=True).click()
    dialog = page.get_by_role("dialog")
    right = dialog.get_by_role("group", name=words("console.staff.right.drawer.no_sale"))
    right.get_by_label(words("console.staff.ceiling.times")).fill("5")
    inspector.look("role")
    dialog.get_by_role("button", name=words("console.masters.save"), exact=True).click()
    expect(dialog).to_have_count(0)
    drawer = admin.row(words("console.staff.right.drawer.no_sale"))
    expect(drawer).to_contain_text(words("console.staff.limit.times", limit=5))
    inspector.look("roles")
    assert inspector.problems == []


def test_who_is_taken_away_is_out_at_the_till_without_a_release_and_the_basket_stays(
    ready: Shop,
) -> None:
    office, north = ready.chain.console, ready.north
    office.sign_in(ready.chain.state.console_user, ready.chain.state.console_password)
    person = {"name": "Zoe", "role": "cashier", "pin": "8042", "store_ids": [north.store_id]}
    before = north.view()["revision"]
    office.put_operator("7001", person)
    until(lambda: north.view()["revision"] > before, "the box to know her")
    with httpx.Client(base_url=north.box.url, timeout=15) as her:
        body = {"operator": "7001", "pin": "8042"}
        token = her.post("/v1/lanes/1/session", json=body).raise_for_status().json()["token"]
        her.headers["Authorization"] = f"Bearer {token}"
        north.scan(OATS)
        office.put_operator("7001", {**person, "store_ids": []})
        probe = "/v1/lanes/1/approvals/none"
        until(lambda: her.delete(probe).is_error, "her to be signed out")
        assert her.delete(probe).json()["code"] == "session.required"
        again = her.post("/v1/lanes/1/session", json=body)
        assert again.json()["code"] == "session.bad_pin"
    north.call("POST", "/v1/lanes/1/session", {"operator": MANAGER, "pin": north.pins[MANAGER]})
    until(lambda: len(north.view()["basket"]["lines"]) == 1, "the basket that she left")
