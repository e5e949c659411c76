"""Zones, groups and categories, and what head office sets up for tills, with its history."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from cloud.db import Database
from cloud.place.setting import ConfigRecords
from cloud.price.service import PriceRecords
from cloud.staff.service import StaffRecords
from shared.publication.manifest import pieces_needed
from tests.builders import a_gtin
from tests.integration.cloud.publications import apply, boxed, head_of, publish_all
from tests.lab.cloud_api import CloudApi

FOOD_9, FOOD_13 = {"rate_bp": 900}, {"rate_bp": 1300}
CASH_ONLY = {"tenders": ["cash"]}
_releases = itertools.count(900_001)


@pytest.fixture(scope="module", autouse=True)
def _three_stores(admin: httpx.Client) -> None:
    for store_id in ("p1", "p2", "p3"):
        body = {"name": f"Store {store_id}", "time_zone": "Asia/Shanghai", "currency": "CNY"}
        admin.put(f"/v1/stores/{store_id}", json=body).raise_for_status()


@pytest.fixture(autouse=True)
def _no_drafts(database: Database) -> Iterator[None]:
    yield
    taken(database)


def taken(database: Database) -> dict[tuple[str, str], Any]:
    """The drafts of settings as (scope, key) -> body, taken into a release."""
    source = ConfigRecords()
    with database.begin() as connection:
        found = {
            (scoped.scope, scoped.record.key): scoped.record.body
            for scoped in source.drafts(connection)
        }
        source.take(connection, next(_releases))
    return found


def put_setting(client: httpx.Client, place: str, name: str, value: object, at: str = "") -> int:
    body = {"place": place, "name": name, "from_local": at, "value": value, "reason": "test"}
    answer = client.put("/v1/settings", json=body).raise_for_status().json()
    return int(answer["changed"])


def put_group(client: httpx.Client, group_id: str, rank: int, *store_ids: str) -> None:
    body = {"name": f"Group {group_id}", "rank": rank, "store_ids": store_ids}
    client.put(f"/v1/groups/{group_id}", json=body).raise_for_status()


def table(client: httpx.Client, path: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(client.get(path).raise_for_status().text)))


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_a_setting_is_dated_and_said_once(admin: httpx.Client, database: Database) -> None:
    assert put_setting(admin, "chain", "tax/food", FOOD_9) == 1
    assert put_setting(admin, "chain", "tax/food", FOOD_9) == 0
    assert put_setting(admin, "chain", "tax/food", FOOD_13, "2026-12-01T00:00") == 1
    listed = [row for row in admin.get("/v1/settings").json()["settings"] if row["is_draft"]]
    assert [(row["place"], row["from_local"], row["value"]) for row in listed] == [
        ("chain", "", FOOD_9),
        ("chain", "2026-12-01T00:00", FOOD_13),
    ]
    assert taken(database) == {
        ("", "tax/food@c"): {"dated": [["", FOOD_9], ["2026-12-01T00:00", FOOD_13]]}
    }
    assert taken(database) == {}


def test_what_a_release_took_can_be_given_back(admin: httpx.Client, database: Database) -> None:
    put_setting(admin, "p1", "payment", CASH_ONLY)
    source, release = ConfigRecords(), next(_releases)
    with database.begin() as connection:
        source.take(connection, release)
        assert list(source.drafts(connection)) == []
        source.give_back(connection, release)
    assert taken(database) == {("store-p1", "payment"): {"dated": [["", CASH_ONLY]]}}


def test_a_setting_that_nobody_makes_any_more_is_removed(
    admin: httpx.Client, database: Database
) -> None:
    put_setting(admin, "p3", "payment", CASH_ONLY)
    taken(database)
    put_setting(admin, "p3", "payment", None)
    assert taken(database) == {("store-p3", "payment"): None}


def test_of_a_stores_groups_the_one_of_the_highest_rank_counts(
    admin: httpx.Client, database: Database
) -> None:
    put_group(admin, "low", 1, "p1", "p2")
    put_group(admin, "high", 5, "p2")
    put_setting(admin, "group:low", "receipt", {"header": {"en": ["low"]}})
    put_setting(admin, "group:high", "receipt", {"header": {"en": ["high"]}})
    low, high = ({"dated": [["", {"header": {"en": [name]}}]]} for name in ("low", "high"))
    assert taken(database) == {
        ("store-p1", "receipt@g"): low,
        ("store-p2", "receipt@g"): high,
    }
    put_group(admin, "high", 5, "p3")
    assert taken(database) == {("store-p2", "receipt@g"): low, ("store-p3", "receipt@g"): high}
    admin.delete("/v1/groups/low").raise_for_status()
    assert taken(database) == {("store-p1", "receipt@g"): None, ("store-p2", "receipt@g"): None}


def test_stores_go_into_zones_and_it_is_kept_who_put_them_there(admin: httpx.Client) -> None:
    admin.put("/v1/zones/city", json={"name": "City"}).raise_for_status()
    move = {"store_ids": ["p1", "p2"], "zone_id": "city", "reason": "new price list"}
    assert admin.put("/v1/places", json=move).json() == {"changed": 2}
    assert admin.put("/v1/places", json=move).json() == {"changed": 0}
    assert [zone["stores"] for zone in admin.get("/v1/zones").json()["zones"]] == [2]
    one = {"store_ids": ["p1"], "zone_id": "city", "attributes": {"size": "small"}}
    admin.put("/v1/places", json=one).raise_for_status()
    events = admin.get("/v1/master-events", params={"kind": "store", "subject": "p1"})
    first, second = events.json()["events"]
    assert first["after"] == {"zone_id": "city", "attributes": {"size": "small"}}
    assert (second["before"]["zone_id"], second["reason"]) == (None, "new price list")
    assert problem(admin.delete("/v1/zones/city")) == (422, "zone.in_use")
    place = next(row for row in table(admin, "/v1/places.csv") if row["store_id"] == "p1")
    assert (place["zone_id"], place["attributes"]) == ("city", '{"size":"small"}')


def test_a_price_may_be_the_chains_the_zones_or_the_stores_own(
    admin: httpx.Client, database: Database
) -> None:
    gtin = a_gtin(77)
    columns = "ean13,name,department,category,brand,package_size,weighed,plu\n"
    admin.post(
        "/v1/items/import", content=f"{columns}{gtin},Tea,Food,Tea,,,0,\n"
    ).raise_for_status()
    admin.put("/v1/zones/east", json={"name": "East"}).raise_for_status()
    header = "store_id,ean13,effective_at,regular_price_cents,member_price_cents,until\n"
    rows = (
        f"chain,{gtin},2026-01-01T00:00,500,,\n"
        f"zone:east,{gtin},2026-11-27T00:00,450,440,2026-11-30T00:00\n"
        f"p1,{gtin},2026-01-01T00:00,400,,\n"
    )
    done = admin.post("/v1/prices/import", content=header + rows).raise_for_status().json()
    assert done["created"] == 3
    with database.begin() as connection:
        found = {
            scoped.scope: (scoped.record.key, scoped.record.body)
            for scoped in PriceRecords().drafts(connection)
        }
    assert found == {
        "": (f"{gtin}/c", {"prices": [["2026-01-01T00:00", 500, None]]}),
        "zone:east": (
            f"{gtin}/z",
            {"prices": [["2026-11-27T00:00", 450, 440, "2026-11-30T00:00"]]},
        ),
        "store-p1": (gtin, {"prices": [[1_767_196_800_000, 400, None]]}),
    }
    ended = {"gtin": gtin, "store_ids": ["p1"], "regular_minor": None, "reason": "as the chain"}
    assert admin.post("/v1/prices", json=ended).json() == {"drafts": 1}
    again = admin.post("/v1/prices/import", content=admin.get("/v1/prices.csv").text)
    assert again.json()["unchanged"] == again.json()["rows"]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("zone:nowhere,{gtin},2026-01-01T00:00,5,,", "zone.unknown"),
        ("nowhere,{gtin},2026-01-01T00:00,5,,", "store.unknown"),
        ("p1,{gtin},2026-01-02,5,,2026-01-01", "price.period"),
        ("chain,{gtin},2026-01-02,5,,2026-02-01T00:00Z", "price.period"),
    ],
)
def test_a_price_in_no_place_or_for_no_time_is_refused(
    admin: httpx.Client, row: str, code: str
) -> None:
    header = "store_id,ean13,effective_at,regular_price_cents,member_price_cents,until\n"
    content = header + row.format(gtin=a_gtin(77)) + "\n"
    answer = admin.post("/v1/prices/import", content=content)
    assert code in {error["code"] for error in answer.json()["errors"]}


def test_categories_form_a_tree_with_names_in_three_languages(admin: httpx.Client) -> None:
    names = {"zh-CN": "茶", "zh-TW": "茶", "en": "Tea"}
    path = "/v1/categories"
    admin.put(f"{path}/drinks", json={"names": {"en": "Drinks"}}).raise_for_status()
    admin.put(f"{path}/tea", json={"names": names, "parent_id": "drinks"}).raise_for_status()
    assert problem(
        admin.put(f"{path}/drinks", json={"names": {"en": "D"}, "parent_id": "tea"})
    ) == (422, "category.circle")
    assert problem(admin.put(f"{path}/x", json={"names": {"en": "X"}, "parent_id": "y"})) == (
        422,
        "category.parent",
    )
    assert problem(admin.put(f"{path}/x", json={"names": {"fr": "X"}})) == (422, "category.names")
    assert problem(admin.delete(f"{path}/drinks")) == (422, "category.has_children")
    assert table(admin, "/v1/categories.csv") == [
        {"category_id": "drinks", "parent_id": "", "zh-CN": "", "zh-TW": "", "en": "Drinks"},
        {"category_id": "tea", "parent_id": "drinks", **names},
    ]
    admin.delete(f"{path}/tea").raise_for_status()
    assert [row["category_id"] for row in table(admin, "/v1/categories.csv")] == ["drinks"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"place": "nowhere"}, "store.unknown"),
        ({"place": "zone:nowhere"}, "zone.unknown"),
        ({"place": "group:nowhere"}, "group.unknown"),
        ({"name": "light"}, "config.name"),
        ({"value": {"rate_bp": 20_000}}, "config.value"),
        ({"from_local": "tomorrow"}, "time.local"),
    ],
)
def test_a_setting_that_no_till_would_understand_is_refused(
    admin: httpx.Client, change: dict[str, Any], code: str
) -> None:
    body = {"place": "chain", "name": "tax/food", "from_local": "", "value": FOOD_9}
    assert problem(admin.put("/v1/settings", json=body | change)) == (422, code)


def test_a_setting_of_the_boxes_is_what_their_list_of_fields_says(
    admin: httpx.Client, database: Database
) -> None:
    fields = {each["name"]: each for each in admin.get("/v1/settings/fields").json()["fields"]}
    assert fields["drawer.left_open_s"]["is_live"]
    assert "zh-TW" in fields["box.locale"]["choices"]
    assert put_setting(admin, "chain", "box/drawer.left_open_s", {"value": 90}) == 1
    assert taken(database) == {("", "box/drawer.left_open_s@c"): {"dated": [["", {"value": 90}]]}}
    body = {"place": "chain", "name": "box/box.host", "from_local": "", "value": {"value": "x"}}
    assert problem(admin.put("/v1/settings", json=body)) == (422, "config.name")


def test_the_history_tells_every_row(admin: httpx.Client) -> None:
    put_setting(admin, "p2", "tax/wine", FOOD_9)
    put_setting(admin, "p2", "tax/wine", FOOD_13)
    rows = admin.get("/v1/settings/history", params={"place": "p2", "name": "tax/wine"}).json()
    assert [row["value"] for row in rows["settings"]] == [FOOD_13, FOOD_9]
    exported = table(admin, "/v1/settings/history.csv?place=p2&name=tax/wine")
    assert [row["value"] for row in exported] == ['{"rate_bp":1300}', '{"rate_bp":900}']


def test_no_store_is_called_as_the_whole_chain_is(admin: httpx.Client) -> None:
    body = {"name": "Chain", "time_zone": "Asia/Shanghai", "currency": "CNY"}
    assert problem(admin.put("/v1/stores/chain", json=body)) == (422, "store.id")
    admin.put("/v1/stores/chain-1", json=body).raise_for_status()


def test_only_who_may_sets_things_up(api: CloudApi) -> None:
    buyer = api.client("buyer")
    body = {"place": "chain", "name": "payment", "value": CASH_ONLY}
    assert problem(buyer.put("/v1/settings", json=body)) == (403, "permission.missing")
    assert problem(buyer.put("/v1/zones/mine", json={"name": "Mine"}))[0] == 403
    assert buyer.get("/v1/settings").status_code == 200


def test_a_store_that_moves_to_another_zone_sells_by_its_records(
    api: CloudApi, admin: httpx.Client
) -> None:
    admin.put("/v1/zones/north", json={"name": "North"}).raise_for_status()
    admin.put("/v1/zones/south", json={"name": "South"}).raise_for_status()
    gtin = a_gtin(78)
    header = "ean13,name,department,category,brand,package_size,weighed,plu\n"
    item = f"{gtin},Rice,Food,Rice,,,0,\n"
    admin.post("/v1/items/import", content=header + item).raise_for_status()
    for place, minor in (("zone:north", 300), ("zone:south", 250)):
        price = {"gtin": gtin, "store_ids": [place], "regular_minor": minor}
        admin.post("/v1/prices", json=price).raise_for_status()
    put_setting(admin, "zone:north", "payment", CASH_ONLY)
    move(admin, "north")
    publish_all(admin).raise_for_status()
    north, before = boxed(api, "p3"), head_of(api, "p3")
    assert {("price", f"{gtin}/z"), ("config", "payment@z")} <= set(north)

    move(admin, "south")  # and nothing else changes
    publish_all(admin).raise_for_status()
    south, after = boxed(api, "p3"), head_of(api, "p3")
    assert apply(api, north, pieces_needed(after, before.rev, before.inc)) == south
    assert ("config", "payment@z") not in south
    assert south["price", f"{gtin}/z"] != north["price", f"{gtin}/z"]

    move(admin, None)
    publish_all(admin).raise_for_status()
    assert ("price", f"{gtin}/z") not in boxed(api, "p3")


def move(client: httpx.Client, zone_id: str | None) -> None:
    body = {"store_ids": ["p3"], "zone_id": zone_id}
    assert client.put("/v1/places", json=body).raise_for_status().json() == {"changed": 1}


def test_operators_have_dates_and_a_history(api: CloudApi, admin: httpx.Client) -> None:
    ann = {"name": "Ann", "role": "cashier", "pin": "4711", "store_ids": ["p1"]}
    admin.put("/v1/staff/2001", json=ann).raise_for_status()
    dated = ann | {"pin": "8042", "valid_from": "2026-11-22", "valid_to": "2026-12-31"}
    admin.put("/v1/staff/2001", json=dated | {"reason": "season"}).raise_for_status()
    events = admin.get("/v1/master-events", params={"kind": "staff"}).json()["events"]
    assert [(event["by"], event["reason"]) for event in events] == [
        ("admin", "season"),
        ("admin", ""),
    ]
    assert events[0]["after"]["valid_to"] == "2026-12-31"
    assert events[0]["after"]["pin"] == "*"
    assert "pin_hash" not in str(events)
    row = next(row for row in table(admin, "/v1/staff.csv") if row["operator_id"] == "2001")
    assert (row["valid_from"], row["valid_to"]) == ("2026-11-22", "2026-12-31")
    with api.context.database.begin() as connection:
        bodies = [
            scoped.record.body
            for scoped in StaffRecords().drafts(connection)
            if scoped.record.key == "2001" and scoped.record.body
        ]
    assert [(body["valid_from"], body["valid_to"]) for body in bodies] == [
        ("2026-11-22", "2026-12-31")
    ]
    backwards = dated | {"valid_to": "2026-11-01"}
    assert problem(admin.put("/v1/staff/2001", json=backwards)) == (422, "staff.dates")
