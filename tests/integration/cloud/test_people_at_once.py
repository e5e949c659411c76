"""Whoever is taken away is away at the tills at once; nothing that is drafted goes along."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import httpx
import orjson
import pytest

from cloud.db import Database
from cloud.publication.pieces import read_small
from shared.publication.manifest import parse_manifest, pieces_needed
from shared.wire.objects import iter_lines
from tests.integration.cloud.releasing import (
    ALL,
    PRICES,
    Chain,
    act,
    change_price,
    drop_drafts,
    now_clock,
    open_chain,
    roll_to_the_end,
    shown,
    submit,
)
from tests.lab.cloud_api import CloudApi

LINE = """
    SELECT made.manifest, made.kinds, publication.by, publication.note
    FROM lineage JOIN zone_revision made
      ON made.zone = 'store-' || store_id AND made.rev = now_rev
    JOIN publication ON publication.rev = now_rev
    WHERE store_id = :id"""


@pytest.fixture(scope="module")
def api(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudApi]:
    running = CloudApi(database.url, tmp_path_factory.mktemp("people"), now_clock()).start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def chain(api: CloudApi, admin: httpx.Client) -> Chain:
    made = open_chain(api, admin)
    for number, stores in (("4001", ["1", "2"]), ("4002", ["1"]), ("4003", ["3"])):
        put_person(admin, number, *stores)
    drop_drafts(made, admin)
    return made


def put_person(admin: httpx.Client, number: str, *stores: str, name: str = "Ann") -> None:
    body = {"name": name, "role": "cashier", "pin": "4711", "store_ids": list(stores)}
    admin.put(f"/v1/staff/{number}", json=body).raise_for_status()


def move(admin: httpx.Client, store_id: str, zone_id: str | None) -> None:
    body = {"store_ids": [store_id], "zone_id": zone_id, "reason": "test"}
    admin.put("/v1/places", json=body).raise_for_status()


def content(chain: Chain, store_id: str) -> dict[tuple[str, str], Any]:
    """Every record that a box of the store comes to by its active revision."""
    (row,) = chain.rows(LINE, id=store_id)
    found: dict[tuple[str, str], Any] = {}
    for piece in pieces_needed(parse_manifest(bytes(row[0])), 0, ""):
        with chain.database.begin() as connection:
            data = read_small(connection, [piece.sha256])[piece.sha256]
        for line in iter_lines(io.BytesIO(data)):
            told = orjson.loads(line)
            found[told["k"], told["i"]] = told
    return {key: told for key, told in found.items() if told["b"] is not None}


def revs(chain: Chain) -> dict[str, int]:
    return {store_id: chain.rev_of(store_id) for store_id in chain.boxes}


def test_who_is_taken_away_goes_alone_to_the_store_at_once(
    chain: Chain, admin: httpx.Client
) -> None:
    change_price(admin, next(PRICES))
    before, old = revs(chain), content(chain, "1")
    assert ("staff", "4001") in old
    put_person(admin, "4001", "2")
    chain.runner().tick()
    after = revs(chain)
    assert {each for each in after if after[each] != before[each]} == {"1", "2"}
    gone = old.pop(("staff", "4001"))
    assert gone["b"]["name"] == "Ann"
    assert content(chain, "1") == old, "not even a price that is drafted goes along"
    (row,) = chain.rows(LINE, id="1")
    assert row[1:] == (["staff"], "admin", "4001")
    draft = admin.get("/v1/publications/draft").json()
    assert draft["staff"] == 0
    assert draft["prices"] > 0
    chain.runner().tick()
    assert revs(chain) == after
    drop_drafts(chain, admin)


def test_a_store_that_moved_to_another_price_zone_keeps_its_prices(
    chain: Chain, admin: httpx.Client
) -> None:
    before = content(chain, "2")
    admin.put("/v1/zones/south", json={"name": "South"}).raise_for_status()
    move(admin, "2", "south")
    scopes = "SELECT scopes FROM lineage WHERE store_id = '2'"
    old = chain.rows(scopes)
    put_person(admin, "4002", "1", "2")
    chain.runner().tick()
    after = content(chain, "2")
    assert after.pop(("staff", "4002"))["b"]["name"] == "Ann"
    assert after == before
    assert chain.rows(scopes) == old
    reached = submit(admin, plan=ALL)
    assert reached["stores"] == 1, "the move still waits for a release"
    act(admin, reached["release_id"], "cancel")
    move(admin, "2", None)


def test_what_waits_for_its_instant_waits_on_and_a_release_in_review_brings_nobody_back(
    chain: Chain, admin: httpx.Client
) -> None:
    change_price(admin, next(PRICES), "1", "3")
    plan = [{"name": "all", "percent": 100, "soak_s": 0}]
    held = submit(admin, plan=plan, starts_local="2099-01-01T06:00", approve=True)["release_id"]
    chain.runner().tick()
    assert chain.having(held) == {"1", "3"}
    change_price(admin, next(PRICES), "1", item=1)
    waits = submit(admin, plan=ALL)["release_id"]
    put_person(admin, "4003")
    chain.runner().tick()
    assert ("staff", "4003") not in content(chain, "3")
    assert chain.having(held) == {"1", "3"}
    states = "SELECT state FROM release_store WHERE release_id = :id"
    assert {state for (state,) in chain.rows(states, id=held)} == {"held"}
    for release_id in (held, waits):
        act(admin, release_id, "cancel" if release_id == waits else "halt")
    act(admin, held, "roll-back")
    roll_to_the_end(chain, admin, held)
    assert ("staff", "4003") not in content(chain, "3")
    drop_drafts(chain, admin)


def test_somebody_who_hands_in_prices_takes_nobody_into_their_review(
    chain: Chain, admin: httpx.Client
) -> None:
    change_price(admin, next(PRICES))
    put_person(admin, "4002", "2")
    release_id = submit(admin, plan=ALL)["release_id"]
    assert set(shown(admin, release_id)["by_kind"]) == {"price"}
    assert ("staff", "4002") not in content(chain, "1")
    act(admin, release_id, "cancel")
    drop_drafts(chain, admin)


def test_head_office_sees_which_boxes_go_by_a_change_of_a_person_and_which_do_not(
    chain: Chain, admin: httpx.Client
) -> None:
    """The box that somebody was taken away from counts most of all."""

    def reach() -> tuple[bool, int, int, int, list[str]]:
        people = admin.get("/v1/staff").json()["operators"]
        row = next(each for each in people if each["operator_id"] == "4009")
        counted = (int(row["boxes"]), int(row["boxes_stored"]), int(row["boxes_active"]))
        return bool(row["is_waiting"]), *counted, row["behind_store_ids"]

    put_person(admin, "4009", "1", "2")
    assert reach() == (True, 0, 0, 0, [])
    chain.runner().tick()
    chain.follow()
    assert reach() == (False, 2, 2, 2, [])
    put_person(admin, "4009", "2")
    assert reach()[0], "not sent yet"
    chain.runner().tick()
    assert reach() == (False, 2, 0, 0, ["1", "2"])
    chain.follow("2")
    assert reach() == (False, 2, 1, 1, ["1"])
    chain.follow()
    assert reach() == (False, 2, 2, 2, [])
