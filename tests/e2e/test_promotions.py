"""Promotions at head office: a file is tried, corrected, kept, published and ended."""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.sync_api import Route, expect

from tests.e2e.axe import Inspector
from tests.e2e.releases_page import ReleasesPage
from tests.e2e.shop import Shop
from tests.e2e.windows import Windows, shoot

ALL = {"all": True}
# Everything asks for a coupon: the chain is every test's, and sells on.
COUPON = "E2E-2026"
OFFERS: tuple[dict[str, Any], ...] = (
    {
        "id": "spend-100-less-20",
        "name": {"zh-CN": "满100减20", "zh-TW": "滿100減20", "en": "20 off from 100"},
        "level": "basket",
        "target": ALL,
        "when": [{"type": "min_spend", "scope": ALL, "amount": "100.00"}],
        "reward": {"type": "amount_off", "amount": "20.00"},
        "coupon": COUPON,
        "valid": {"from": "2017-08-01T00:00:00", "to": "2017-09-01T00:00:00"},
    },
    {
        "id": "second-half",
        "name": {"zh-CN": "第二件半价", "zh-TW": "第二件半價", "en": "Second piece half price"},
        "level": "line",
        "target": {"category": ["NOODLES"]},
        "reward": {"type": "nth_unit", "n": 2, "bp": 5000},
        "coupon": COUPON,
        "valid": {"weekdays": [6, 7], "daily": [["18:00", "22:00"]]},
    },
    {
        "id": "weekend-tiers",
        "name": "阶梯满减",
        "level": "basket",
        "target": ALL,
        "reward": {
            "type": "tiers",
            "by": "spend",
            "steps": [{"at": 10_000, "amount": 1000}, {"at": 20_000, "amount": 3000}],
        },
        "coupon": COUPON,
    },
)


def a_file(*offers: dict[str, Any]) -> dict[str, Any]:
    document = {"format": "tillbox-offers/1", "offers": list(offers)}
    data = json.dumps(document, ensure_ascii=False).encode()
    return {"name": "offers.json", "mimeType": "application/json", "buffer": data}


class PromotionsPage(ReleasesPage):
    """The console's page of promotions."""

    def choose(self, *offers: dict[str, Any]) -> None:
        """Choose a file of these offers."""
        # Playwright takes the dict as a file's payload.
        chooser = self.page.locator('input[type="file"]')
        chooser.set_input_files(a_file(*offers))  # type: ignore[arg-type]


def show_no_offers(route: Route) -> None:
    """Answer as a chain that never had an offer: this one's keeps the ended ones of other tests."""
    answer = route.fetch()
    route.fulfill(response=answer, json=answer.json() | {"offers": [], "total": 0})


def test_a_chain_without_promotions_says_how_to_begin(ready: Shop, windows: Windows) -> None:
    page = PromotionsPage(windows.open("zh-CN", width=1280, height=800), ready.chain.console_url)
    page.page.route(re.compile(r"/v1/offers(\?|$)"), show_no_offers)
    page.sign_in()
    page.go("console.promotions.title")
    expect(page.page.get_by_text(page.words("console.promotions.empty_text"))).to_be_visible()


def test_a_file_of_promotions_is_tried_kept_published_and_ended(
    ready: Shop, windows: Windows
) -> None:
    page = PromotionsPage(windows.open("zh-CN", width=1280, height=800), ready.chain.console_url)
    inspector = Inspector(page.page)
    page.sign_in()
    page.go("console.promotions.title")
    wrong = OFFERS[0] | {"level": "bascet", "reward": {"type": "amount_off", "amount": 19.9}}
    page.choose(wrong)
    expect(page.row("offers[0].level")).to_contain_text("basket")
    inspector.look("promotions, errors")
    shoot(page.page, "console-promotions-errors")

    page.choose(*OFFERS)
    confirm = page.button("console.promotions.upload.confirm", count=3)
    expect(confirm).to_be_visible()
    expect(page.row("满100减20")).to_contain_text("满 $100，减 $20")
    expect(page.page.get_by_text(page.words.like("offer.lint.over"))).to_be_visible()
    inspector.look("promotions, changes")
    shoot(page.page, "console-promotions-diff")
    confirm.click()
    draft = page.words("console.promotions.state.draft")
    expect(page.row("second-half")).to_contain_text(draft)

    publish(page, offers=3)
    page.go("console.promotions.title")
    active = page.words("console.promotions.state.active")
    expect(page.row("second-half")).to_contain_text(active)

    page.choose(OFFERS[0] | {"reward": {"type": "amount_off", "amount": "25.00"}})
    expect(page.page.locator("del")).to_contain_text("$20")
    shoot(page.page, "console-promotions-changed")
    page.button("console.promotions.upload.confirm", count=1).click()
    expect(page.row("spend-100-less-20")).to_contain_text(draft)
    inspector.look("promotions")
    shoot(page.page, "console-promotions")
    look_at_history(page, inspector)
    end_all(page)
    publish(page, offers=3)
    assert inspector.problems == []


def look_at_history(page: PromotionsPage, inspector: Inspector) -> None:
    history = page.words("console.promotions.history_for", name="满100减20")
    page.page.get_by_role("button", name=history).click()
    versions = page.page.get_by_role("dialog").get_by_role("listitem")
    expect(versions).to_have_count(2)
    inspector.look("promotions, history")
    shoot(page.page, "console-promotions-history")
    page.close_dialog()


def end_all(page: PromotionsPage) -> None:
    """End one by hand, the others by a file that names none."""
    page.page.get_by_role(
        "button", name=page.words("console.promotions.end_for", name="阶梯满减")
    ).click()
    dialog = page.dialog("console.promotions.end_title")
    dialog.get_by_label(page.words("console.promotions.end_reason")).fill("演示结束")
    shoot(page.page, "console-promotions-end")
    dialog.get_by_role("button", name=page.words("console.promotions.end"), exact=True).click()
    ending = page.words("console.promotions.state.ending")
    expect(page.row("weekend-tiers")).to_contain_text(ending)
    page.choose()
    expect(page.page.get_by_text(page.words("console.promotions.upload.same"))).to_be_visible()
    page.field("console.promotions.upload.replace").check()
    page.button("console.promotions.upload.confirm", count=2).click()
    expect(page.row("second-half")).to_contain_text(ending)


def publish(page: PromotionsPage, *, offers: int) -> None:
    """Publish from the page that the promotions' page leads to."""
    page.go("console.releases.title")
    stat = page.page.locator(".stat").filter(has_text=page.words("console.kind.offer"))
    # An offer is one record for each of the two stores.
    expect(stat).to_contain_text(str(2 * offers))
    shoot(page.page, "console-promotions-release")
    page.submit_at_once()
    page.wait_for("done")
    page.go("console.releases.title")
    expect(page.page.get_by_text(page.words("console.publish.nothing_text"))).to_be_visible()
