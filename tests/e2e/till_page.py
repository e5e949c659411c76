"""The till page as a cashier sees it: things are found by role and name."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.demo.opening import CASHIER, MANAGER
from tests.e2e.shop import NAMES, Good, Store
from tests.e2e.texts import Words, money
from tests.e2e.windows import taps_of


class TillPage:
    """One till page in a browser window, at lane 1 of a store."""

    def __init__(self, page: Page, store: Store) -> None:
        self.page = page
        self.store = store
        language: str = page.evaluate("navigator.language")
        self.words = Words(language)

    def open(self) -> None:
        """Load the page."""
        self.page.goto(self.store.box.url)
        expect(self.page.get_by_role("button", name=NAMES[CASHIER])).to_be_visible()

    def sign_in(self, operator: str = CASHIER) -> None:
        """Sign in by name and PIN, on the screen's keypad."""
        self.page.get_by_role("button", name=NAMES[operator]).click()
        pad = self.page.get_by_role("group", name=self.words("till.keypad.title"))
        for digit in self.store.pins[operator]:
            pad.get_by_role("button", name=digit, exact=True).click()
        self.button("common.sign_in").click()
        expect(self.heading("till.lane", lane="1")).to_be_visible()

    def sign_in_manager(self) -> None:
        """Sign in as the manager."""
        self.sign_in(MANAGER)

    def scan(self, *goods: Good | str) -> None:
        """Scan at the device port, then wait until the screen shows the last scan."""
        last = self.store.view()["scans"] + len(goods)
        self.store.scan(*goods)
        expect(self.last_scan).to_have_attribute("data-scan-no", str(last))

    @property
    def last_scan(self) -> Locator:
        """Where the last scan stands."""
        return self.page.locator("[data-scan-no]")

    @property
    def summary(self) -> Locator:
        """Last scan and amount due."""
        return self.region("till.summary")

    @property
    def lines(self) -> Locator:
        """The rows of the basket."""
        basket = self.region("till.basket.title")
        return basket.get_by_role("listitem").filter(has=self.page.get_by_role("group"))

    @property
    def unknown(self) -> Locator:
        """The rows of the list of unknown codes."""
        settle = self.page.get_by_role("button", name=self.words("till.unknown.settle"))
        return self.page.get_by_role("listitem").filter(has=settle)

    @property
    def done(self) -> Locator:
        """What stands on the screen after a sale."""
        return self.region("till.done.title")

    @property
    def status(self) -> Locator:
        """The strip that tells how box, cloud and devices are."""
        return self.region("till.status.title")

    def line(self, of: Good) -> Locator:
        """The row of an item."""
        return self.lines.filter(has_text=of.name)

    def note(self, amount: int) -> Locator:
        """The quick-cash button of an amount in minor units."""
        return self.page.get_by_role(
            "button", name=self.words("till.pay.cash_of", amount=money(amount)), exact=True
        )

    def button(self, key: str, **params: str | int) -> Locator:
        """A button by the key of its text."""
        return self.page.get_by_role("button", name=self.words(key, **params), exact=True)

    def heading(self, key: str, **params: str | int) -> Locator:
        """A heading by the key of its text."""
        return self.page.get_by_role("heading", name=self.words(key, **params))

    def region(self, key: str) -> Locator:
        """A region by the key of its name."""
        return self.page.get_by_role("region", name=self.words(key), exact=True)

    def dialog(self, key: str) -> Locator:
        """A dialog by the key of its title."""
        return self.page.get_by_role("dialog", name=self.words(key), exact=True)

    def choose(self, key: str) -> None:
        """Open the menu and choose an entry."""
        self.button("till.menu.short").click()
        self.dialog("till.menu.title").get_by_role("button", name=self.words(key)).click()

    def pick(self, name: str) -> None:
        """Touch a chip of the open dialog; its label covers the radio button."""
        dialog = self.page.get_by_role("dialog")
        radio = self.page.get_by_role("radio", name=name, exact=True)
        dialog.locator("label").filter(has=radio).click()
        expect(radio).to_be_checked()

    def dismiss_unknown(self) -> None:
        """Dismiss the newest unknown code."""
        left = self.unknown.count() - 1
        self.unknown.first.get_by_role("button", name=self.words("till.unknown.settle")).click()
        self.pick(self.words("till.reason.dismiss.misread"))
        self.button("till.dismiss.confirm").click()
        expect(self.unknown).to_have_count(left)

    def close_dialog(self) -> None:
        """Close whatever dialog is open."""
        self.page.get_by_role("dialog").get_by_role(
            "button", name=self.words("common.close"), exact=True
        ).click()
        expect(self.page.get_by_role("dialog")).to_have_count(0)

    def is_due(self, minor: int) -> None:
        """Check the amount that is due."""
        expect(self.summary).to_contain_text(money(minor))

    def wait_settled(self) -> None:
        """Wait until one-tap cash is open: it is shut for a moment after each scan."""
        expect(
            self.page.get_by_role("button", name=self.words.like("till.pay.cash_of")).first
        ).to_be_enabled()

    def receipt_no(self) -> str:
        """Number of the receipt of the sale that was just done."""
        number = self.done.get_by_role("definition").last.inner_text()
        assert re.fullmatch(r"\d+(-\d+)+", number), number
        return number

    def taps(self) -> int:
        """Touches and keys other than digits so far."""
        return taps_of(self.page)
