"""Releases over a real database: people, waves, guards, and a runner that may die anywhere."""

from __future__ import annotations

import csv
import io
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from cloud.__main__ import main
from cloud.db import Database
from cloud.release.move import Move
from cloud.release.runner import ReleaseThread
from cloud.release.signal import Counts, Signals, Sold
from cloud.release.signal_store import add
from cloud.release.simulation_job import SimulationJob
from cloud.release.steps import Step, carry_out
from shared.release.plan import CANARY_MIN
from tests.integration.cloud.publications import publish_all
from tests.integration.cloud.releasing import (
    ALL,
    GTINS,
    MINUTE_MS,
    PRICES,
    SOAK_MS,
    STORES,
    Chain,
    act,
    assert_nothing_is_under_way,
    change_price,
    drop_drafts,
    now_clock,
    open_chain,
    roll_to_the_end,
    shown,
    submit,
)
from tests.lab.cloud_api import CloudApi
from tests.lab.net import sleep_briefly

FREE = {
    "id": "zero",
    "level": "basket",
    "target": {"all": True},
    "reward": {"type": "percent_off", "bp": 10_000},
    "ignores_floor": True,
}


@pytest.fixture(scope="module")
def api(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudApi]:
    running = CloudApi(database.url, tmp_path_factory.mktemp("releases"), now_clock()).start()
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
    """Each test leaves the chain as it found it: no drafts, no release in flight."""
    yield
    assert_nothing_is_under_way(chain)


def test_a_release_reaches_the_stores_in_waves_and_is_done(
    chain: Chain, buyer: httpx.Client, approver: httpx.Client
) -> None:
    change_price(buyer, 1100)
    preview = buyer.get("/v1/releases/draft/preview").json()
    assert (preview["changes"], preview["stores"], preview["moves_total"]) == (8, 8, 8)
    assert (preview["moves"][0]["old_minor"], preview["moves"][0]["move_bp"]) == (1000, 1000)
    told = submit(buyer)
    release_id = told["release_id"]
    assert (told["state"], told["needs_approval"], told["may"]) == ("review", False, ["cancel"])
    assert buyer.get("/v1/publications/draft").json()["changes"] == 0
    told = act(approver, release_id, "approve")
    runner = chain.runner()
    runner.tick()
    told = shown(buyer, release_id)
    assert [wave["stores"] for wave in told["waves"]] == [3, 0, 0, 0]
    assert told["waits"]["why"] == "storing"
    chain.follow()
    runner.tick()
    assert shown(buyer, release_id)["waits"]["why"] == "soak"
    told = roll_to_the_end(chain, buyer, release_id)
    assert [wave["stores"] for wave in told["waves"]] == [3, 0, 1, 4]
    assert told["progress"]["active"] == 8
    assert chain.having(release_id) == set(STORES)
    rows = buyer.get(f"/v1/releases/{release_id}/stores", params={"wave": 3}).json()
    assert (rows["total"], rows["counts"]) == (4, {"shown": 8})
    changes = buyer.get(f"/v1/releases/{release_id}/changes.csv").text
    assert len(list(csv.DictReader(io.StringIO(changes)))) == 8


def test_a_finished_release_is_taken_back_by_one_with_the_old_content(
    chain: Chain, buyer: httpx.Client, admin: httpx.Client
) -> None:
    change_price(buyer, next(PRICES), item=2)
    release_id = submit(buyer, plan=ALL, approve=True)["release_id"]
    roll_to_the_end(chain, buyer, release_id)
    (made,) = buyer.get(f"/v1/releases/{release_id}/preview").json()["moves"][:1]
    undo = act(buyer, release_id, "roll-back")
    assert (undo["undoes"], undo["state"]) == (release_id, "approved")
    twice = act(buyer, release_id, "roll-back", 409)
    assert (twice["code"], twice["params"]["release_id"]) == (
        "release.conflict",
        undo["release_id"],
    )
    chain.runner().tick()
    assert len(chain.having(undo["release_id"])) == 3  # by waves, as it came
    assert act(buyer, release_id, "roll-back", 409)["code"] == "release.conflict"
    told = roll_to_the_end(chain, buyer, undo["release_id"])
    assert told["state"] == "done"
    (back,) = buyer.get(f"/v1/releases/{undo['release_id']}/preview").json()["moves"][:1]
    assert (back["old_minor"], back["new_minor"]) == (made["new_minor"], made["old_minor"])
    assert act(buyer, release_id, "roll-back", 409)["code"] == "release.superseded"
    assert buyer.get("/v1/publications/draft").json()["changes"] == 8
    drop_drafts(chain, admin)


