"""One chain per worker, and pages that fail a test by whatever they log as an error."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.e2e.console_page import ConsolePage
from tests.e2e.shop import Shop, missing_pages, open_shop
from tests.e2e.till_page import TillPage
from tests.e2e.windows import Windows


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """PostgreSQL, broker, API, worker and two boxes that sell the sample pack."""
    missing = missing_pages()
    if missing:
        pytest.fail(f"Not built: {', '.join(missing)}. Run `make setup` first.", pytrace=False)
    opened = open_shop(tmp_path_factory.mktemp("shop") / "chain")
    yield opened
    opened.close()


@pytest.fixture
def windows(browser: Browser) -> Iterator[Windows]:
    """Browser windows, closed after the test; a page that threw or logged an error fails it."""
    opened = Windows(browser)
    yield opened
    opened.close()
    assert opened.problems == []


@pytest.fixture
def ready(shop: Shop) -> Shop:
    """The chain with both lanes as in the morning."""
    for store in shop.stores:
        store.make_ready()
    return shop


@pytest.fixture
def till(ready: Shop, windows: Windows) -> TillPage:
    """The northern store's till, in English, with the cashier signed in."""
    page = TillPage(windows.open("en"), ready.north)
    page.open()
    page.sign_in()
    return page


@pytest.fixture
def console(ready: Shop, windows: Windows) -> ConsolePage:
    """The console, in English, with the buyer signed in."""
    page = ConsolePage(windows.open("en", width=1280, height=800), ready.chain.console_url)
    page.sign_in()
    return page
