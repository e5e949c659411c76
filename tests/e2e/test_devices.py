"""A person at the till, and one at headquarters, see what is wrong with a device and what to do."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.demo.opening import MANAGER
from tests.e2e.axe import PHONE, Inspector
from tests.e2e.console_page import ConsolePage
from tests.e2e.shop import Shop
from tests.e2e.till_page import TillPage
from tests.e2e.waiting import until
from tests.e2e.windows import SIZES, Windows, shoot

EVERYWHERE = (*SIZES, PHONE)


@pytest.fixture
def till(ready: Shop, windows: Windows) -> TillPage:
    """A till page, in the language with the longest words."""
    page = TillPage(windows.open("en"), ready.north)
    page.open()
    return page


def test_a_printer_without_paper_is_told_with_what_to_do(till: TillPage, shop: Shop) -> None:
    inspector = Inspector(till.page)
    till.sign_in_manager()
    shop.north.printer_fault("paper_out")
    till.choose("till.device.title")
    dialog = till.dialog("till.device.title")
    expect(dialog.get_by_text(till.words("device.fault.printer.paper_out"))).to_be_visible()
    expect(dialog.get_by_text(till.words("device.todo.printer.paper_out"))).to_be_visible()
    till.button("till.devices.self_test").click()
    expect(dialog.get_by_text(till.words("till.devices.kind.printer"))).not_to_have_count(0)
    expect(till.button("till.devices.self_test")).to_be_enabled(timeout=30_000)
    dialog.get_by_text(till.words("till.devices.details")).first.click()
    inspector.look("devices in trouble", EVERYWHERE)
    shoot(till.page, "till-devices-en")
    shop.north.printer_fault(None)
    expect(dialog.get_by_text(till.words("device.todo.printer.paper_out"))).to_have_count(
        1, timeout=20_000
    )  # the self-test's own, until it runs again
    till.page.goto(f"{shop.north.box.url}/devices")
    expect(till.heading("till.devices.test_title")).to_be_visible()
    inspector.look("devices as a page", (PHONE,))
    shoot(till.page, "till-devices-page-en")
    assert inspector.problems == []


def test_headquarters_reads_what_a_device_had(ready: Shop, windows: Windows) -> None:
    ready.north.printer_fault("cover_open")
    page = ConsolePage(windows.open("en", width=1280, height=800), ready.chain.console_url)
    inspector, state = Inspector(page.page), ready.chain.state
    page.open()
    page.sign_in(state.console_user, state.console_password)
    page.go("console.stores.title")
    url = f"{ready.chain.console_url}/v1/stores/{ready.north.store_id}/devices"

    def standing() -> list[str]:
        found = page.page.request.get(url).json()
        return [fact["code"] for fact in found["standing"]]

    until(lambda: standing() == ["printer.cover_open"], "the fact to arrive", timeout_s=30)
    number = page.page.get_by_text(ready.north.store_id, exact=True)
    row = page.page.get_by_role("row").filter(has=number)
    row.get_by_role("button", name=page.words("console.devices.show")).last.click()
    drawer = page.page.get_by_role("dialog")
    fault = page.words("device.fault.printer.cover_open")
    expect(drawer.get_by_text(fault)).to_have_count(2)
    inspector.look("a store's devices")
    shoot(page.page, "console-devices-en")
    ready.north.printer_fault(None)
    assert inspector.problems == []


def test_a_cashier_opens_the_drawer_with_a_colleague_s_pin(till: TillPage, shop: Shop) -> None:
    inspector = Inspector(till.page)
    till.sign_in()
    opened = shop.north.drawer_openings()
    till.choose("till.drawer.title")
    till.pick(till.words("till.reason.drawer.change"))
    till.button("till.drawer.confirm").click()
    dialog = till.dialog("till.approval.title")
    expect(dialog).to_contain_text(till.words("till.right.drawer.no_sale"))
    inspector.look("an approval", EVERYWHERE)
    shoot(till.page, "till-approval-en")
    keyboard = till.page.keyboard
    keyboard.type("000000")
    keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text(till.words("error.approval.bad_pin"))
    keyboard.type(shop.north.pins[MANAGER])
    keyboard.press("Enter")
    expect(till.page.get_by_role("dialog")).to_have_count(0)
    until(lambda: shop.north.drawer_openings() == opened + 1, "the drawer to open")
    assert inspector.problems == []
