"""Operators: badges, first PINs, and what tills tell of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import orjson
import pytest
from argon2 import PasswordHasher

from cloud.db import Database
from cloud.identity.people import put_user
from cloud.staff.poster import UNREADABLE, StaffPoster
from cloud.staff.service import StaffRecords
from edge.staff.pins import sealed_for_office
from shared.staff.badge import parse_badge
from shared.staff.pin import hash_name
from tests.integration.cloud.test_places import problem, table
from tests.lab.cloud_api import CloudApi, SettableClock

AT_MS = 1_790_000_000_000
NOW_MS = SettableClock().now_ms() + 4 * 86_400_000
"""2026-11-22."""
_PINS = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
NEW_HASH = _PINS.hash("8042")
HUGE_HASH = NEW_HASH.replace("m=1024", "m=999999")


@pytest.fixture(scope="module", autouse=True)
def _stores(admin: httpx.Client) -> None:
    for store_id in ("s1", "s2"):
        body = {"name": f"Store {store_id}", "time_zone": "Asia/Shanghai", "currency": "CNY"}
        admin.put(f"/v1/stores/{store_id}", json=body).raise_for_status()


@pytest.fixture
def ann(admin: httpx.Client) -> str:
    body = {"name": "Ann", "role": "cashier", "pin": "4711", "store_ids": ["s1"]}
    admin.put("/v1/staff/4001", json=body | {"must_change": True}).raise_for_status()
    return "4001"


def shown(admin: httpx.Client, operator_id: str) -> dict[str, Any]:
    people = admin.get("/v1/staff").raise_for_status().json()["operators"]
    return dict(next(each for each in people if each["operator_id"] == operator_id))


def published(database: Database, operator_id: str, store_id: str = "s1") -> dict[str, Any]:
    """What the next release brings a store's box of an operator."""
    with database.begin() as connection:
        bodies = [
            scoped.record.body
            for scoped in StaffRecords().drafts(connection)
            if (scoped.record.key, scoped.scope) == (operator_id, f"store-{store_id}")
        ]
    assert len(bodies) == 1
    return dict(bodies[0] or {})


def told(
    database: Database, type_: str, data: Any, store_id: str = "s1", at_ms: int = AT_MS
) -> list[tuple[int, str]]:
    """A till's entry, posted as ingest does."""
    raw = msgspec.Raw(orjson.dumps(data))
    fact: Any = SimpleNamespace(id=str(uuid4()), type=type_, seq=7, at=at_ms, data=raw)
    post = StaffPoster(SettableClock(NOW_MS)).prepare(store_id, [fact])
    with database.begin() as connection:
        flags = list(post(connection).flags)
    with database.begin() as connection:  # a batch that is told again changes nothing
        post(connection)
    return flags


def test_a_first_pin_is_marked_and_a_lasting_one_is_not_weak(
    api: CloudApi, admin: httpx.Client, database: Database, ann: str
) -> None:
    body = published(database, ann)
    assert body["is_first_pin"] is True
    today = datetime.fromtimestamp(api.context.clock.now_ms() / 1000, UTC).date()
    assert body["pin_day"] == today.isoformat()
    weak = {"name": "Bo", "role": "cashier", "pin": "1234", "store_ids": ["s1"]}
    assert problem(admin.put("/v1/staff/4002", json=weak)) == (422, "pin.weak")
    assert admin.put("/v1/staff/4002", json=weak | {"must_change": True}).status_code == 204


def test_a_badge_is_told_once_and_kept_as_a_hash(
    admin: httpx.Client, database: Database, ann: str
) -> None:
    made = admin.post(f"/v1/staff/{ann}/badge", json={"reason": "new card"}).json()
    badge = parse_badge(published(database, ann)["badge"])
    assert badge is not None
    assert badge.is_of(made["code"])
    assert made["qr_side"] > 20
    assert shown(admin, ann)["has_badge"] is True
    events = admin.get("/v1/master-events", params={"kind": "staff", "subject": ann}).json()
    assert events["events"][0]["after"]["badge"] == "*"
    assert made["code"] not in str(events)
    assert badge.hash not in str(events)
    other = {"name": "Cy", "role": "cashier", "pin": "4711", "store_ids": ["s1"]}
    admin.put("/v1/staff/4003", json=other).raise_for_status()
    taken = admin.put("/v1/staff/4003/badge", json={"code": made["code"]})
    assert problem(taken) == (422, "badge.taken")
    assert admin.put(f"/v1/staff/{ann}/badge", json={"code": ""}).status_code == 204
    assert "badge" not in published(database, ann)
    assert problem(admin.put("/v1/staff/nobody/badge", json={"code": ""}))[1] == "staff.unknown"


