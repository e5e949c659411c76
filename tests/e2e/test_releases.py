"""A price change goes its whole way in the browser: by two people, in two waves, and back."""

from __future__ import annotations

from datetime import timedelta

from playwright.sync_api import Locator, expect

from tests.demo.chain import run_command
from tests.e2e.axe import Inspector
from tests.e2e.releases_page import PATIENCE_MS, ReleasesPage
from tests.e2e.shop import Shop, good, today
from tests.e2e.texts import money
from tests.e2e.till_page import TillPage
from tests.e2e.windows import Windows, shoot

APPROVER, APPROVER_PASSWORD = "boris", "an-approver's-password"
BATTERY = good(1007, 549)
CHEAP = 299
NOTE, HALTED_FOR, BACK_FOR = "Batteries, first winter price", "wrong file", "back to the old price"
A_WEEK_MIN = 7 * 24 * 60


def a_price_file(shop: Shop, price: int) -> dict[str, object]:
    rows = [
        f"{store.store_id},{BATTERY.code},2024-03-06 00:00:00,{price},{price}"
        for store in shop.stores
    ]
    header = "store_id,ean13,effective_at,regular_price_cents,member_price_cents"
    data = "\n".join([header, *rows, ""]).encode()
    return {"name": "batteries.csv", "mimeType": "text/csv", "buffer": data}


def test_a_price_change_is_imported_approved_scheduled_watched_halted_and_rolled_back(
    ready: Shop, windows: Windows
) -> None:
    add_user = ("user", "add", APPROVER, "--role", "approver", "--password-stdin")
    env = ready.chain._cloud_env()
    run_command("tillbox-cloud", *add_user, env=env, stdin=APPROVER_PASSWORD)
    url = ready.chain.console_url
    buyer = ReleasesPage(windows.open("en", width=1280, height=800), url)
    inspector = Inspector(buyer.page)
    buyer.sign_in()

    import_prices(buyer, ready, CHEAP)
    look_at_preview(buyer, ready, inspector)
    hand_in(buyer, ready, inspector)
    till = TillPage(windows.open("en"), ready.north)
    till.open()
    till.sign_in()
    approver = ReleasesPage(windows.open("zh-CN", width=1280, height=800), url)
    approve(approver, buyer)
    go_on_without_a_sale(approver)

    watch(buyer, ready, inspector)
    till.scan(BATTERY)
    till.is_due(CHEAP)
    till.button("till.undo").click()

    buyer.page.go_back()
    buyer.act("halt", HALTED_FOR)
    buyer.wait_for("halted")
    buyer.act("roll_back", BACK_FOR)
    buyer.wait_for("rolled_back")
    for reason in (NOTE, HALTED_FOR, BACK_FOR):
        expect(buyer.page.get_by_role("main")).to_contain_text(reason)
    shoot(buyer.page, "console-release-back")
    till.scan(BATTERY)
    till.is_due(BATTERY.price)
    correct(buyer, ready)
    assert inspector.problems == []


def correct(page: ReleasesPage, shop: Shop) -> None:
    """The changes wait again; corrected they move no price, so their buyer may send them."""
    import_prices(page, shop, BATTERY.price)
    expect(page.page.get_by_text(page.words("console.releases.within_limits"))).to_be_visible()
    page.submit_at_once("corrected")
    page.wait_for("done")


def import_prices(page: ReleasesPage, shop: Shop, price: int) -> None:
    page.open("/import?kind=prices")
    # Playwright takes the dict as a file's payload.
    page.page.locator('input[type="file"]').set_input_files(a_price_file(shop, price))  # type: ignore[arg-type]
    page.button("console.import.send").click()
    expect(page.row(BATTERY.code).first).to_contain_text(f"{price / 100:.2f}")
    page.button("console.import.apply", count=2, shown=2).click()
    page.page.get_by_role("main").get_by_role(
        "link", name=page.words("console.catalogue.review")
    ).click()


def look_at_preview(page: ReleasesPage, shop: Shop, inspector: Inspector) -> None:
    """A large move: the page says that somebody else has to look."""
    moves = page.page.get_by_role("table", name=page.words("console.releases.moves"))
    north = moves.get_by_role("row").filter(has_text=shop.north.box.store.name)
    expect(north).to_contain_text(BATTERY.name)
    expect(north).to_contain_text(money(BATTERY.price))
    expect(north).to_contain_text(money(CHEAP))
    expect(page.page.get_by_text(page.words("console.releases.second_person"))).to_be_visible()
    inspector.look("draft of a release")
    shoot(page.page, "console-release-draft")


