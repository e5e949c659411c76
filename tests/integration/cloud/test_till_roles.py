"""Roles of the tills: dated, on four levels, with a right of their own, on their way to the box."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from cloud.place.setting import ConfigRecords
from shared.config.dated import setting_at
from shared.kernel.wall_clock import instant_ms
from shared.staff.role import Ceiling, Grant, parse_role
from tests.integration.cloud.test_places import problem, table
from tests.lab.cloud_api import CloudApi

ZONE = ZoneInfo("Asia/Shanghai")
LENIENT = {"grants": {"drawer.no_sale": "allowed"}, "ceilings": {"drawer.no_sale": {"times": 2}}}


@pytest.fixture(scope="module", autouse=True)
def _a_store(admin: httpx.Client) -> None:
    body = {"name": "Store r1", "time_zone": "Asia/Shanghai", "currency": "CNY"}
    admin.put("/v1/stores/r1", json=body).raise_for_status()


def put(client: httpx.Client, role: str, value: Any, **more: str) -> httpx.Response:
    return client.put(f"/v1/till-roles/{role}", json={"value": value, "reason": "test", **more})


def test_what_is_built_in_stands_until_somebody_says_otherwise(admin: httpx.Client) -> None:
    found = admin.get("/v1/till-roles").raise_for_status().json()
    built_in = {row["role_id"]: row for row in found["roles"] if row["is_built_in"]}
    assert set(built_in) >= {"manager", "area_manager"}
    assert built_in["manager"]["value"]["grants"]["day.close"] == "allowed"
    rights = {row["permission"]: row for row in found["rights"]}
    assert rights["drawer.no_sale"] == {
        "permission": "drawer.no_sale",
        "is_approvable": True,
        "measures": ["times"],
    }


def test_a_role_goes_out_dated_and_reads_as_it_was_meant(
    api: CloudApi, admin: httpx.Client
) -> None:
    assert put(admin, "cashier", LENIENT, place="r1").json() == {"changed": 1}
    assert put(admin, "cashier", LENIENT, place="r1").json() == {"changed": 0}
    denied = {"grants": {"drawer.no_sale": "denied"}}
    put(admin, "cashier", denied, place="r1", from_local="2026-12-01T00:00").raise_for_status()
    with api.context.database.begin() as connection:
        bodies = {
            scoped.record.key: scoped.record.body
            for scoped in ConfigRecords().drafts(connection)
            if scoped.scope == "store-r1"
        }

    def grant(at: str) -> Grant:
        found = setting_at("role/cashier", bodies.get, instant_ms(at, ZONE), ZONE)
        assert found is not None
        return parse_role("cashier", found.value).grant("drawer.no_sale")

    assert grant("2026-11-30T23:59") is Grant.ALLOWED
    assert grant("2026-12-01T00:00") is Grant.DENIED
    history = admin.get("/v1/till-roles/history", params={"role_id": "cashier"}).json()["roles"]
    assert [row["from_local"] for row in history] == ["2026-12-01T00:00", ""]
    assert {row["created_by"] for row in history} == {"admin"}
    assert len(table(admin, "/v1/till-roles/history.csv")) == 2


def test_an_own_role_can_be_given_to_people_once_it_is_there(admin: httpx.Client) -> None:
    ann = {"name": "Ann", "role": "trainee", "pin": "4711", "store_ids": ["r1"]}
    assert problem(admin.put("/v1/staff/3001", json=ann)) == (422, "staff.role")
    value = {"names": {"en": "Trainee"}, "grants": {"sale.operate": "allowed"}}
    put(admin, "trainee", value).raise_for_status()
    assert admin.put("/v1/staff/3001", json=ann).status_code == 204
    row = next(r for r in admin.get("/v1/till-roles").json()["roles"] if r["role_id"] == "trainee")
    assert row["value"]["grants"]["day.close"] == "denied"
    assert parse_role("trainee", row["value"]).ceiling("sale.override") == Ceiling()
    assert any(row["role_id"] == "trainee" for row in table(admin, "/v1/till-roles/all.csv"))


@pytest.mark.parametrize(
    ("role", "value", "code"),
    [
        ("cashier", {"grants": {"sale.operate": "approval"}}, "role.value"),
        ("Cashier!", {}, "role.id"),
        ("cashier", {"ceilings": {"day.close": {"times": 1}}}, "role.value"),
    ],
)
def test_what_no_till_would_understand_is_refused(
    admin: httpx.Client, role: str, value: Any, code: str
) -> None:
    assert problem(put(admin, role, value)) == (422, code)


def test_roles_are_not_among_the_settings_that_others_may_change(admin: httpx.Client) -> None:
    put(admin, "cashier", LENIENT, place="r1").raise_for_status()
    names = {row["name"] for row in admin.get("/v1/settings").json()["settings"]}
    assert not any(name.startswith("role/") for name in names)
    body = {"place": "chain", "name": "role/cashier", "value": LENIENT, "reason": ""}
    assert problem(admin.put("/v1/settings", json=body)) == (422, "config.name")