def change(database: Database, operator_id: str, sealed_hash: str = NEW_HASH) -> dict[str, str]:
    with database.begin() as connection:
        rows = connection.exec_driver_sql(
            "SELECT pin_hash FROM staff WHERE operator_id = %s", (operator_id,)
        )
        old = str(rows.scalar_one())
    return {
        "operator": operator_id,
        "sealed": sealed_for_office(sealed_hash, old),
        "replaces": hash_name(old),
        "day": "2026-11-22",
    }


def test_a_pin_that_was_chosen_at_a_till_is_taken_over(
    admin: httpx.Client, database: Database, ann: str
) -> None:
    event = change(database, ann)
    assert told(database, "operator.pin_changed", event) == []
    body = published(database, ann)
    assert (body["pin_hash"], body["pin_day"]) == (NEW_HASH, "2026-11-22")
    assert "is_first_pin" not in body
    events = admin.get("/v1/master-events", params={"kind": "staff", "subject": ann}).json()
    assert (events["events"][0]["by"], events["events"][0]["after"]["pin"]) == ("Ann", "*")
    # What head office sets afterwards stays, however often a till tells the old story.
    body_set = {"name": "Ann", "role": "cashier", "pin": "6173", "store_ids": ["s1"]}
    admin.put(f"/v1/staff/{ann}", json=body_set).raise_for_status()
    after = published(database, ann)["pin_hash"]
    told(database, "operator.pin_changed", event)
    assert published(database, ann)["pin_hash"] == after


@pytest.mark.parametrize("day", ["9999-12-31", "2027-01-01", "", "yesterday"])
def test_a_till_dates_no_pin_later_than_now(database: Database, ann: str, day: str) -> None:
    """Else a box could give a PIN that never runs out."""
    told(database, "operator.pin_changed", change(database, ann) | {"day": day})
    today = datetime.fromtimestamp(NOW_MS / 1000, UTC).date()
    assert today <= date.fromisoformat(published(database, ann)["pin_day"]) <= today + timedelta(1)


@pytest.mark.parametrize("why", ["another store", "forged", "a hash that no till could check"])
def test_a_till_changes_no_pin_but_those_of_its_own_people(
    database: Database, ann: str, why: str
) -> None:
    before = published(database, ann)["pin_hash"]
    event, store_id = change(database, ann), "s1"
    if why == "another store":
        store_id = "s2"
    elif why == "forged":
        event["sealed"] = "00" * 80
    else:
        event = change(database, ann, HUGE_HASH)
    assert told(database, "operator.pin_changed", event, store_id) == []
    assert published(database, ann)["pin_hash"] == before


def test_head_office_sees_who_was_there_and_whose_pin_is_guessed_at(
    admin: httpx.Client, database: Database, ann: str
) -> None:
    told(database, "operator.signed_on", {"lane": 1, "operator": ann})
    told(database, "operator.pin_guessed", {"lane": 0, "operator": ann, "tries": 10, "wait_s": 640})
    row = shown(admin, ann)
    assert (row["last_at_ms"], row["last_store_id"]) == (AT_MS, "s1")
    assert (row["guessed_at_ms"], row["guessed_tries"]) == (AT_MS, 10)
    assert any(each["operator_id"] == ann for each in table(admin, "/v1/staff.csv"))
    late = {"lane": 1, "operator": ann}
    told(database, "operator.signed_on", late, at_ms=(1 << 53) - 1)
    assert shown(admin, ann)["last_at_ms"] == NOW_MS, "nobody was at work later than now"


@pytest.mark.parametrize("data", [{}, {"operator": 5}, [], "x", {"operator": "4001", "tries": "x"}])
def test_what_cannot_be_read_is_flagged_and_stops_nothing(database: Database, data: Any) -> None:
    assert told(database, "operator.pin_guessed", data) == [(7, UNREADABLE)]


def test_an_open_console_that_nobody_has_proved_themselves_at_changes_no_people(
    api: CloudApi, database: Database, ann: str
) -> None:
    put_user(
        database, name="lunch", display_name="", role="admin", password="seven lanterns over it"
    )
    away = api.stranger()
    away.headers["X-Tillbox"] = "1"
    body = {"user": "lunch", "password": "seven lanterns over it", "code": ""}
    away.post("/v1/session", json=body).raise_for_status()
    with database.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE app_session SET confirmed_at_ms = 0 WHERE user_name = 'lunch'"
        )
    put = {"name": "Ann", "role": "manager", "pin": "8042", "store_ids": ["s1", "s2"]}
    for answer in (
        away.put(f"/v1/staff/{ann}", json=put),
        away.post(f"/v1/staff/{ann}/badge", json={}),
        away.put(f"/v1/staff/{ann}/badge", json={"code": ""}),
    ):
        assert problem(answer) == (403, "session.confirm")
    assert published(database, ann)["role"] == "cashier"