def hand_in(page: ReleasesPage, shop: Shop, inspector: Inspector) -> None:
    """The northern store sells by it at once, the other one from tomorrow on."""
    dialog = page.begin_to_submit()
    words = page.words
    expect(dialog.get_by_label(words("console.releases.plan_once"))).to_be_disabled()
    dialog.get_by_label(words("console.publish.note")).fill(NOTE)
    dialog.get_by_label(words("console.releases.starts_later")).check()
    tomorrow = today() + timedelta(days=1)
    dialog.get_by_label(words("console.releases.starts_local")).fill(f"{tomorrow}T00:00")
    dialog.get_by_label(words("console.releases.plan_own")).check()
    for wave in ("10 %", "50 %"):
        buttons(dialog, words("console.releases.remove_wave", wave=wave)).click()
    canary = words("console.releases.wave_name.canary")
    dialog.get_by_label(words("console.releases.by_of", wave=canary)).select_option("stores")
    fields = {
        "stores_of": shop.north.store_id,
        "soak_min_of": "0",
        "offset_min_of": str(-A_WEEK_MIN),
    }
    for key, value in fields.items():
        dialog.get_by_label(words(f"console.releases.{key}", wave=canary)).fill(value)
    inspector.look("submit a release")
    shoot(page.page, "console-release-submit")
    dialog.get_by_role("button", name=words("console.releases.send_review")).click()
    page.wait_for("review")
    expect(page.button("console.releases.verb.approve")).to_have_count(0)


def buttons(inside: Locator, name: str) -> Locator:
    return inside.get_by_role("button", name=name, exact=True)


def approve(page: ReleasesPage, creator: ReleasesPage) -> None:
    page.sign_in(APPROVER, APPROVER_PASSWORD)
    page.go("console.releases.title")
    page.row(page.words("console.releases.state.review")).get_by_role("link", name=NOTE).click()
    shoot(page.page, "console-release-review-zh")
    page.act("approve")
    # The creator's page, which was open all the time, hears of it.
    creator.wait_for("rolling")


def go_on_without_a_sale(page: ReleasesPage) -> None:
    """Nobody has bought anything by it: the release says so, and a person lets it go on."""
    page.wait_until_it_waits("evidence")
    shoot(page.page, "console-release-evidence-zh")
    page.act("advance")


def watch(page: ReleasesPage, shop: Shop, inspector: Inspector) -> None:
    """The first store has come all the way, the second holds it for its instant."""
    north, south = (store.box.store.name for store in shop.stores)
    for store, state in ((north, "shown"), (south, "stored")):
        said = page.words(f"console.releases.store_state.{state}")
        expect(page.store_row(store)).to_contain_text(said, timeout=PATIENCE_MS)
    inspector.look("release under way")
    shoot(page.page, "console-release-rolling")
    page.go("console.convergence.title")
    expect(page.row(north, page.words("console.state.current"))).to_be_visible()
    staged = page.row(south, page.words("console.state.staged"))
    expect(staged).to_contain_text(page.words.like("console.convergence.starts"))
    shoot(page.page, "console-convergence-staged")
    prove_price(page, shop, inspector)


def prove_price(page: ReleasesPage, shop: Shop, inspector: Inspector) -> None:
    """Headquarters and the box of the store say the same of an item, and why."""
    north = shop.north.box.store.name
    page.page.get_by_role("button", name=page.words("console.proof.open_for", store=north)).click()
    dialog = page.dialog("console.proof.title")
    dialog.get_by_label(page.words("console.proof.item")).fill(BATTERY.code)
    dialog.get_by_role("button", name=BATTERY.name).click()
    expect(dialog).to_contain_text(page.words("console.proof.equal"), timeout=PATIENCE_MS)
    for key in ("console.proof.cloud", "console.proof.box"):
        side = dialog.get_by_role("region", name=page.words(key))
        expect(side).to_contain_text(money(CHEAP))
        expect(side).to_contain_text(page.words("console.proof.level.store"))
    inspector.look("what an item costs")
    shoot(page.page, "console-proof")
    page.close_dialog()