def test_an_offer_that_gives_all_away_stops_at_the_canary_and_is_taken_back_by_itself(
    chain: Chain, buyer: httpx.Client, approver: httpx.Client, admin: httpx.Client
) -> None:
    document = {"format": "tillbox-offers/1", "offers": [FREE]}
    buyer.post("/v1/offers/import", json=document).raise_for_status()
    answer = buyer.post("/v1/releases", json={"note": "alone", "approve": True})
    assert answer.json()["code"] == "release.second_person"
    release_id = submit(buyer)["release_id"]
    act(approver, release_id, "approve")
    runner = chain.runner()
    runner.tick()
    canary = chain.having(release_id)
    assert len(canary) == 3
    chain.follow()
    began_ms = chain.clock.at_ms
    for store_id in STORES:
        chain.sell(store_id, free=store_id in canary)
    for _ in range(20):
        chain.clock.at_ms += 1_000
        runner.tick()
        chain.follow()
        if shown(buyer, release_id)["state"] == "rolled_back":
            break
    told = shown(buyer, release_id)
    assert (told["state"], told["because"]) == ("rolled_back", "zero_lines")
    assert chain.clock.at_ms - began_ms <= MINUTE_MS
    assert chain.having(release_id) == set()
    reached = chain.rows("SELECT store_id FROM release_store WHERE release_id = :i", i=release_id)
    assert {store_id for (store_id,) in reached} == canary
    (guard,) = [each for each in told["guards"] if each["guard"] == "zero_lines"]
    assert (guard["state"], guard["value"]) == ("tripped", 10_000)
    assert {seen["store_id"] for seen in guard["evidence"]} == canary
    actions = [event["action"] for event in told["events"]]
    assert actions == ["submitted", "approved", "wave", "halted", "rolling_back", "rolled_back"]
    assert [event["by"] for event in told["events"]][3:] == ["", "", ""]
    assert buyer.get("/v1/publications/draft").json()["offers"] == 1
    buyer.post("/v1/offers/zero/end", json={}).raise_for_status()
    assert publish_all(admin).json()["code"] == "publication.nothing"


class KilledError(BaseException):
    """The process died."""


def flaky(seen: Counter[str]) -> Callable[[Step, Move], None]:
    """Does everything of a move, and dies the first time before it is committed."""

    def carry(step: Step, move: Move) -> None:
        carry_out(step, move)
        key = f"{type(move).__name__}{getattr(move, 'n', '')}"
        seen[key] += 1
        if seen[key] == 1:
            raise KilledError

    return carry


def test_a_runner_that_dies_in_every_move_goes_on_where_it_was(
    chain: Chain, buyer: httpx.Client, approver: httpx.Client
) -> None:
    change_price(buyer, next(PRICES))
    release_id = submit(buyer)["release_id"]
    act(approver, release_id, "approve")
    before = {store_id: chain.rev_of(store_id) for store_id in STORES}
    seen, told = Counter[str](), dict[str, Any]()
    for _ in range(40):
        try:
            chain.runner(carry=flaky(seen)).tick()
        except KilledError:
            continue
        chain.follow()
        told = shown(buyer, release_id)
        if told["state"] == "done":
            break
        chain.clock.at_ms += SOAK_MS
        chain.follow()
    assert told["state"] == "done"
    assert seen == {"StartWave0": 2, "StartWave1": 2, "StartWave2": 2, "StartWave3": 2, "Finish": 2}
    actions = [event["action"] for event in told["events"]]
    assert actions == ["submitted", "approved", *["wave"] * 4, "done"]
    brought = chain.rows(
        "SELECT store_id, count(*) FROM zone_revision JOIN lineage ON zone = 'store-' || store_id"
        " WHERE zone_revision.rev > :rev GROUP BY store_id",
        rev=max(before.values()),
    )
    assert dict(brought) == dict.fromkeys(STORES, 1)


