"""Browser windows of a test, the counter of taps in them, and pictures of them on request."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

SHOTS_ENV = "TILLBOX_SHOTS"
SIZES = ((1024, 600), (1280, 800))
# A tap is one touch or one key that is no digit (the design's section on tap counts).
COUNT_TAPS = """
window.taps = 0;
addEventListener('pointerdown', () => { window.taps += 1; }, true);
addEventListener('keydown', (event) => {
  if (!event.repeat && !/^[0-9]$/.test(event.key)) window.taps += 1;
}, true);
"""


class Windows:
    """Opens windows, each in a context of its own as if on its own tablet."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.problems: list[str] = []

    def open(self, language: str, width: int = 1024, height: int = 600) -> Page:
        """A fresh window; its browser asks for `language`."""
        context = self._browser.new_context(
            viewport={"width": width, "height": height},
            locale=language,
            color_scheme="light",
            reduced_motion="reduce",
        )
        context.set_default_timeout(15_000)
        context.add_init_script(COUNT_TAPS)
        self._contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", self._hear)
        return page

    def forgive_network(self) -> None:
        """Forget failed requests: this test took the server away."""
        self.problems = [each for each in self.problems if "Failed to load resource" not in each]
        self.problems = [each for each in self.problems if "net::ERR_" not in each]

    def close(self) -> None:
        """Close all windows."""
        for context in self._contexts:
            context.close()

    def _hear(self, message: ConsoleMessage) -> None:
        # The browser calls each refusal an error; what the page makes of it is tested on the page.
        if message.type == "error" and "responded with a status of 4" not in message.text:
            self.problems.append(f"{message.text} ({message.location.get('url', '')})")


def taps_of(page: Page) -> int:
    """Touches and keys other than digits so far in this page."""
    taps: int = page.evaluate("window.taps")
    return taps


def shoot(page: Page, name: str) -> None:
    """Keep pictures of a state in both sizes and both looks, when a folder is asked for."""
    folder = os.environ.get(SHOTS_ENV)
    if not folder:
        return
    before = page.viewport_size
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        for look in ("light", "dark"):
            page.emulate_media(color_scheme=look)
            path = Path(folder) / f"{name}-{width}-{look}.png"
            page.screenshot(path=path, animations="disabled")
    page.emulate_media(color_scheme="light")
    if before is not None:
        page.set_viewport_size(before)
