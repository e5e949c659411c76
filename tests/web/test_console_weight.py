"""The built console stays light: what the first page needs, and what each other page adds."""

from __future__ import annotations

import gzip
import re
from functools import cache

import pytest

from tests.lab.web_apps import PAGES

FOLDER = next(folder for folder in PAGES if "cloud" in folder.parts)
ASSETS = FOLDER / "assets"
STATIC_IMPORT = re.compile(r'(?:from|import)"\./([^"]+\.js)"')
FIRST_MAX, PAGE_MAX = 180_000, 60_000
"""Compressed bytes of script: shell, texts and first page; any other page (the design, gates)."""


@cache
def needed(name: str) -> frozenset[str]:
    """A script and all that it needs before it runs."""
    found, waiting = {name}, [name]
    while waiting:
        text = (ASSETS / waiting.pop()).read_text("utf-8")
        fresh = set(STATIC_IMPORT.findall(text)) - found
        found |= fresh
        waiting.extend(fresh)
    return frozenset(found)


def weight(names: frozenset[str]) -> int:
    return sum(len(gzip.compress((ASSETS / name).read_bytes(), 9)) for name in names)


def built(page: str) -> str:
    found = [path.name for path in ASSETS.glob(f"{page}-*.js")]
    assert len(found) == 1, f"Not built: {page}. Run `make setup` first."
    return found[0]


@cache
def shell() -> frozenset[str]:
    index = (FOLDER / "index.html").read_text("utf-8")
    scripts = re.findall(r'(?:src|href)="/assets/([^"]+\.js)"', index)
    return frozenset().union(*(needed(name) for name in scripts))


def test_the_first_page_is_light() -> None:
    texts = max(weight(frozenset({built(one)})) for one in ("en", "zh-CN", "zh-TW"))
    assert texts + weight(shell() | needed(built("Overview"))) <= FIRST_MAX


@pytest.mark.parametrize("page", ["Catalogue", "Convergence", "Promotions", "Releases", "Stores"])
def test_a_further_page_adds_little(page: str) -> None:
    assert weight(needed(built(page)) - shell()) <= PAGE_MAX