def test_a_roll_back_that_dies_in_every_move_goes_on_too(
    chain: Chain, buyer: httpx.Client, approver: httpx.Client, admin: httpx.Client
) -> None:
    change_price(buyer, next(PRICES))
    release_id = submit(buyer)["release_id"]
    act(approver, release_id, "approve")
    chain.runner().tick()
    for store_id in chain.having(release_id):
        chain.refuse(store_id, "replica.digest")
    seen = Counter[str]()
    for _ in range(20):
        chain.clock.at_ms += 5_000
        try:
            chain.runner(carry=flaky(seen)).tick()
        except KilledError:
            continue
        if shown(buyer, release_id)["state"] == "rolling_back":
            chain.follow()
    told = shown(buyer, release_id)
    assert (told["state"], told["because"]) == ("rolled_back", "digest")
    assert seen == {"Halt": 2, "RollBack": 2, "RolledBack": 2}
    assert chain.having(release_id) == set()
    drop_drafts(chain, admin)


def test_a_release_that_breaks_the_runner_does_not_stop_the_others(
    chain: Chain, buyer: httpx.Client
) -> None:
    change_price(buyer, next(PRICES))
    broken = submit(buyer, approve=True, plan=ALL)["release_id"]
    change_price(buyer, next(PRICES), item=1)
    sound = submit(buyer, approve=True, plan=ALL)["release_id"]

    def carry(step: Step, move: Move) -> None:
        if step.release.release_id == broken:
            raise ValueError("broken")
        carry_out(step, move)

    chain.runner(carry=carry).tick()
    assert shown(buyer, broken)["because"] == "internal"
    assert chain.having(sound) == set(STORES)
    for release_id in (broken, sound):
        assert roll_to_the_end(chain, buyer, release_id)["state"] == "done"


def test_what_no_box_asks_for_any_more_is_let_go_an_hour_after_the_start(chain: Chain) -> None:
    chain.rows("INSERT INTO piece VALUES (repeat('0', 64), 'old') RETURNING sha256")
    old = "SELECT count(*) FROM piece WHERE sha256 = repeat('0', 64)"
    runner = chain.runner()
    runner.tick()
    assert chain.rows(old) == [(1,)]
    chain.clock.at_ms += 60 * MINUTE_MS
    runner.tick()
    assert chain.rows(old) == [(0,)]


def test_what_reaches_no_store_yet_stays_a_draft(chain: Chain, admin: httpx.Client) -> None:
    admin.put("/v1/zones/moon", json={"name": "Moon"}).raise_for_status()
    change_price(admin, next(PRICES), "zone:moon")
    for path in ("/v1/publications", "/v1/releases"):
        answer = admin.post(path, json={"note": "nobody"})
        assert (answer.status_code, answer.json()["code"]) == (409, "publication.nothing")
        assert chain.rows("SELECT scope FROM price_draft") == [("zone:moon",)]
    change_price(admin, next(PRICES))
    drop_drafts(chain, admin)
    assert chain.rows("SELECT count(*) FROM record WHERE scope = 'zone:moon'") == [(1,)]


def test_a_store_that_joins_while_a_release_is_under_way_gets_the_offers_with_the_next(
    chain: Chain, buyer: httpx.Client, admin: httpx.Client
) -> None:
    club = {**FREE, "id": "club", "reward": {"type": "percent_off", "bp": 100}}
    document = {"format": "tillbox-offers/1", "offers": [club]}
    buyer.post("/v1/offers/import", json=document).raise_for_status()
    drop_drafts(chain, admin)
    change_price(buyer, next(PRICES))
    release_id = submit(buyer, approve=True)["release_id"]
    chain.runner().tick()
    body = {"name": "Late", "time_zone": "Asia/Shanghai", "currency": "CNY"}
    admin.put("/v1/stores/late", json=body).raise_for_status()
    assert roll_to_the_end(chain, buyer, release_id)["state"] == "done"
    assert chain.rev_of("late")
    change_price(buyer, next(PRICES), item=1)
    drop_drafts(chain, admin)
    held = "SELECT key FROM record WHERE scope = 'store-late' AND kind = 'offer'"
    assert chain.rows(held) == [("club",)]
    buyer.post("/v1/offers/club/end", json={}).raise_for_status()
    drop_drafts(chain, admin)
    assert chain.rows(held) == []
    chain.rows("DELETE FROM store WHERE store_id = 'late' RETURNING 1")


