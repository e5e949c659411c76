"""The console as people at headquarters see it: things are found by role and name."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.e2e.shop import BUYER, BUYER_PASSWORD
from tests.e2e.texts import Words


class ConsolePage:
    """The console in a browser window."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        language: str = page.evaluate("navigator.language")
        self.words = Words(language)

    def open(self, path: str = "/") -> None:
        """Load a page anew."""
        self.page.goto(self.url + path)

    def sign_in(self, user: str = BUYER, password: str = BUYER_PASSWORD) -> None:
        """Sign in with a password."""
        self.open()
        self.field("console.sign_in.user").fill(user)
        self.field("console.sign_in.password").fill(password)
        self.button("common.sign_in").click()
        expect(
            self.page.get_by_role("navigation", name=self.words("console.nav.label"))
        ).to_be_visible()

    @property
    def navigation(self) -> Locator:
        """The links to the pages."""
        return self.page.get_by_role("navigation", name=self.words("console.nav.label"))

    def go(self, key: str) -> None:
        """Choose a page from the navigation, and wait for it."""
        self.navigation.get_by_role("link", name=self.words(key)).click()
        expect(self.page.get_by_role("heading", level=1, name=self.words(key))).to_be_visible()

    def field(self, key: str, **params: str | int) -> Locator:
        """A field by the key of its label."""
        return self.page.get_by_label(self.words(key, **params))

    def button(self, key: str, **params: str | int) -> Locator:
        """A button by the key of its text."""
        return self.page.get_by_role("button", name=self.words(key, **params), exact=True)

    def row(self, *texts: str) -> Locator:
        """The table rows that hold all these texts."""
        rows = self.page.get_by_role("row")
        for text in texts:
            rows = rows.filter(has_text=text)
        return rows

    def dialog(self, key: str, **params: str | int) -> Locator:
        """A dialog by the key of its title."""
        return self.page.get_by_role("dialog", name=self.words(key, **params))

    def close_dialog(self) -> None:
        """Close whatever dialog is open."""
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_role("button", name=self.words("common.close"), exact=True).click()
        expect(dialog).to_have_count(0)
