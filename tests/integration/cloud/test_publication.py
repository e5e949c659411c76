"""From a price edit to the bytes that a box applies."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from cloud.price import service as price_service
from cloud.price.service import ChangePrice
from cloud.price.store import Author
from cloud.publication.engine import Publisher
from shared.kernel.errors import RefusedError
from shared.publication.manifest import (
    Manifest,
    pieces_needed,
)
from tests.integration.cloud.publications import (
    Key,
    apply,
    assert_same,
    boxed,
    head_of,
    publish_all,
)
from tests.integration.cloud.publish_now import Publish, publish
from tests.lab.cloud_api import CloudApi

ITEM_HEADER = "ean13,name,department,category,brand,package_size,weighed,plu"
GTINS = ("4006381333931", "5901234123457", "9771234567003")
STORES = ("1", "2", "3")


@pytest.fixture(scope="module", autouse=True)
def _chain(admin: httpx.Client) -> None:
    for store_id in STORES:
        put_store(admin, store_id)
    rows = [f"{gtin},Item {gtin},GROCERY,,,,0," for gtin in GTINS]
    send_items(admin, *rows)
    change(admin, GTINS[0], 199)


def put_store(client: httpx.Client, store_id: str) -> None:
    body = {"name": f"Store {store_id}", "time_zone": "Asia/Shanghai", "currency": "CNY"}
    client.put(f"/v1/stores/{store_id}", json=body).raise_for_status()


def send_items(client: httpx.Client, *rows: str) -> None:
    body = "\n".join([ITEM_HEADER, *rows]).encode()
    client.post("/v1/items/import", content=body).raise_for_status()


def change(client: httpx.Client, gtin: str, minor: int, *stores: str, at_ms: int = 1000) -> int:
    body = {
        "gtin": gtin,
        "store_ids": list(stores) or None,
        "regular_minor": minor,
        "from_at_ms": at_ms,
        "confirm_large": True,
    }
    answer = client.post("/v1/prices", json=body)
    answer.raise_for_status()
    drafts: int = answer.json()["drafts"]
    return drafts


def test_the_first_publication_is_a_signed_snapshot_for_every_store(
    api: CloudApi, admin: httpx.Client
) -> None:
    draft = admin.get("/v1/publications/draft").json()
    assert (draft["items"], draft["prices"], draft["stores"]) == (3, 3, list(STORES))
    answer = publish_all(admin)
    assert (answer.status_code, answer.json()["rev"], answer.json()["stores"]) == (201, 1, 3)
    for store_id in STORES:
        manifest = head_of(api, store_id)
        assert (manifest.rev, manifest.snapshot.to_rev, manifest.deltas) == (1, 1, ())
        held = apply(api, {}, manifest.snapshots)
        assert set(held) == {("item", gtin) for gtin in GTINS} | {("price", GTINS[0])}
        assert_same(manifest, held)


def test_nothing_new_is_not_published(admin: httpx.Client) -> None:
    answer = publish_all(admin)
    assert (answer.status_code, answer.json()["code"]) == (409, "publication.nothing")


def test_one_stores_price_makes_a_revision_of_that_store_only(
    api: CloudApi, admin: httpx.Client
) -> None:
    assert change(admin, GTINS[1], 250, "2") == 1
    draft = admin.get("/v1/publications/draft").json()
    assert (draft["changes"], draft["stores"]) == (1, ["2"])
    assert draft["sample"][0]["new_minor"] == 250
    rev = publish_all(admin).json()["rev"]
    assert [head_of(api, store_id).rev for store_id in STORES] == [rev - 1, rev, rev - 1]
    rows = admin.get("/v1/convergence").json()
    assert [row["target_rev"] for row in rows["stores"]] == [rev - 1, rev, rev - 1]
    assert rows["target_rev"] == rev


def test_a_draft_is_told_by_item_and_then_by_store(admin: httpx.Client) -> None:
    put_store(admin, "12")
    publish_all(admin)
    change(admin, GTINS[1], 260, "3", at_ms=2000)
    change(admin, GTINS[2], 310, "12", "2", at_ms=2000)
    change(admin, GTINS[1], 270, "12", at_ms=2000)
    sample = admin.get("/v1/publications/draft").json()["sample"]
    wanted = [(GTINS[1], "3"), (GTINS[1], "12"), (GTINS[2], "2"), (GTINS[2], "12")]
    assert [(row["gtin"], row["store_id"]) for row in sample] == wanted
    publish_all(admin).raise_for_status()


def test_a_draft_that_was_taken_back_is_no_draft_any_more(admin: httpx.Client) -> None:
    row = f"{GTINS[0]},Item {GTINS[0]},GROCERY,,,,0,"
    send_items(admin, row.replace("Item", "Thing"))
    assert admin.get("/v1/items", params={"q": "Thing"}).json()["items"][0]["has_draft"]
    send_items(admin, row)
    assert publish_all(admin).json()["code"] == "publication.nothing"
    assert admin.get("/v1/publications/draft").json()["changes"] == 0


def test_a_store_that_joins_later_gets_all_there_is(api: CloudApi, admin: httpx.Client) -> None:
    before = head_of(api, "1").rev
    put_store(admin, "9")
    assert admin.get("/v1/publications/draft").json()["stores"] == ["9"]
    assert publish_all(admin).json()["stores"] == 1
    assert head_of(api, "1").rev == before
    manifest = head_of(api, "9")
    assert_same(manifest, apply(api, {}, manifest.snapshots))
    assert manifest.records == len(GTINS)


def test_an_operator_who_leaves_a_store_is_removed_there(
    api: CloudApi, admin: httpx.Client
) -> None:
    body = {"name": "Ann", "role": "manager", "pin": "4711", "store_ids": ["1", "2"]}
    admin.put("/v1/staff/1001", json=body).raise_for_status()
    publish_all(admin).raise_for_status()
    everywhere = {store_id: boxed(api, store_id) for store_id in STORES}
    assert [("staff", "1001") in everywhere[place] for place in STORES] == [True, True, False]
    moved = {"name": "Ann", "role": "manager", "store_ids": ["3"]}
    admin.put("/v1/staff/1001", json=moved).raise_for_status()
    publish_all(admin).raise_for_status()
    everywhere = {store_id: boxed(api, store_id) for store_id in STORES}
    assert [("staff", "1001") in everywhere[place] for place in STORES] == [False, False, True]


EDITS = st.lists(
    st.tuples(
        st.sampled_from(GTINS),
        st.integers(1, 99_999),
        st.lists(st.sampled_from(STORES), unique=True, min_size=1),
        st.integers(1, 5),
    ),
    min_size=1,
    max_size=4,
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(publications=st.lists(EDITS, min_size=1, max_size=4), fetches=st.integers(1, 3))
def test_a_box_that_follows_deltas_ends_where_one_with_the_snapshot_does(
    api: CloudApi, publications: list[list[tuple[str, int, list[str], int]]], fetches: int
) -> None:
    """However far a box is behind, digest and content are the same."""
    parts = publisher_of(api)
    followers = {place: (head_of(api, place), boxed(api, place)) for place in STORES}
    for number, edits in enumerate(publications):
        for gtin, minor, stores, at_ms in edits:
            edit(api, gtin, minor, tuple(stores), at_ms)
        try_to_publish(parts)
        if number % fetches == 0:
            for place, (known, held) in followers.items():
                followers[place] = follow(api, place, known, held)
    for place, (known, held) in followers.items():
        manifest, ended = follow(api, place, known, held)
        assert ended == boxed(api, place)
        assert_same(manifest, ended)


def follow(
    api: CloudApi, place: str, known: Manifest, held: dict[Key, bytes]
) -> tuple[Manifest, dict[Key, bytes]]:
    manifest = head_of(api, place)
    pieces = pieces_needed(manifest, known.rev, known.inc)
    held = apply(api, held, pieces)
    assert_same(manifest, held)
    return manifest, held


def publisher_of(api: CloudApi) -> Publisher:
    context = api.context
    return Publisher(context.database, context.objects, context.hq_key, context.sources)


def edit(api: CloudApi, gtin: str, minor: int, stores: tuple[str, ...], at_ms: int) -> int:
    command = ChangePrice(gtin, stores, minor, None, at_ms, is_large_confirmed=True)
    return price_service.change_price(api.context.database, command, Author("test", 0, ""))


def try_to_publish(parts: Publisher) -> int | None:
    try:
        return publish(parts, Publish("test", 0, "")).rev
    except RefusedError as nothing:
        assert nothing.code == "publication.nothing"  # noqa: PT017 - both outcomes are fine
        return None


def test_edits_and_publications_at_once_lose_nothing(api: CloudApi) -> None:
    parts, done = publisher_of(api), threading.Event()

    def keep_publishing() -> int:
        count = 0
        while not done.is_set():
            count += try_to_publish(parts) is not None
        return count

    with ThreadPoolExecutor() as pool:
        publishers = [pool.submit(keep_publishing) for _ in range(2)]
        editors = [
            pool.submit(edit, api, GTINS[number % 3], 1000 + number, STORES, 10 + number)
            for number in range(60)
        ]
        assert sum(editor.result() for editor in editors) == 180
        done.set()
        assert sum(publisher.result() for publisher in publishers) > 0
    try_to_publish(parts)
    with api.context.database.begin() as connection:
        drafts = connection.execute(text("SELECT count(*) FROM price_draft"))
        assert drafts.scalar_one() == 0
        revisions = connection.execute(text("SELECT rev FROM publication ORDER BY rev"))
        numbers = [rev for (rev,) in revisions]
    assert numbers == list(range(1, len(numbers) + 1))
    assert_published_whole(api)


def assert_published_whole(api: CloudApi) -> None:
    """Were everything drafted again, it would say what the stores have."""
    with api.context.database.begin() as connection:
        connection.execute(text("INSERT INTO item_draft SELECT gtin FROM item"))
        connection.execute(
            text("""
            INSERT INTO price_draft (price_id, store_id, gtin, scope)
            SELECT id, store_id, gtin, scope FROM item_price""")
        )
        connection.execute(text("INSERT INTO staff_draft SELECT operator_id FROM staff"))
    with pytest.raises(RefusedError, match=r"publication\.nothing"):
        publish(publisher_of(api), Publish("test", 0, ""))


def test_an_absurd_price_is_refused_until_it_is_confirmed(admin: httpx.Client) -> None:
    def ask(minor: int, member: int | None = None, *, sure: bool = False) -> httpx.Response:
        body = {"gtin": GTINS[0], "store_ids": ["1"], "regular_minor": minor}
        extra = {"member_minor": member, "confirm_large": sure}
        return admin.post("/v1/prices", json={**body, **extra})

    change(admin, GTINS[0], 1000, "1", at_ms=2000)
    assert ask(1899).json() == {"drafts": 1}
    change(admin, GTINS[0], 1000, "1", at_ms=3000)
    refused = ask(19_000).json()
    assert (refused["code"], refused["params"]["can_confirm"]) == ("price.absurd", 1)
    assert refused["detail"].startswith("This price")
    assert ask(19_000, sure=True).json() == {"drafts": 1}
    for minor, member, code in (
        (-1, None, "price.negative"),
        (0, None, "price.zero"),
        (100_000_000, None, "price.absurd"),
        (1000, 1001, "price.member_above_regular"),
        (1000, -1, "price.negative"),
    ):
        answer = ask(minor, member, sure=True)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert admin.post("/v1/prices", json={"gtin": "1", "regular_minor": 5}).status_code == 422
    assert admin.post("/v1/prices", json={"gtin": GTINS[0], "regular_minor": 2.5}).json()["params"][
        "field"
    ] == ("regular_minor")