def test_two_people_who_submit_and_approve_at_once_make_one_release(
    chain: Chain, api: CloudApi, buyer: httpx.Client, approver: httpx.Client, admin: httpx.Client
) -> None:
    change_price(buyer, next(PRICES))
    with ThreadPoolExecutor() as pool:
        body = {"note": "at once"}
        asked = [pool.submit(each.post, "/v1/releases", json=body) for each in (buyer, admin)]
        answers = [each.result() for each in asked]
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    (refused,) = [answer.json()["code"] for answer in answers if answer.status_code == 409]
    assert refused == "publication.nothing"
    (release_id,) = [answer.json()["release_id"] for answer in answers if answer.status_code == 201]
    with ThreadPoolExecutor() as pool:
        path = f"/v1/releases/{release_id}/approve"
        asked = [pool.submit(each.post, path, json={}) for each in (approver, admin)]
        answers = [each.result() for each in asked]
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    (refused,) = [answer.json()["code"] for answer in answers if answer.status_code == 409]
    assert refused == "release.state"
    told = roll_to_the_end(chain, buyer, release_id)
    actions = [event["action"] for event in told["events"]]
    assert (actions.count("approved"), actions.count("submitted")) == (1, 1)


def test_nobody_approves_their_own_large_release(
    chain: Chain, buyer: httpx.Client, approver: httpx.Client, admin: httpx.Client
) -> None:
    change_price(admin, 2500)
    refused = publish_all(admin)
    assert (refused.status_code, refused.json()["code"]) == (409, "release.second_person")
    refused = admin.post("/v1/releases", json={"approve": True})
    assert refused.json()["code"] == "release.second_person"
    assert admin.get("/v1/publications/draft").json()["changes"] == 8
    told = submit(admin)
    release_id = told["release_id"]
    assert told["needs_approval"]
    assert "approve" not in told["may"]
    assert act(admin, release_id, "approve", 409)["code"] == "release.second_person"
    assert act(buyer, release_id, "approve", 403)["code"] == "permission.missing"
    because = admin.get(f"/v1/releases/{release_id}/preview").json()["approval_because"]
    assert [each["rule"] for each in because] == ["move"]
    assert "approve" in shown(approver, release_id)["may"]
    act(approver, release_id, "reject")
    assert admin.get("/v1/publications/draft").json()["changes"] == 8
    change_price(admin, next(PRICES))
    publish_all(admin)


def test_a_price_of_a_zone_moves_that_of_the_chain_and_asks_for_a_second_person(
    chain: Chain, buyer: httpx.Client, admin: httpx.Client
) -> None:
    admin.put("/v1/zones/dear", json={"name": "Dear"}).raise_for_status()
    change_price(admin, 1000, "chain", item=2)
    drop_drafts(chain, admin)
    change_price(buyer, 100, "zone:dear", item=2)
    change_price(buyer, next(PRICES))
    preview = buyer.get("/v1/releases/draft/preview").json()
    assert {each["rule"] for each in preview["approval_because"]} == {"move"}
    answer = buyer.post("/v1/releases", json={"note": "alone", "approve": True})
    assert (answer.status_code, answer.json()["code"]) == (409, "release.second_person")
    chain.clock.at_ms += 1
    change_price(buyer, 1000, "zone:dear", item=2)
    drop_drafts(chain, admin)


def test_a_sale_of_more_than_there_can_be_keeps_no_journal_from_being_stored(chain: Chain) -> None:
    sold = {(0, 1, GTINS[0]): Sold(1, 10**12, 0)}
    with chain.database.engine.connect() as connection:
        connection.execute(text("UPDATE item SET cost_minor = 99999999"))
        add(connection, "1", Signals({(0, 1): Counts(sales=1)}, sold))
        cost = connection.execute(text("SELECT cost_minor FROM sale_signal WHERE minute = 0"))
        assert cost.scalar_one() == 10**15


def test_the_margin_effect_comes_from_recorded_sales_in_the_background(
    chain: Chain, buyer: httpx.Client, admin: httpx.Client
) -> None:
    for _ in range(3):
        chain.sell("1", free=False)
    change_price(buyer, 1)
    told = submit(buyer, note="far too cheap")
    release_id = told["release_id"]
    path = f"/v1/releases/{release_id}/preview"
    assert buyer.get(path).json()["simulation"]["state"] == "waiting"
    job = SimulationJob(chain.database, chain.clock, threading.Event())
    while job.run_next():
        pass
    found = buyer.get(path).json()["simulation"]
    assert (found["state"], found["done"]) == ("done", found["total"])
    (total,) = found["totals"]
    assert total["currency"] == "CNY"
    assert total["baskets"] >= 3
    assert total["paying_less"] == total["touched"] > 0
    assert total["net_after_minor"] < total["net_before_minor"]
    act(buyer, release_id, "cancel")
    assert not job.run_next()
    drafts = admin.get("/v1/publications/draft").json()
    assert drafts["changes"] == 8
    change_price(admin, next(PRICES))
    publish_all(admin)


