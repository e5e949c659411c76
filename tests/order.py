"""Which tests run in one process, and in which order: so that no processor waits for the other.

The slow files begin first, and those that share something dear are kept together: the browser
tests their running shop, the house rules their parsed sources.
"""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling

TOGETHER = {
    # Two shops, each with its own head office: one would be open longer than all else takes.
    **{f"tests/e2e/test_{letter}": "browser" for letter in "abcdefghijklmnopq"},
    "tests/e2e/": "browser 2",
    **dict.fromkeys(
        (f"tests/architecture/test_{name}.py" for name in ("purity", "sizes", "tree", "i18n")),
        "sources",
    ),
}
FIRST = (
    *("tests/e2e/", "tests/powerloss/", "tests/faults/", "tests/simulation/"),
    *("tests/architecture/", "tests/ansible/", "tests/integration/"),
    *("tests/contract/", "tests/property/"),
)


class TogetherScheduling(LoadScopeScheduling):  # type: ignore[misc] # xdist is untyped here
    """Hands out tests by file, or by what several files share."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return next((name for start, name in TOGETHER.items() if path.startswith(start)), path)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring the slow kinds of tests to the front; within a kind all stays as it was."""
    items.sort(key=_place_of)


@pytest.hookimpl(optionalhook=True)  # none where xdist is switched off
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> TogetherScheduling:
    """Keep to that order: without this option xdist begins with the files of most tests."""
    config.option.loadscopereorder = False
    return TogetherScheduling(config, log)


def _place_of(item: pytest.Item) -> int:
    path = item.nodeid
    return next((n for n, start in enumerate(FIRST) if path.startswith(start)), len(FIRST))
