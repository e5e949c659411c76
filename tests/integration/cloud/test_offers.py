"""Offers from a file to the records of each store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from cloud.offer import service, store
from cloud.offer.service import record_of
from shared.price.document import dump_offer
from shared.publication.revision import Record, RecordKind, record_hash
from tests.integration.cloud.publications import boxed, head_of, publish_all
from tests.lab.cloud_api import CloudApi

STORES = {"1": "CNY", "2": "CNY"}
FORMAT = "tillbox-offers/1"


@pytest.fixture(scope="module", autouse=True)
def _stores(admin: httpx.Client) -> None:
    for store_id in STORES:
        put_store(admin, store_id)


@pytest.fixture(autouse=True)
def _clean(api: CloudApi, admin: httpx.Client) -> None:
    load(admin, replace=True).raise_for_status()
    publish_all(admin)
    execute(api, "TRUNCATE offer_version, offer_publication")


def put_store(client: httpx.Client, store_id: str, currency: str = "CNY") -> None:
    body = {"name": f"Store {store_id}", "time_zone": "Asia/Shanghai", "currency": currency}
    client.put(f"/v1/stores/{store_id}", json=body).raise_for_status()


def an_offer(offer_id: str = "满100减20", *, off: int = 2000, **more: Any) -> dict[str, Any]:
    return {
        "id": offer_id,
        "level": "basket",
        "target": {"all": True},
        "when": [{"type": "min_spend", "scope": {"all": True}, "amount": 10_000}],
        "reward": {"type": "amount_off", "amount": off},
        **more,
    }


def load(client: httpx.Client, *offers: Mapping[str, Any], **asked: Any) -> httpx.Response:
    document = {"format": FORMAT, "offers": list(offers)}
    return client.post("/v1/offers/import", json=document, params=asked)


def counts(answer: httpx.Response) -> tuple[int, int, int, int]:
    found = answer.json()
    return found["created"], found["changed"], found["ended"], found["unchanged"]


def published(api: CloudApi, store_id: str) -> dict[str, bytes]:
    held = boxed(api, store_id)
    return {key: found for (kind, key), found in held.items() if kind == "offer"}


def listed(client: httpx.Client, **asked: Any) -> list[tuple[str, int, str, bool, int | None]]:
    found = client.get("/v1/offers", params=asked).json()["offers"]
    return [
        (row["offer_id"], row["version"], row["state"], row["is_draft"], row["published_version"])
        for row in found
    ]


def test_a_document_is_taken_over_once_and_only_what_differs_becomes_a_version(
    admin: httpx.Client,
) -> None:
    assert counts(load(admin, an_offer("a"), an_offer("b"))) == (2, 0, 0, 0)
    assert counts(load(admin, an_offer("a"), an_offer("b", version=7))) == (0, 0, 0, 2)
    changed = load(admin, an_offer("a", off=3000), an_offer("b", stores=["2", "1", "2"]))
    assert counts(changed) == (0, 2, 0, 0)
    assert [row["words"] for row in changed.json()["changes"]] == [["reward"], ["stores"]]
    assert counts(load(admin, an_offer("b", stores=["1", "2"]))) == (0, 0, 0, 1)
    versions = admin.get("/v1/offers/a").json()["versions"]
    assert [row["version"] for row in versions] == [2, 1]
    assert [row["document"]["reward"]["amount"] for row in versions] == [3000, 2000]
    assert (versions[0]["created_by"], versions[0]["reason"]) == ("admin", "import")


def test_a_dry_run_tells_the_changes_and_writes_nothing(admin: httpx.Client) -> None:
    load(admin, an_offer("a"), an_offer("b")).raise_for_status()
    before = listed(admin)
    dry = load(admin, an_offer("a", off=1), an_offer("c"), replace=True, dry_run=True)
    assert counts(dry) == (1, 1, 1, 0)
    assert [(row["offer_id"], row["kind"], row["version"]) for row in dry.json()["changes"]] == [
        ("a", "changed", 2),
        ("c", "created", 1),
        ("b", "ended", 2),
    ]
    assert listed(admin) == before


def test_every_error_is_told_with_its_place_and_nothing_is_taken_over(admin: httpx.Client) -> None:
    before = listed(admin)
    wrong = an_offer("x") | {"level": "bascet", "priority": "high"}
    answer = load(admin, an_offer("y"), wrong)
    assert (answer.status_code, answer.json()["code"]) == (422, "offer.document")
    places = answer.json()["places"]
    assert [(row["path"], row["code"]) for row in places] == [
        ("offers[1].level", "offer.document.misspelt"),
        ("offers[1].priority", "offer.document.whole"),
    ]
    assert "basket" in places[0]["detail"]
    assert listed(admin) == before


def test_stores_must_be_there_and_sell_in_the_documents_currency(admin: httpx.Client) -> None:
    document = {
        "format": FORMAT,
        "currency": "USD",
        "offers": [an_offer("x", stores=["1"]), an_offer("y", stores=["404"])],
    }
    places = admin.post("/v1/offers/import", json=document).json()["places"]
    assert [(row["path"], row["code"]) for row in places] == [
        ("offers[0].stores", "offer.document.other_currency"),
        ("offers[1].stores[0]", "store.unknown"),
    ]


def test_an_offer_that_no_box_would_read_is_refused_at_once(admin: httpx.Client) -> None:
    goods = {"sku": [f"690{number:010d}" for number in range(5000)]}
    (place,) = load(admin, an_offer("x", target=goods)).json()["places"]
    assert (place["path"], place["code"]) == ("offers[0]", "offer.document.too_large")


def test_amounts_in_quotes_are_in_the_currency_of_all_stores(admin: httpx.Client) -> None:
    offer = an_offer("a") | {"reward": {"type": "amount_off", "amount": "20.00"}}
    assert counts(load(admin, offer)) == (1, 0, 0, 0)
    assert counts(load(admin, an_offer("a"))) == (0, 0, 0, 1)


def test_yaml_is_read_and_written(admin: httpx.Client) -> None:
    load(admin, an_offer("a", coupon="0042"), an_offer("b", stores=["2"])).raise_for_status()
    exported = admin.get("/v1/offers.yaml")
    assert exported.headers["content-type"].startswith("application/yaml")
    assert counts(admin.post("/v1/offers/import", content=exported.content)) == (0, 0, 0, 2)
    again = admin.get("/v1/offers.json").json()
    assert [(offer["id"], offer.get("stores")) for offer in again["offers"]] == [
        ("a", None),
        ("b", ["2"]),
    ]
    assert counts(admin.post("/v1/offers/import", json=again)) == (0, 0, 0, 2)


def test_drafts_wait_for_a_publication_and_reach_the_stores_of_their_scope(
    api: CloudApi, admin: httpx.Client
) -> None:
    load(admin, an_offer("all"), an_offer("one", stores=["2"])).raise_for_status()
    draft = admin.get("/v1/publications/draft").json()
    assert (draft["offers"], draft["changes"], draft["stores"]) == (2, 2, ["1", "2"])
    assert published(api, "1") == {}
    publish_all(admin).raise_for_status()
    assert set(published(api, "1")) == {"all"}
    assert set(published(api, "2")) == {"all", "one"}
    assert admin.get("/v1/publications/draft").json()["changes"] == 0
    assert listed(admin) == [("all", 1, "active", False, 1), ("one", 1, "active", False, 1)]


def test_only_the_stores_of_an_offer_get_a_revision(api: CloudApi, admin: httpx.Client) -> None:
    load(admin, an_offer("one", stores=["2"])).raise_for_status()
    assert admin.get("/v1/publications/draft").json()["stores"] == ["2"]
    before = head_of(api, "1").rev
    assert publish_all(admin).json()["stores"] == 1
    assert head_of(api, "1").rev == before


def test_an_offer_that_moves_between_all_and_some_stores_is_where_it_should_be(
    api: CloudApi, admin: httpx.Client
) -> None:
    places = []
    for stores in (["1"], None, ["2"], ["1", "2"]):
        scope = {} if stores is None else {"stores": stores}
        load(admin, an_offer("a", **scope)).raise_for_status()
        publish_all(admin).raise_for_status()
        places.append([store_id for store_id in STORES if published(api, store_id)])
    assert places == [["1"], ["1", "2"], ["2"], ["1", "2"]]


def test_an_ended_offer_is_removed_from_its_stores(api: CloudApi, admin: httpx.Client) -> None:
    load(admin, an_offer("a")).raise_for_status()
    publish_all(admin).raise_for_status()
    ended = admin.post("/v1/offers/a/end", json={"reason": "sold out"})
    assert ended.json() == {"offer_id": "a", "version": 2}
    assert [row for row in listed(admin) if row[0] == "a"] == [("a", 2, "ended", True, 1)]
    assert set(published(api, "1")) == {"a"}
    publish_all(admin).raise_for_status()
    assert published(api, "1") == {}
    assert admin.post("/v1/offers/a/end", json={}).json()["code"] == "offer.ended"
    assert admin.post("/v1/offers/zzz/end", json={}).status_code == 404
    assert counts(load(admin, an_offer("a"))) == (0, 1, 0, 0)
    publish_all(admin).raise_for_status()
    assert set(published(api, "1")) == {"a"}


def test_a_record_carries_what_was_meant_and_the_number_of_its_version(
    api: CloudApi, admin: httpx.Client
) -> None:
    load(admin, an_offer("a")).raise_for_status()
    load(admin, an_offer("a", off=2500)).raise_for_status()
    publish_all(admin).raise_for_status()
    with api.context.database.begin() as connection:
        (offer,) = service.offers_of(connection, "1")
        record = Record(RecordKind.OFFER, offer.id, dump_offer(offer))
    assert offer.version == admin.get("/v1/offers/a").json()["versions"][0]["version"]
    assert published(api, "1") == {"a": record_hash(record)}


def test_a_store_sells_by_what_is_published_until_the_next_publication(
    api: CloudApi, admin: httpx.Client
) -> None:
    load(admin, an_offer("a")).raise_for_status()
    publish_all(admin).raise_for_status()
    load(admin, an_offer("b"), replace=True).raise_for_status()
    assert names_of(api, "1") == ["a"]
    publish_all(admin).raise_for_status()
    assert names_of(api, "1") == ["b"]


def names_of(api: CloudApi, store_id: str) -> list[str]:
    with api.context.database.begin() as connection:
        return [offer.id for offer in service.offers_of(connection, store_id)]


def test_a_store_that_joins_later_gets_the_offers_for_all_stores(
    api: CloudApi, admin: httpx.Client
) -> None:
    load(admin, an_offer("all"), an_offer("one", stores=["2"])).raise_for_status()
    publish_all(admin).raise_for_status()
    put_store(admin, "9")
    load(admin, an_offer("late")).raise_for_status()
    publish_all(admin).raise_for_status()
    assert set(published(api, "9")) == {"all", "late"}
    assert set(published(api, "1")) == {"all", "late"}
    execute(api, "DELETE FROM store WHERE store_id = '9'")


def execute(api: CloudApi, statement: str) -> None:
    with api.context.database.begin() as connection:
        connection.execute(text(statement))


def test_offers_are_found_by_word_store_and_state(admin: httpx.Client) -> None:
    load(
        admin,
        an_offer("a", name="夏日满减"),
        an_offer("b", stores=["2"], coupon="SUMMER_1"),
    ).raise_for_status()
    publish_all(admin).raise_for_status()
    load(admin, an_offer("c", stores=["1"])).raise_for_status()

    def ids(**asked: Any) -> list[str]:
        return [row[0] for row in listed(admin, state=asked.pop("state", "active"), **asked)]

    assert ids() == ["a", "b", "c"]
    assert (ids(q="夏日"), ids(q="summer_"), ids(q="%")) == (["a"], ["b"], [])
    assert (ids(store="1"), ids(state="draft")) == (["a", "c"], ["c"])
    page = admin.get("/v1/offers", params={"state": "active", "size": 2, "page": 2}).json()
    assert ([row["offer_id"] for row in page["offers"]], page["total"]) == (["c"], 3)
    assert admin.get("/v1/offers", params={"state": "gone"}).status_code == 422


def test_an_id_may_hold_a_slash_and_signs_of_any_script(admin: httpx.Client) -> None:
    load(admin, an_offer("2026/夏 50%?")).raise_for_status()
    path = "/v1/offers/2026%2F%E5%A4%8F%2050%25%3F"
    assert admin.get(path).json()["offer_id"] == "2026/夏 50%?"
    assert admin.post(f"{path}/end", json={}).status_code == 200


def test_two_imports_at_once_count_versions_one_after_the_other(admin: httpx.Client) -> None:
    with ThreadPoolExecutor(max_workers=4) as pool:
        answers = list(pool.map(lambda off: load(admin, an_offer("a", off=off)), range(1, 9)))
    assert {answer.status_code for answer in answers} == {200}
    versions = [row["version"] for row in admin.get("/v1/offers/a").json()["versions"]]
    assert versions == list(range(len(versions), 0, -1))


def test_only_who_may_change_prices_changes_offers(api: CloudApi, admin: httpx.Client) -> None:
    load(admin, an_offer("a")).raise_for_status()
    reader = api.client("reader")
    assert reader.get("/v1/offers").status_code == 200
    for refused in (load(reader, an_offer("a")), reader.post("/v1/offers/a/end", json={})):
        assert (refused.status_code, refused.json()["code"]) == (403, "permission.missing")


def test_a_file_that_is_too_large_is_refused(admin: httpx.Client) -> None:
    big = json.dumps({"format": FORMAT, "offers": [an_offer("a", name="x" * (4 << 20))]})
    assert admin.post("/v1/offers/import", content=big.encode()).status_code == 413


MILK, TEA = "4006381333931", "9771234567003"


@pytest.fixture
def _goods(admin: httpx.Client) -> None:
    """Milk at 2.00 that costs 1.50, and tea that is sold from the year 2100 on."""
    header = "ean13,name,department,category,brand,package_size,weighed,plu,tags,cost_cents"
    rows = (f"{MILK},Milk,DAIRY,MILK,,,0,,fresh,150", f"{TEA},Tea,DRINKS,TEA,,,0,,,")
    admin.post("/v1/items/import", content="\n".join([header, *rows]).encode()).raise_for_status()
    for gtin, minor, from_at_ms in ((MILK, 200, 0), (TEA, 500, 4_102_444_800_000)):
        body = {"gtin": gtin, "regular_minor": minor, "from_at_ms": from_at_ms}
        admin.post("/v1/prices", json=body).raise_for_status()


def found(answer: httpx.Response) -> set[tuple[str, str, tuple[str, ...]]]:
    return {
        (row["code"], row["severity"], tuple(row["offers"])) for row in answer.json()["findings"]
    }


@pytest.mark.usefixtures("_goods")
def test_a_dry_run_tells_what_lint_finds_and_an_import_with_errors_is_refused(
    admin: httpx.Client,
) -> None:
    cheap = {"target": {"category": ["MILK"]}, "reward": {"type": "price_each", "amount": 140}}
    nothing = {"target": {"category": ["CAVIAR"]}, "reward": {"type": "price_each", "amount": 1}}
    offers = (
        an_offer("cheap", level="line") | cheap,
        an_offer("lost", level="line") | nothing,
        an_offer("tea", level="line") | nothing | {"target": {"sku": [TEA]}},
    )
    dry = load(admin, *offers, dry_run=True)
    assert ("lint.no_goods", "error", ("lost",)) in found(dry)
    assert {code for code, _, ids in found(dry) if ids == ("cheap",)} == {"lint.below_cost"}
    assert not [code for code, _, ids in found(dry) if code == "lint.no_goods" and "tea" in ids]
    refused = load(admin, *offers)
    assert (refused.status_code, refused.json()["code"]) == (422, "offer.lint")
    assert (refused.json()["params"]["count"], found(refused)) == (1, found(dry))
    assert listed(admin) == []
    assert load(admin, offers[0], offers[2]).status_code == 200


@pytest.mark.usefixtures("_goods")
def test_offers_are_linted_beside_those_of_the_same_store_only(admin: httpx.Client) -> None:
    group = {"mode": "best_of", "group": "g"}
    offers = [
        an_offer(name, off=off, stack=group, stores=[store_id])
        for name, off, store_id in (("weak", 100, "1"), ("strong", 200, "2"))
    ]
    apart = load(admin, *offers, dry_run=True)
    assert not [code for code, _, ids in found(apart) if {"weak", "strong"} <= set(ids)]
    together = load(admin, offers[0], offers[1] | {"stores": ["1", "2"]}, dry_run=True)
    assert ("lint.beaten", "warning", ("weak", "strong")) in found(together)


@pytest.mark.usefixtures("_goods")
def test_an_old_mistake_does_not_stop_a_new_offer(admin: httpx.Client) -> None:
    load(admin, an_offer("a", level="line", target={"tag": ["fresh"]})).raise_for_status()
    header = "ean13,name,department,category,brand,package_size,weighed,plu,tags"
    stale = f"{header}\n{MILK},Milk,DAIRY,MILK,,,0,,\n"
    admin.post("/v1/items/import", content=stale.encode()).raise_for_status()
    assert load(admin, an_offer("b")).status_code == 200
    assert load(admin, an_offer("a", target={"tag": ["fresh"]})).json()["code"] == "offer.lint"


def test_changes_and_publications_at_once_lose_nothing(api: CloudApi, admin: httpx.Client) -> None:
    def change(number: int) -> int:
        stores = {"stores": [str(number % 2 + 1)]} if number % 3 else {}
        return load(admin, an_offer(f"o{number % 5}", off=100 + number, **stores)).status_code

    with ThreadPoolExecutor(max_workers=6) as pool:
        changes = [pool.submit(change, number) for number in range(40)]
        sent = [pool.submit(publish_all, admin) for _ in range(12)]
        assert {each.result() for each in changes} == {200}
        assert {each.result().status_code for each in sent} <= {201, 409}
    publish_all(admin)
    assert admin.get("/v1/publications/draft").json()["offers"] == 0
    for store_id in STORES:
        with api.context.database.begin() as connection:
            newest = list(store.newest(connection))
        wanted = {
            offer.offer_id: record_hash(record_of(offer))
            for offer in newest
            if offer.is_in(store_id)
        }
        assert published(api, store_id) == wanted
