"""What axe-core and a ruler find wrong with a screen, in every size and look that is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from playwright.sync_api import Page

from tests.e2e.windows import SIZES

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice")
LOOKS = ("light", "dark")
PHONE = (320, 640)
Size = tuple[int, int]

FIND_VIOLATIONS = """
async (tags) => {
  const looks = document.getAnimations().filter((one) => one.effect.getTiming().iterations === 1);
  await Promise.allSettled(looks.map((one) => one.finished));
  const { violations } = await axe.run(document, { runOnly: tags, resultTypes: ['violations'] });
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`));
}
"""
# What sticks out to the right of the page or of an open dialog, unless it lies in a scroller.
FIND_OVERFLOW = """
() => {
  const found = [];
  const root = document.documentElement;
  if (root.scrollWidth > innerWidth) found.push(`the page is ${root.scrollWidth} wide`);
  const scrolls = (element) => ['auto', 'scroll'].includes(getComputedStyle(element).overflowX);
  for (const frame of document.querySelectorAll('dialog[open], main')) {
    const edge = Math.min(frame.getBoundingClientRect().right, innerWidth) + 1;
    for (const element of frame.querySelectorAll('*')) {
      const place = element.getBoundingClientRect();
      if (place.right <= edge || place.width <= 1 || !element.checkVisibility()) continue;
      let outer = element.parentElement;
      while (outer !== frame && !(scrolls(outer) && outer.scrollWidth > outer.clientWidth)) {
        outer = outer.parentElement;
      }
      if (outer !== frame) continue;
      found.push(`${element.localName}.${element.className} sticks out: ${element.textContent}`);
      break;
    }
  }
  return found;
}
"""


@cache
def _axe() -> str:
    assert AXE.is_file(), f"{AXE} is missing. Run `make setup` first."
    return AXE.read_text("utf-8")


class Inspector:
    """Collects what is wrong with the screens of a page; a test asserts `problems` is empty.

    An app says which look it has taken; a page without a script has it at once.
    """

    def __init__(self, page: Page, *, is_app: bool = True) -> None:
        self._page = page
        self._is_app = is_app
        self.problems: list[str] = []

    def look(self, name: str, sizes: Iterable[Size] = SIZES) -> None:
        """Inspect the screen as it stands, in all sizes and in both looks."""
        before = self._page.viewport_size
        assert before is not None
        for width, height in sizes:
            self._page.set_viewport_size({"width": width, "height": height})
            for theme in LOOKS:
                self._inspect(f"{name} {width}x{height} {theme}", theme)
        self._page.emulate_media(color_scheme="light")
        self._page.set_viewport_size(before)

    def _inspect(self, name: str, theme: str) -> None:
        page = self._page
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        if self._is_app:
            has_taken = "look => document.documentElement.dataset.theme === look"
            page.wait_for_function(has_taken, arg=theme)
        if page.evaluate("typeof axe") == "undefined":
            page.evaluate(_axe())
        found = page.evaluate(FIND_VIOLATIONS, TAGS) + page.evaluate(FIND_OVERFLOW)
        self.problems += [f"{name}: {each}" for each in found]
