"""Shelf tasks at the till, in a browser: an empty shelf, a warm fridge, a count."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.builders import a_gtin
from tests.demo.shelves import EDGE_TOML, SENSORS_TOML, SHELF, grams_of
from tests.e2e.axe import PHONE, Inspector
from tests.e2e.texts import Words
from tests.e2e.windows import SIZES, Windows, shoot
from tests.integration.edge.boxes import CASHIER_PIN, DAY, prepare_data
from tests.integration.edge.running_box import RunningBox
from tests.lab.net import free_port
from tests.lab.processes import ChildProcess, Command

words = Words("en")


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBox]:
    folder = tmp_path_factory.mktemp("shelves")
    data, port = folder / "data", free_port()
    data.mkdir()
    prepare_data(data, port=port)
    with (data / "edge.toml").open("a", encoding="utf-8") as settings:
        settings.write(EDGE_TOML.format(port=0, password_file=""))
    (data / "sensors.toml").write_text(SENSORS_TOML.format(gtin=a_gtin(3)))
    arguments: list[str | Path] = [sys.executable, "-m", "edge", "run", "--data", data]
    running = RunningBox(data, port, ChildProcess(Command("box", arguments, folder / "box.log")))
    running.start().sign_in()
    running.post("/v1/day/open", {"business_date": DAY})
    yield running
    running.stop()


@pytest.fixture
def till(box: RunningBox, windows: Windows) -> Page:
    """Lane 1 with the cashier signed in."""
    box.call("DELETE", "/v1/lanes/1/session")
    page = windows.open("en")
    page.goto(f"{box.url}/?lane=1")
    page.get_by_role("button", name="Cashier").click()
    for digit in CASHIER_PIN:
        page.get_by_role("button", name=digit, exact=True).click()
    page.get_by_role("button", name=words("common.sign_in"), exact=True).click()
    expect(page.get_by_role("region", name=words("till.summary"))).to_be_visible()
    return page


def button(within: Page | Locator, key: str) -> Locator:
    return within.get_by_role("button", name=words(key), exact=True)


def test_an_empty_shelf_is_counted_and_a_warm_fridge_is_taken_on(
    box: RunningBox, till: Page
) -> None:
    inspector = Inspector(till)
    box.post(f"/virtual/shelf/{SHELF}", {"value": grams_of(12)})
    button(till, "till.menu.short").click()
    button(till, "till.shelves.title").click()
    dialog = till.get_by_role("dialog")
    expect(dialog.get_by_text(words("till.shelves.none"))).to_be_visible()
    row = dialog.get_by_role("row", name="A3")
    expect(row.get_by_role("cell").first).to_have_text("12")
    inspector.look("shelves, no task", (*SIZES, PHONE))

    button(row, "till.shelves.count").click()
    pad = dialog.get_by_role("group", name=words("till.keypad.title"))
    for digit in "12":
        pad.get_by_role("button", name=digit, exact=True).click()
    inspector.look("shelves, count", (PHONE,))
    shoot(till, "till-shelf-count-en")
    button(dialog, "till.shelves.save_count").click()
    box.post(f"/virtual/shelf/{SHELF}", {"value": grams_of(0)})
    box.post("/virtual/shelf/fridge-b1", {"value": 9_500})
    expect(dialog.get_by_text(words("till.shelves.empty", book="12", shelf="0"))).to_be_visible(
        timeout=15_000
    )
    warm = dialog.get_by_role("listitem").filter(has_text="9.5")
    expect(warm).to_be_visible(timeout=15_000)
    shoot(till, "till-shelf-tasks-en")
    inspector.look("shelves, tasks", (*SIZES, PHONE))

    button(warm, "till.cold.confirm").click()
    dialog.get_by_text(words("till.reason.cold.goods_moved"), exact=True).click()
    inspector.look("shelves, why", (PHONE,))
    button(dialog, "till.cold.confirm").click()
    expect(warm).to_contain_text(words("till.shelves.seen"))
    task = dialog.get_by_role("listitem").filter(has_text=words("till.shelves.todo_less"))
    button(task, "till.shelves.count").click()
    dialog.get_by_role("textbox").fill("1.5")
    till.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text(words("till.shelves.number_wrong"))
    dialog.get_by_role("textbox").fill("0")
    till.keyboard.press("Enter")
    expect(task).to_have_count(0)
    button(dialog, "common.close").click()
    expect(till.get_by_text(words("till.status.warm_one"))).to_be_visible()
    shoot(till, "till-shelf-alarm-en")
    inspector.look("a warm fridge in the strip", (*SIZES, PHONE))
    assert inspector.problems == []