def last_sunday_of_march(year: int) -> date:
    last = date(year, 3, 31)
    return last - timedelta(days=(last.weekday() + 1) % 7)


def sign_in_again(api: CloudApi, **clients: httpx.Client) -> None:
    """Months have passed."""
    for role, client in clients.items():
        client.headers["Authorization"] = api.client(role).headers["Authorization"]


def test_a_start_in_the_night_of_the_changing_clocks_is_each_stores_own(
    chain: Chain, api: CloudApi, buyer: httpx.Client, approver: httpx.Client, admin: httpx.Client
) -> None:
    """02:30 does not exist in Berlin that night: its store begins as the clock jumps to 03:00."""
    now = datetime.fromtimestamp(chain.clock.at_ms / 1000, UTC)
    sunday = last_sunday_of_march(now.year + 1)
    change_price(buyer, next(PRICES))
    told = submit(buyer, starts_local=f"{sunday}T02:30", approve=True)
    release_id = told["release_id"]
    assert told["state"] == "approved"
    runner = chain.runner()
    for _ in range(8):
        runner.tick()
        chain.follow()
        chain.clock.at_ms += SOAK_MS
        chain.follow()
    found = dict(
        chain.rows("SELECT store_id, at_ms FROM release_store WHERE release_id = :i", i=release_id)
    )

    def utc_ms(day: date, hour: int, minute: int) -> int:
        at = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
        return int(at.timestamp()) * 1000

    assert found["7"] == utc_ms(sunday, 1, 0)
    assert found["8"] == utc_ms(sunday, 6, 30)
    assert found["1"] == utc_ms(sunday - timedelta(days=1), 18, 30)
    told = shown(buyer, release_id)
    assert (told["state"], told["waits"]["why"]) == ("rolling", "instant")
    assert told["progress"]["stored"] == 8
    assert told["progress"]["active"] == 0
    chain.clock.at_ms = utc_ms(sunday, 1, 0)
    runner.tick()
    chain.follow()
    sign_in_again(api, buyer=buyer, approver=approver, admin=admin)
    rows = buyer.get(f"/v1/releases/{release_id}/stores").json()
    assert {row["store_id"] for row in rows["stores"] if row["state"] == "shown"} == {*STORES[:7]}
    chain.clock.at_ms = utc_ms(sunday, 6, 30) + SOAK_MS
    assert roll_to_the_end(chain, buyer, release_id)["state"] == "done"


def test_a_halt_while_a_wave_is_half_stored_leaves_no_store_with_it(
    chain: Chain, buyer: httpx.Client, approver: httpx.Client, admin: httpx.Client
) -> None:
    change_price(buyer, next(PRICES))
    told = submit(buyer, plan=[{"name": "all", "percent": 100}], approve=True)
    release_id = told["release_id"]
    chain.runner().tick()
    chain.follow("1", "2")
    told = shown(buyer, release_id)
    assert told["progress"]["stored"] == 2
    assert told["progress"]["brought"] == 8
    told = act(buyer, release_id, "halt")
    assert (told["state"], told["may"]) == ("halted", ["roll-back"])
    chain.clock.at_ms += SOAK_MS
    chain.runner().tick()
    assert shown(buyer, release_id)["state"] == "halted"
    act(buyer, release_id, "roll-back")
    chain.runner().tick()
    assert shown(buyer, release_id)["state"] in {"rolling_back", "rolled_back"}
    told = roll_to_the_end(chain, buyer, release_id)
    assert told["state"] == "rolled_back"
    assert chain.having(release_id) == set()
    prices = chain.rows(
        "SELECT count(*) FROM release_store WHERE state <> 'withdrawn' AND release_id = :i",
        i=release_id,
    )
    assert prices == [(0,)]
    drop_drafts(chain, admin)


