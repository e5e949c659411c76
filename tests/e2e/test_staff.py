"""Head office decides who may do what at the tills, in a real browser."""

from __future__ import annotations

import re
from contextlib import suppress

import httpx
import pytest
from playwright.sync_api import expect

from tests.demo.opening import CASHIER, MANAGER
from tests.e2e.axe import PHONE, Inspector
from tests.e2e.console_page import ConsolePage
from tests.e2e.shop import NAMES, OATS, Shop
from tests.e2e.till_page import TillPage
from tests.e2e.waiting import until
from tests.e2e.windows import SIZES, Windows, shoot


@pytest.fixture
def admin(ready: Shop, windows: Windows) -> ConsolePage:
    """The console with an administrator signed in."""
    page = ConsolePage(windows.open("en", width=1280, height=800), ready.chain.console_url)
    page.sign_in(ready.chain.state.console_user, ready.chain.state.console_password)
    return page


def test_a_role_gets_a_ceiling_and_a_person_a_badge(ready: Shop, admin: ConsolePage) -> None:
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

    def in_force() -> bool:
        told = page.request.get(f"{ready.chain.console_url}/v1/staff").json()["operators"]
        row = next(each for each in told if each["operator_id"] == CASHIER)
        return not row["is_waiting"] and 0 < row["boxes"] == row["boxes_active"]

    until(in_force, "the badge to be in force at every box", timeout_s=30)
    page.reload()
    pill = words.like("console.staff.reach_all", count=len(ready.stores))
    expect(admin.row(NAMES[CASHIER])).to_contain_text(pill)
    shoot(page, "console-staff-en")

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


def test_who_typed_wrong_pins_is_let_in_by_a_manager_on_the_same_screen(
    ready: Shop, windows: Windows
) -> None:
    north = ready.north
    till = TillPage(windows.open("en"), north)
    till.open()
    inspector, keyboard = Inspector(till.page), till.page.keyboard
    till.page.get_by_role("button", name=NAMES[CASHIER]).click()
    alert = till.page.get_by_role("alert")

    def typed(pin: str) -> None:
        keyboard.type(pin)
        keyboard.press("Enter")

    for _ in range(3):
        typed("0000")
        expect(alert).to_have_text(till.words("error.session.bad_pin"))
    ask = till.button("till.unlock.ask")
    for _ in range(4):  # each that comes after the wait is looked at, and makes the next one longer
        typed("0000")
        with suppress(AssertionError):
            expect(ask).to_be_visible(timeout=3_000)
            break
    ask.click()
    expect(till.heading("till.unlock.title", name=NAMES[CASHIER])).to_be_visible()
    inspector.look("a manager is asked", (*SIZES, PHONE))
    shoot(till.page, "till-unlock-en")
    typed("0000")
    expect(alert).to_have_text(till.words("error.approval.bad_pin"))
    typed(north.pins[MANAGER])
    expect(till.button("common.sign_in")).to_be_visible()
    typed(north.pins[CASHIER])
    expect(till.heading("till.lane", lane="1")).to_be_visible()
    assert inspector.problems == []
