"""Second factors, invitations, roles and the audit log, as people at headquarters meet them."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from cloud.clock import SystemClock
from cloud.identity.people import put_user
from cloud.identity.totp import STEP_MS, code_at
from tests.e2e.axe import Inspector
from tests.e2e.console_page import ConsolePage
from tests.e2e.windows import Windows, shoot
from tests.lab.cloud_api import CloudApi

PASSWORD = "seven lanterns over the harbour"
WIDE = ((1280, 800),)


@pytest.fixture(scope="module")
def api(migrated_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudApi]:
    folder = tmp_path_factory.mktemp("accounts")
    changed = {"require_totp": True}
    running = CloudApi(migrated_url, folder, SystemClock(), changed=changed).start()
    yield running
    running.stop()


def code_for(secret: str) -> str:
    padded = secret + "=" * (-len(secret) % 8)
    return code_at(base64.b32decode(padded), SystemClock().now_ms() // STEP_MS)


def enrol(page: ConsolePage, inspector: Inspector) -> str:
    """Set up the second factor that the role needs; the secret."""
    heading = page.page.get_by_role("heading", name=page.words("console.totp.title"))
    expect(heading).to_be_visible()
    secret = page.field("console.totp.secret").input_value()
    inspector.look("enrol", sizes=WIDE)
    shoot(page.page, "accounts-enrol")
    page.field("console.totp.code").fill(code_for(secret))
    page.button("console.totp.go").click()
    expect(page.page.get_by_role("listitem").locator("code")).to_have_count(10)
    shoot(page.page, "accounts-codes")
    page.button("console.totp.codes_kept").click()
    return secret


def invite(root: ConsolePage, inspector: Inspector) -> str:
    """Invite Zoe; the link that the administrator hands on where no mail can be sent."""
    root.button("console.people.invite").click()
    dialog = root.dialog("console.people.invite")
    dialog.get_by_label(root.words("console.sign_in.user"), exact=True).fill("zoe")
    dialog.get_by_label(root.words("console.people.name"), exact=True).fill("Zoe")
    shoot(root.page, "accounts-invite")
    dialog.get_by_role("button", name=root.words("console.people.invite")).click()
    link = root.field("console.people.link").input_value()
    dialog.get_by_role("button", name=root.words("common.close")).last.click()
    expect(root.row("zoe", root.words("console.people.state_invited"))).to_be_visible()
    shoot(root.page, "accounts-users")
    return link


def accept(zoe: ConsolePage, link: str) -> None:
    """Choose a password by the link and sign in with it."""
    zoe.page.goto(link)
    expect(zoe.field("console.password.again")).to_be_visible()
    assert "#" not in zoe.page.url
    zoe.page.get_by_label(zoe.words("console.password.new"), exact=True).fill(PASSWORD)
    zoe.field("console.password.again").fill(PASSWORD)
    shoot(zoe.page, "accounts-reset")
    zoe.button("console.password.save").click()
    expect(zoe.page.get_by_text(zoe.words("console.reset.done"))).to_be_visible()
    zoe.button("console.sign_in.back").click()
    zoe.sign_in("zoe", PASSWORD)


def make_role(root: ConsolePage, inspector: Inspector) -> None:
    """Add a role of the chain's own."""
    root.page.get_by_role("button", name=root.words("console.people.roles")).click()
    root.button("console.people.role_new").click()
    form = root.dialog("console.people.role_new")
    form.get_by_label(root.words("console.people.role_id"), exact=True).fill("night")
    form.get_by_label(root.words("console.people.role_label"), exact=True).fill("Night watch")
    form.get_by_label(root.words("console.permission.report.read")).check()
    shoot(root.page, "accounts-role")
    form.get_by_role("button", name=root.words("common.save")).click()
    expect(root.page.get_by_role("columnheader", name="Night watch")).to_be_visible()
    inspector.look("roles", sizes=WIDE)
    shoot(root.page, "accounts-roles")


def test_an_administrator_sets_up_a_second_factor_and_invites_somebody(
    api: CloudApi, windows: Windows
) -> None:
    put_user(
        api.context.database, name="root", display_name="Ruth", role="admin", password=PASSWORD
    )
    root = ConsolePage(windows.open("en", width=1280, height=800), api.url)
    inspector = Inspector(root.page)
    root.open()
    shoot(root.page, "accounts-sign-in")
    give_password(root, "root")
    enrol(root, inspector)
    root.go("console.people.title")
    link = invite(root, inspector)
    accept(ConsolePage(windows.open("zh-CN", width=1280, height=800), api.url), link)
    make_role(root, inspector)

    root.go("console.audit.title")
    expect(root.row("root", root.words("console.act.role.changed"), "night")).to_be_visible()
    inspector.look("audit", sizes=WIDE)
    shoot(root.page, "accounts-audit")
    root.open("/account")
    expect(root.page.get_by_text(root.words("console.account.this_one"))).to_be_visible()
    inspector.look("account", sizes=WIDE)
    shoot(root.page, "accounts-account")
    assert inspector.problems == []


def give_password(page: ConsolePage, user: str) -> None:
    page.field("console.sign_in.user").fill(user)
    page.field("console.sign_in.password").fill(PASSWORD)
    page.button("common.sign_in").click()


def test_a_second_sign_in_asks_for_the_code(api: CloudApi, windows: Windows) -> None:
    put_user(api.context.database, name="ina", display_name="Ina", role="it", password=PASSWORD)
    page = ConsolePage(windows.open("en", width=1280, height=800), api.url)
    page.open()
    give_password(page, "ina")
    expect(page.field("console.totp.secret")).to_be_visible()
    secret = page.field("console.totp.secret").input_value()
    page.field("console.totp.code").fill(code_for(secret))
    page.button("console.totp.go").click()
    recovery = page.page.get_by_role("listitem").locator("code").first.inner_text()

    other = ConsolePage(windows.open("en", width=1280, height=800), api.url)
    other.open()
    give_password(other, "ina")
    field = other.page.get_by_label(other.words("console.sign_in.code"), exact=True)
    field.fill("000000")
    shoot(other.page, "accounts-code")
    other.button("common.sign_in").click()
    expect(other.page.get_by_role("alert")).to_contain_text(other.words("error.session.wrong_code"))
    field.fill(recovery)
    other.button("common.sign_in").click()
    expect(other.navigation).to_be_visible()