def test_a_scheduled_release_that_is_halted_never_starts(
    chain: Chain, buyer: httpx.Client, admin: httpx.Client
) -> None:
    starts = datetime.fromtimestamp(chain.clock.at_ms / 1000, UTC) + timedelta(days=3)
    change_price(buyer, next(PRICES))
    told = submit(buyer, starts_local=starts.strftime("%Y-%m-%dT%H:%M"), approve=True)
    release_id = told["release_id"]
    chain.runner().tick()
    chain.follow()
    assert len(chain.having(release_id)) == 3
    act(buyer, release_id, "halt")
    assert chain.having(release_id) == set()
    act(buyer, release_id, "roll-back")
    assert roll_to_the_end(chain, buyer, release_id)["state"] == "rolled_back"
    drop_drafts(chain, admin)


def test_a_release_of_the_same_records_waits_for_the_one_under_way(
    chain: Chain, buyer: httpx.Client
) -> None:
    change_price(buyer, next(PRICES))
    first = submit(buyer, approve=True)["release_id"]
    chain.runner().tick()
    change_price(buyer, next(PRICES))
    second = submit(buyer, approve=True)["release_id"]
    chain.runner().tick()
    told = shown(buyer, second)
    assert (told["state"], told["because"]) == ("queued", "conflict")
    assert told["conflicts"][0]["release_id"] == first
    change_price(buyer, next(PRICES), item=1)
    beside = submit(buyer, approve=True, plan=ALL)
    assert roll_to_the_end(chain, buyer, beside["release_id"])["state"] == "done"
    assert roll_to_the_end(chain, buyer, first)["state"] == "done"
    assert roll_to_the_end(chain, buyer, second)["state"] == "done"


def test_pause_holds_the_next_wave_and_a_person_may_skip_a_soak(
    chain: Chain, buyer: httpx.Client, approver: httpx.Client
) -> None:
    change_price(buyer, next(PRICES))
    release_id = submit(buyer, approve=True)["release_id"]
    runner = chain.runner()
    runner.tick()
    chain.follow()
    assert act(buyer, release_id, "pause")["may"] == ["resume", "halt", "roll-back"]
    chain.clock.at_ms += 2 * SOAK_MS
    chain.follow()
    runner.tick()
    assert len(chain.having(release_id)) == 3
    act(buyer, release_id, "resume")
    assert act(buyer, release_id, "advance", 403)["code"] == "permission.missing"
    chain.follow()
    runner.tick()
    act(approver, release_id, "advance")
    runner.tick()
    assert len(chain.having(release_id)) > 3
    assert roll_to_the_end(chain, buyer, release_id)["state"] == "done"


def test_a_plan_may_name_stores_and_groups_that_are_there(
    chain: Chain, buyer: httpx.Client, admin: httpx.Client
) -> None:
    body = {"name": "Pilot", "rank": 1, "store_ids": ["4", "5"]}
    admin.put("/v1/groups/pilot", json=body).raise_for_status()
    change_price(buyer, next(PRICES))
    for wave, code in (({"stores": ["99"]}, "store.unknown"), ({"group": "x"}, "group.unknown")):
        plan = [{"name": "first", **wave}, {"name": "rest", "percent": 100}]
        assert buyer.post("/v1/releases", json={"plan": plan}).json()["code"] == code
    few: tuple[dict[str, Any], ...] = ({"stores": ["8"]}, {"percent": 50})
    for wave in few:
        answer = buyer.post("/v1/releases", json={"plan": [{"name": "only", **wave}]})
        assert (answer.status_code, answer.json()["code"]) == (422, "release.plan_end")
    plan = [
        {"name": "one", "stores": ["8"]},
        {"name": "pilot", "group": "pilot"},
        {"name": "rest", "percent": 100},
    ]
    release_id = submit(buyer, plan=plan, approve=True)["release_id"]
    roll_to_the_end(chain, buyer, release_id)
    rows = buyer.get(f"/v1/releases/{release_id}/stores").json()["stores"]
    waves = {row["store_id"]: row["wave"] for row in rows}
    assert waves == {"8": 0, "4": 1, "5": 1, **dict.fromkeys(("1", "2", "3", "6", "7"), 2)}


def test_a_first_wave_that_has_none_of_the_stores_never_leaves_all_to_the_last(
    chain: Chain, buyer: httpx.Client, admin: httpx.Client
) -> None:
    body: dict[str, Any] = {"name": "Closed", "rank": 2, "store_ids": []}
    admin.put("/v1/groups/closed", json=body).raise_for_status()
    change_price(buyer, next(PRICES))
    plan = [{"name": "closed", "group": "closed"}, {"name": "rest", "percent": 100}]
    release_id = submit(buyer, plan=plan, approve=True)["release_id"]
    chain.runner().tick()
    assert len(chain.having(release_id)) == CANARY_MIN
    assert roll_to_the_end(chain, buyer, release_id)["state"] == "done"
    assert len(chain.having(release_id)) == len(STORES)


