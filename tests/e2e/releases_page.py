"""The console's page of releases as people at headquarters use it."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from tests.e2e.console_page import ConsolePage

PATIENCE_MS = 20_000
"""What waits for the worker and for boxes, on a machine that is busy with other tests."""


class ReleasesPage(ConsolePage):
    """Hands in what waits, and acts on releases."""

    def begin_to_submit(self) -> Locator:
        """Open the dialog that hands in what waits; the dialog."""
        self.button("console.releases.submit_open").click()
        dialog = self.dialog("console.releases.submit")
        expect(dialog).to_be_visible()
        return dialog

    def submit_at_once(self, note: str = "") -> None:
        """Hand in what waits for all stores at once, and approve it in the same step."""
        dialog = self.begin_to_submit()
        dialog.get_by_label(self.words("console.publish.note")).fill(note)
        dialog.get_by_label(self.words("console.releases.plan_once")).check()
        dialog.get_by_role("button", name=self.words("console.releases.send_approve")).click()
        expect(dialog).to_have_count(0)

    def wait_for(self, state: str) -> None:
        """Wait until the release that is open is said to be in a state."""
        where = self.page.get_by_role("region", name=self.words("console.state"))
        said = where.get_by_text(self.words(f"console.releases.state.{state}"), exact=True)
        expect(said).to_be_visible(timeout=PATIENCE_MS)

    def wait_until_it_waits(self, why: str) -> None:
        """Wait until the release that is open says what it waits for."""
        where = self.page.get_by_role("region", name=self.words("console.state"))
        said = self.words(f"release.waits.{why}")
        expect(where).to_contain_text(said, timeout=PATIENCE_MS)

    def act(self, verb: str, reason: str = "") -> None:
        """Do something to the release that is open."""
        name = self.words(f"console.releases.verb.{verb}")
        self.page.get_by_role("main").get_by_role("button", name=name, exact=True).click()
        dialog = self.dialog(f"console.releases.verb.{verb}")
        dialog.get_by_role("textbox").fill(reason)
        dialog.get_by_role("button", name=name, exact=True).click()
        expect(dialog).to_have_count(0)

    def store_row(self, store: str) -> Locator:
        """A store's row in the release that is open."""
        return (
            self.page.get_by_role("table", name=self.words("console.releases.by_store"))
            .get_by_role("row")
            .filter(has_text=store)
        )
