"""What holds a release: a pause before its instant, a canary that nobody buys from."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from cloud.db import Database
from cloud.fleet.consumer import FleetConsumer
from cloud.mqtt import Message
from shared.kernel.ids import DeviceId
from shared.wire.message import Hello, message_bytes
from shared.wire.topics import up_hello
from tests.integration.cloud.releasing import (
    MINUTE_MS,
    PRICES,
    SOAK_MS,
    STORES,
    Chain,
    act,
    assert_nothing_is_under_way,
    change_price,
    now_clock,
    open_chain,
    roll_to_the_end,
    set_policy,
    shown,
    submit,
)
from tests.lab.cloud_api import CloudApi


@pytest.fixture(scope="module")
def api(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudApi]:
    running = CloudApi(database.url, tmp_path_factory.mktemp("stops"), now_clock()).start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def buyer(api: CloudApi) -> httpx.Client:
    return api.client("buyer")


@pytest.fixture(scope="module")
def approver(api: CloudApi) -> httpx.Client:
    return api.client("approver")


@pytest.fixture(scope="module")
def chain(api: CloudApi, admin: httpx.Client) -> Chain:
    return open_chain(api, admin)


@pytest.fixture(autouse=True)
def _nothing_is_under_way(chain: Chain) -> Iterator[None]:
    yield
    assert_nothing_is_under_way(chain)


def test_a_paused_release_reaches_no_instant_and_what_was_missed_begins_at_once(
    chain: Chain, buyer: httpx.Client
) -> None:
    starts = datetime.fromtimestamp(chain.clock.at_ms / 1000, ZoneInfo("Asia/Shanghai"))
    local = (starts + timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M")
    change_price(buyer, next(PRICES), *STORES[:6])  # all in one time zone
    plan = [{"name": "some", "stores": ["1", "2"]}, {"name": "rest", "percent": 100}]
    release_id = submit(buyer, starts_local=local, plan=plan, approve=True)["release_id"]
    runner = chain.runner()
    runner.tick()
    chain.follow()
    held = "SELECT store_id, at_ms FROM release_store WHERE state = 'held' AND release_id = :i"
    before = chain.rows(held, i=release_id)
    assert {store_id for store_id, _ in before} == {"1", "2"}
    told = act(buyer, release_id, "pause")
    assert (chain.having(release_id), told["events"][-1]["params"]) == (set(), {"held": 2})
    assert told["waves"][0]["progress"]["stored"] == 0
    act(buyer, release_id, "resume")
    assert sorted(chain.rows(held, i=release_id)) == sorted(before)
    chain.follow()
    act(buyer, release_id, "pause")
    chain.clock.at_ms += 4 * 60 * MINUTE_MS
    runner.tick()
    chain.follow()
    assert chain.having(release_id) == set()
    told = act(buyer, release_id, "resume")
    assert told["events"][-1]["params"] == {"again": 2, "late": 2}
    assert (chain.having(release_id), chain.rows(held, i=release_id)) == ({"1", "2"}, [])
    runner.tick()
    assert shown(buyer, release_id)["waits"]["why"] == "storing"
    assert roll_to_the_end(chain, buyer, release_id)["state"] == "done"


def test_a_canary_without_customers_waits_for_the_morning_or_for_a_person(
    chain: Chain, buyer: httpx.Client, approver: httpx.Client, admin: httpx.Client
) -> None:
    before = set_policy(admin, evidence_sales=4, evidence_wait_s=3_600)
    change_price(buyer, next(PRICES))
    release_id = submit(buyer, approve=True)["release_id"]
    runner = chain.runner()

    def look() -> dict[str, Any]:
        chain.follow()
        chain.clock.at_ms += SOAK_MS
        chain.follow()
        runner.tick()
        told = shown(buyer, release_id)
        next_at_ms = told["waves"][told["wave"]]["next_at_ms"]
        return {"wave": told["wave"], "next_at_ms": next_at_ms, **(told["waits"] or {})}

    runner.tick()
    canary = sorted(chain.having(release_id))
    seen = look()
    assert (seen["wave"], seen["why"], seen["next_at_ms"]) == (0, "evidence", None)
    assert seen["evidence"] == {"sales": 0, "sales_wanted": 4, "boxes": 3, "boxes_wanted": 2}
    other = next(store_id for store_id in STORES if store_id not in canary)
    for store_id in (canary[0], canary[0], canary[1], other):
        chain.sell(store_id, free=False)
    assert look()["evidence"]["sales"] == 3
    chain.sell(canary[2], free=False)
    assert look()["wave"] == 2  # the second wave of a chain of eight is empty
    for _ in range(4):
        seen = look()
    assert (seen["wave"], seen["why"], seen["until_ms"]) == (2, "evidence", seen["until_ms"])
    seen = look()
    assert (seen["wave"], seen["why"], seen["until_ms"]) == (2, "evidence_person", None)
    act(approver, release_id, "advance")
    assert look()["wave"] == 3
    set_policy(admin, **before)
    assert roll_to_the_end(chain, buyer, release_id)["state"] == "done"


def test_software_that_is_too_old_is_told_by_name_and_is_no_fault_of_the_release(
    chain: Chain, buyer: httpx.Client
) -> None:
    reads = "UPDATE box_state SET reads = :reads WHERE store_id = '2' RETURNING dev"
    chain.rows(reads, reads=1)
    change_price(buyer, next(PRICES))
    plan = [{"name": "some", "stores": ["1", "2"]}, {"name": "rest", "percent": 100}]
    release_id = submit(buyer, plan=plan, approve=True)["release_id"]
    runner = chain.runner()
    runner.tick()
    chain.follow("1", "3", "4", "5", "6", "7", "8")
    chain.clock.at_ms += SOAK_MS
    chain.follow("1", "3", "4", "5", "6", "7", "8")
    chain.refuse("2", "publication.manifest")
    runner.tick()
    told = shown(buyer, release_id)
    assert (told["state"], told["wave"], told["progress"]["failed"]) == ("rolling", 1, 1)
    rows = buyer.get(f"/v1/releases/{release_id}/stores", params={"state": "too_old"}).json()
    assert [row["because"] for row in rows["stores"]] == ["software_too_old"]
    chain.rows(reads, reads=2)
    chain.follow()
    assert roll_to_the_end(chain, buyer, release_id)["state"] == "done"


def test_an_offer_that_names_a_price_counts_by_how_deep_it_cuts(
    chain: Chain, buyer: httpx.Client
) -> None:
    for amount, value in ((800, None), (150, 8_000)):
        offer = {
            "id": "deep",
            "level": "price",
            "target": {"all": True},
            "reward": {"type": "price_each", "amount": amount},
        }
        document = {"format": "tillbox-offers/1", "offers": [offer]}
        buyer.post("/v1/offers/import", json=document).raise_for_status()
        preview = buyer.get("/v1/releases/draft/preview").json()
        moves = [each["value"] for each in preview["approval_because"] if each["rule"] == "move"]
        assert len(moves) == (value is not None)
        assert all(move > value for move in moves)
    buyer.post("/v1/offers/deep/end", json={}).raise_for_status()


def test_a_canary_has_a_box_of_every_model_that_boxes_told_with_their_hello(
    chain: Chain, buyer: httpx.Client
) -> None:
    models = dict(
        zip(STORES, ("Pi 4", "Pi 4", "Pi 5", "NUC", "NUC", "NUC", "", "x86"), strict=True)
    )
    nobody: Any = lambda *_: None  # noqa: E731 - whoever would be answered
    consumer = FleetConsumer(chain.database, chain.clock, nobody, nobody)
    for store_id, model in models.items():
        box, rev = chain.boxes[store_id], chain.rev_of(store_id)
        numbers = {"seq": 0, "acked": -1, "boot": 1, "conn": 1, "clk": 2, "t": 0, "unsynced": 0}
        said = Hello(
            dev=box.dev,
            stream=box.stream_id.hex(),
            hash="",
            sw="0.1.0",
            stored_rev=rev,
            active_rev=rev,
            model=model,
            reads=2,
            **numbers,
        )
        topic = up_hello(DeviceId(box.dev))
        consumer.on_hello(Message(topic, message_bytes(said), is_retained=False))
    told = {row["store_id"]: row["model"] for row in buyer.get("/v1/fleet/boxes").json()["boxes"]}
    assert {store_id: told[store_id] for store_id in models} == models
    change_price(buyer, next(PRICES))
    release_id = submit(buyer, approve=True)["release_id"]
    chain.runner().tick()
    canary = chain.having(release_id)
    # Four models, and boxes that do not say: five kinds, with the software that all of them run.
    assert len(canary) == 5
    assert {models[store_id] for store_id in canary} == set(models.values())
    chain.follow()
    assert roll_to_the_end(chain, buyer, release_id)["state"] == "done"