def test_what_a_pin_is_checked_by_is_in_no_table_of_changes(
    chain: Chain, admin: httpx.Client
) -> None:
    body = {"name": "Ann", "role": "cashier", "pin": "4711", "store_ids": ["1"]}
    # Changes of people ask who makes them to prove it anew; the module's own proof may be old.
    proved = chain.api.client("it")
    proved.put("/v1/staff/1001", json=body).raise_for_status()
    answer = admin.get("/v1/releases/draft/changes.csv").raise_for_status()
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["kind"], row["key"], row["new"]) for row in rows] == [("staff", "1001", "")]
    drop_drafts(chain, admin)


def wait_until(is_so: Callable[[], bool], timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline
        sleep_briefly()


def test_the_workers_thread_moves_releases_by_itself(chain: Chain, buyer: httpx.Client) -> None:
    change_price(buyer, next(PRICES))
    thread = ReleaseThread(chain.runner)
    thread.start()
    try:
        release_id = submit(buyer, plan=ALL, approve=True)["release_id"]
        wait_until(lambda: len(chain.having(release_id)) == len(STORES))
        chain.follow()
        wait_until(lambda: shown(buyer, release_id)["state"] == "done")
    finally:
        thread.stop()


def test_policy_and_guards_are_kept_with_who_set_them(
    chain: Chain, approver: httpx.Client, admin: httpx.Client
) -> None:
    found = approver.get("/v1/release-policy").json()
    assert (found["lines_max"], found["changed_by"]) == (200, "admin")
    assert [wave["percent"] for wave in found["undo_plan"]] == [1, 100]
    assert (found["evidence_wait_s"], found["evidence_then"]) == (43_200, "ask")
    wanted = {**found, "lines_max": 5}
    assert approver.put("/v1/release-policy", json=wanted).status_code == 403
    told = admin.put("/v1/release-policy", json=wanted).json()
    assert (told["lines_max"], told["changed_by"]) == (5, "admin")
    assert [wave["percent"] for wave in told["plan"]] == [1, 10, 50, 100]
    admin.put("/v1/release-policy", json=found).raise_for_status()
    guards = admin.get("/v1/release-guards").json()["guards"]
    off = {**guards[0], "is_on": False}
    told = admin.put("/v1/release-guards", json={"guards": [off]}).json()["guards"]
    assert [each["is_on"] for each in told] == [False, *[True] * (len(guards) - 1)]
    admin.put("/v1/release-guards", json={"guards": [guards[0]]}).raise_for_status()
    odd = {**off, "guard": "full_moon"}
    assert admin.put("/v1/release-guards", json={"guards": [odd]}).status_code in {409, 422}


def test_the_command_line_hands_in_shows_approves_and_cancels(
    chain: Chain,
    buyer: httpx.Client,
    admin: httpx.Client,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = chain.api.context.settings
    monkeypatch.setenv("TILLBOX_CLOUD_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("TILLBOX_CLOUD_OBJECT_DIR", settings.object_dir)
    monkeypatch.setenv("TILLBOX_CLOUD_HQ_KEY_FILE", str(chain.api.folder / "hq.key"))

    def run(*words: str) -> tuple[int, str]:
        code = main(["release", *words])
        return code, capsys.readouterr().out

    change_price(buyer, next(PRICES))
    code, out = run("draft")
    assert (code, out.splitlines()[0]) == (0, "8 changes for 8 stores: {'price': 8}")
    code, out = run("submit", "--by", "buyer", "--note", "by hand", "--waves", "50,100")
    assert code == 0
    release_id = out.strip()
    assert run("approve", release_id, "--by", "buyer")[0] == 1
    assert run("approve", release_id, "--by", "nobody")[0] == 1
    code, out = run("approve", release_id, "--by", "approver")
    assert (code, out.splitlines()[0]) == (0, f"release {release_id}: approved")
    assert [line for line in run("list")[1].splitlines() if "by hand" in line]
    assert "50 %: waiting" in run("show", release_id)[1]
    code, out = run("cancel", release_id, "--by", "buyer", "--reason", "not today")
    assert out.splitlines()[-1].endswith("buyer cancelled not today")
    drop_drafts(chain, admin)
