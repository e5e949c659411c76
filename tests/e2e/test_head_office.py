"""Head office at work beside prices: box settings, an item's picture, software, and a command."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from edge.fleet_settings import read_fleet
from tests.demo.chain import run_command
from tests.e2e.axe import Inspector
from tests.e2e.releases_page import PATIENCE_MS, ReleasesPage
from tests.e2e.shop import OATS, Shop
from tests.e2e.till_page import TillPage
from tests.e2e.waiting import until
from tests.e2e.windows import Windows, shoot

FIELD, SECONDS = "drawer.left_open_s", 95
WHEEL = "tillbox-9.9.9-py3-none-any.whl"


@pytest.fixture
def office(ready: Shop, windows: Windows) -> ReleasesPage:
    """The console, in English, with somebody signed in who may do everything."""
    state = ready.chain.state
    page = ReleasesPage(windows.open("en", width=1280, height=800), ready.chain.console_url)
    page.sign_in(state.console_user, state.console_password)
    return page


def test_settings_of_the_boxes_and_a_picture_reach_the_stores_with_a_release(
    ready: Shop, office: ReleasesPage, windows: Windows
) -> None:
    words, inspector = office.words, Inspector(office.page)
    office.go("console.masters.title")
    for tab in ("rounding", "logo", "box"):
        office.page.get_by_role("group").get_by_role(
            "button", name=words(f"console.masters.{tab}")
        ).click()
        office.button("console.masters.setting_new").click()
        inspector.look(f"masters {tab}", [(1280, 800)])
        shoot(office.page, f"console-masters-{tab}")
        if tab != "box":
            office.close_dialog()
    dialog = office.page.get_by_role("dialog")
    field = words("console.masters.field")
    dialog.get_by_role("combobox", name=field, exact=True).select_option(FIELD)
    shown_field = dialog.get_by_role("textbox", name=words(f"console.masters.field.{FIELD}"))
    shown_field.fill(str(SECONDS))
    office.button("console.masters.save").click()
    expect(dialog).to_have_count(0)
    expect(office.row(words(f"console.masters.field.{FIELD}"))).to_contain_text(str(SECONDS))
    shoot(office.page, "console-masters-box-row")

    office.go("console.catalogue.title")
    history = words("console.history.open_for", item=OATS.name)
    office.page.get_by_role("button", name=history).click(timeout=PATIENCE_MS)
    office.page.get_by_role("dialog").get_by_role("group").get_by_role(
        "button", name=words("console.item_facts.title")
    ).click()
    office.field("console.picture.choose").set_input_files(
        {"name": "oats.png", "mimeType": "image/png", "buffer": a_picture()}
    )
    shown = office.page.get_by_role("img", name=words("console.picture.of", name=OATS.name))
    expect(shown).to_be_visible()
    inspector.look("item with a picture", [(1280, 800)])
    shoot(office.page, "console-item-picture")
    office.close_dialog()

    office.go("console.releases.title")
    office.submit_at_once("settings and a picture")
    office.wait_for("done")
    folder = ready.north.box.folder
    until(lambda: read_fleet(folder) == {FIELD: SECONDS}, "the box to take what is set", 40)
    sees_the_picture(ready, windows)
    assert inspector.problems == []


def sees_the_picture(ready: Shop, windows: Windows) -> None:
    """A till that searches has the picture the second time at the latest."""
    till = TillPage(windows.open("en"), ready.north)
    till.open()
    till.sign_in()
    till.page.keyboard.press("F11")
    dialog = till.page.get_by_role("dialog")
    picture = dialog.locator("img")

    def is_there() -> bool:
        dialog.get_by_role("textbox").fill("")
        dialog.get_by_role("textbox").fill(OATS.name)
        expect(dialog.get_by_role("listitem").first).to_be_visible()
        return bool(picture.count() and picture.first.evaluate("img => img.naturalWidth > 0"))

    until(is_there, "the till to show the picture", 40)
    shoot(till.page, "till-search-picture")


def test_a_version_is_brought_to_the_stores_and_given_up(
    ready: Shop, office: ReleasesPage, tmp_path: Path
) -> None:
    (tmp_path / WHEEL).write_bytes(b"no box unpacks it: it is given up before its hours")
    env = ready.chain._cloud_env()
    run_command("tillbox-cloud", "software", "add", str(tmp_path), env=env)
    words = office.words
    office.go("console.software.title")
    row = office.row("9.9.9")
    row.get_by_role("button", name=words("console.software.publish_title", version="9.9.9")).click()
    dialog = office.page.get_by_role("dialog")
    never = datetime.now(UTC) + timedelta(hours=9)
    dialog.get_by_label(words("console.software.from"), exact=True).fill(f"{never:%H:00}")
    dialog.get_by_label(words("console.software.to"), exact=True).fill(f"{never:%H:30}")
    dialog.get_by_role("button", name=words("console.software.publish"), exact=True).click()
    expect(dialog).to_have_count(0)
    expect(
        office.page.get_by_text(words("console.software.state.rolling"), exact=True)
    ).to_be_visible()
    shoot(office.page, "console-software-rolling")
    office.button("console.software.cancel").click()
    dialog.get_by_label(words("console.software.reason")).fill("only a trial")
    dialog.get_by_role("button", name=words("console.software.cancel"), exact=True).click()
    expect(dialog).to_have_count(0)
    given_up = office.page.get_by_text(words("console.software.state.cancelled"), exact=True)
    expect(given_up).to_be_visible()


def test_a_box_is_told_to_send_its_logs_and_does(ready: Shop, office: ReleasesPage) -> None:
    words = office.words
    office.go("console.fleet.title")
    name = ready.north.box.store.name
    office.page.get_by_role("table").get_by_role("link", name=name).click()
    drawer = office.page.get_by_role("dialog")
    drawer.get_by_role("button", name=words("console.fleet.command_new")).click()
    asked = office.dialog("console.fleet.command_new")
    asked.get_by_label(words("console.fleet.command_reason")).fill("before the weekend")
    asked.locator("input[value=collect_logs]").check()
    send = words(
        "console.fleet.command_send", what=words("console.fleet.command.collect_logs"), count=1
    )
    asked.get_by_role("button", name=send).click()
    expect(asked).to_have_count(0)
    expect(drawer).to_contain_text("before the weekend")
    done = drawer.get_by_text(words("console.fleet.command_state.done"), exact=True)
    expect(done).to_be_visible(timeout=2 * PATIENCE_MS)
    shoot(office.page, "console-fleet-command")


def a_picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (300, 300), "#b5651d").save(file, "PNG")
    return file.getvalue()
