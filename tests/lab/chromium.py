"""Debian's Chromium, driven by Playwright: the browser of the end-to-end tests and benchmarks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from tests.lab.debian import find_program

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class ChromiumMissingError(RuntimeError):
    """No browser to start; the text says what to install."""


def executable() -> str:
    """Return the path of the browser; raises ChromiumMissingError."""
    path = find_program("chromium") or find_program("chromium-browser")
    if path is None:
        raise ChromiumMissingError("No Chromium here: install it (apt-get install chromium).")
    return path


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start a headless browser, and end it afterwards.

    While it is open this thread runs Playwright's event loop, so nothing else may start one.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=[*FLAGS])
        try:
            yield browser
        finally:
            browser.close()
