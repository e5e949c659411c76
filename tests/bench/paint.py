"""Scan at the device port -> painted in headless Chromium on a throttled CPU."""

from __future__ import annotations

import time
from typing import Any

from playwright.sync_api import Page

from tests.bench.catalogue import OPERATOR, PIN, gtin_of
from tests.bench.figure import Figure, percentile, spread
from tests.bench.lab_box import LabBox
from tests.demo.till_client import ScannerPort
from tests.lab.chromium import open_browser

THROTTLE = 4
SCANS = 120
PAUSE_MS = 150
GOAL_MS = 100.0
WATCH = """
() => {
  const number = () => Number(document.querySelector('[data-scan-no]')?.dataset.scanNo ?? 0);
  const channel = new MessageChannel();
  let last = number();
  window.painted = {};
  // A message sent in a frame's callback is handled once that frame has been painted.
  // One frame may show several scans: the page applies what has come once a frame.
  channel.port1.onmessage = ({ data: shown }) => {
    const now = performance.timeOrigin + performance.now();
    while (last < shown) window.painted[++last] = now;
  };
  const look = () => requestAnimationFrame(() => channel.port2.postMessage(number()));
  const watched = { subtree: true, childList: true, attributes: true };
  new MutationObserver(look).observe(document.body, watched);
}
"""
FRAME = """
() => new Promise((done) => {
  const began = performance.now();
  const channel = new MessageChannel();
  channel.port1.onmessage = () => done(performance.now() - began);
  document.body.append(document.createElement('i'));
  requestAnimationFrame(() => channel.port2.postMessage(0));
})
"""


def measure(box: LabBox) -> Figure:
    """Scan into the till page that is open in a browser; times of both on one clock."""
    scanner = ScannerPort(box.scanner_port)
    with open_browser() as browser:
        page = browser.new_page(viewport={"width": 1024, "height": 600}, locale="zh-CN")
        _sign_in(page, box)
        _throttle(page)
        page.evaluate(WATCH)
        before = _scan_no(page)
        sent = {}
        for number in range(1, SCANS + 1):
            sent[str(before + number)] = time.time() * 1000
            scanner.scan([gtin_of(number % 50 * 1999)])
            page.wait_for_timeout(PAUSE_MS)
        painted: dict[str, float] = page.evaluate("() => window.painted")
        frames = [float(page.evaluate(FRAME)) for _ in range(SCANS)]
    scanner.close()
    took = [painted[no] - at for no, at in sent.items()]
    return Figure(
        f"scan at the device port -> painted, Chromium at {THROTTLE}x CPU throttle, p99",
        "ms",
        percentile(took, 0.99),
        GOAL_MS,
        percentile(frames, 0.99),
        "one empty change painted there, p99",
        spread(took, "ms"),
    )


def _sign_in(page: Page, box: LabBox) -> None:
    """Sign in over the API in the page's own cookie jar, then open the till."""
    answer = page.request.post(
        f"{box.url}/v1/lanes/1/session", data={"operator": OPERATOR, "pin": PIN}
    )
    assert answer.ok, answer.text()
    page.goto(box.url)
    page.wait_for_selector("[data-scan-no]")


def _throttle(page: Page) -> None:
    session: Any = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": THROTTLE})


def _scan_no(page: Page) -> int:
    return int(page.locator("[data-scan-no]").get_attribute("data-scan-no") or 0)
