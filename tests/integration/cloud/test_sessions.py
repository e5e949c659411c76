"""Signing in, staying in, being kept out."""

from __future__ import annotations

import httpx
import pytest

from cloud.identity.role import ROLES
from cloud.identity.session_store import HOUR_MS, USER_LIMITS
from tests.lab.cloud_api import PASSWORD, CloudApi, SettableClock


def sign_in(client: httpx.Client, password: str = PASSWORD, user: str = "admin") -> httpx.Response:
    return client.post("/v1/session", json={"user": user, "password": password})


def test_a_browser_signs_in_by_cookie_and_out_again(api: CloudApi, admin: httpx.Client) -> None:
    browser = api.stranger()
    answer = sign_in(browser)
    assert answer.json()["role"] == "admin"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert browser.get("/v1/session").json()["user"] == "admin"
    assert browser.delete("/v1/session", headers={"X-Tillbox": "1"}).status_code == 204
    browser.cookies.set("tb_console", answer.json()["token"])
    assert browser.get("/v1/session").json()["code"] == "session.required"


def test_a_foreign_page_cannot_act_with_the_cookie(api: CloudApi, admin: httpx.Client) -> None:
    browser = api.stranger()
    sign_in(browser)
    refused = browser.post("/v1/publications", json={})
    assert (refused.status_code, refused.json()["code"]) == (403, "session.csrf")
    passed = browser.post("/v1/publications", json={}, headers={"X-Tillbox": "1"})
    assert passed.json()["code"] == "publication.nothing"


def test_a_session_ends_by_itself(api: CloudApi, admin: httpx.Client) -> None:
    clock = api.clock
    assert isinstance(clock, SettableClock)
    client = api.stranger()
    sign_in(client)
    clock.at_ms += 12 * HOUR_MS
    assert client.get("/v1/session").status_code == 401
    clock.at_ms -= 12 * HOUR_MS


def test_guessing_is_slowed_down_also_for_users_who_do_not_exist(
    api: CloudApi, admin: httpx.Client
) -> None:
    clock = api.clock
    assert isinstance(clock, SettableClock)
    client = api.stranger()
    for user in ("admin", "nobody"):
        for _ in range(USER_LIMITS[0].tries):
            assert sign_in(client, "wrong", user).json()["code"] == "session.wrong_password"
        answer = sign_in(client, PASSWORD, user)
        assert (answer.status_code, answer.json()["code"]) == (429, "session.too_many_tries")
        assert int(answer.headers["retry-after"]) > 0
    clock.at_ms += USER_LIMITS[0].window_ms
    assert sign_in(client).status_code == 200


@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_role_may_do_what_its_permissions_say(api: CloudApi, role: str) -> None:
    client = api.client(role)
    asked = {
        "item.read": client.get("/v1/items"),
        "item.write": client.post("/v1/items/import", content=b""),
        "price.write": client.post("/v1/prices/import", content=b""),
        "publication.publish": client.post("/v1/publications", json={}),
        "release.approve": client.post("/v1/releases/0/approve", json={}),
        "release.policy": client.put("/v1/release-policy", json={}),
        "config.write": client.put("/v1/settings", json={}),
        "fleet.read": client.get("/v1/fleet/boxes"),
        "fleet.command": client.post("/v1/fleet/commands", json={}),
        "fleet.alert": client.post("/v1/fleet/alerts/acknowledge", json={}),
        "software.publish": client.post("/v1/software/rollouts", json={}),
        "fleet.enrol": client.post("/v1/claims", json={"store_id": "none"}),
        "staff.write": client.get("/v1/staff"),
        "store.write": client.put(
            "/v1/stores/_", json={"name": " ", "time_zone": "UTC", "currency": "EUR"}
        ),
        "report.read": client.get("/v1/reports/live"),
        "export.read": client.get("/v1/export/entries.jsonl?from=2026-01-01&to=2026-01-01"),
        "work.read": client.get("/v1/work-items"),
        "work.write": client.post("/v1/work-items/none/done", json={"reason": "x"}),
        "user.read": client.get("/v1/users"),
        "user.write": client.delete("/v1/users/nobody/sessions"),
        "audit.read": client.get("/v1/audit"),
        "member.read": client.get("/v1/members"),
        "member.change": client.put("/v1/members/none", json={}),
        "member.see_personal": client.post("/v1/members/none/personal", json={}),
        "member.export": client.post("/v1/members/none/export", json={}),
        "member.erase": client.post("/v1/members/none/erase", json={}),
    }
    allowed = {name for name, answer in asked.items() if answer.status_code != 403}
    assert allowed == set(client.get("/v1/session").json()["permissions"]) == ROLES[role]


def test_every_error_is_a_problem(api: CloudApi, admin: httpx.Client) -> None:
    for answer in (
        admin.get("/v1/none"),
        admin.post("/v1/items", json={}),
        admin.post("/v1/session", content=b"{"),
        admin.get("/v1/items", params={"page": "0"}),
        admin.get("/v1/items", params={"q": "x" * 101}),
        api.stranger().get("/v1/items"),
    ):
        body = answer.json()
        assert answer.headers["content-type"] == "application/problem+json"
        assert body["status"] == answer.status_code
        assert {"type", "title", "code", "params", "detail"} <= set(body)


def test_health_and_counters_are_public(api: CloudApi) -> None:
    stranger = api.stranger()
    assert stranger.get("/healthz").json() == {"status": "ok"}
    counters = stranger.get("/metrics").text
    assert 'tillbox_http_requests_total{method="GET",route="/healthz",status="200"}' in counters
    headers = stranger.get("/healthz").headers
    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert "strict-transport-security" not in headers  # this one speaks plain HTTP
    assert stranger.get("/openapi.json").json()["openapi"].startswith("3.")
