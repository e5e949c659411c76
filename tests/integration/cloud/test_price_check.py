"""What an item costs in a store: head office and the store's own copy give the same answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import text

from cloud.fleet.remote import take_result
from edge.replica.store import Replica
from edge.sale.price_check import PriceChecks
from edge.sync.fetch import ObjectFetcher
from shared.kernel.canonical import sha256
from shared.kernel.trusted_time import time_statement
from shared.publication.manifest import parse_manifest, pieces_needed
from shared.wire.message import CommandResult
from tests.integration.cloud.publications import publish_all, read
from tests.integration.cloud.releasing import GTINS, ITEM_HEADER, Chain, now_clock
from tests.integration.edge.boxes import an_identity
from tests.lab.cloud_api import CloudApi

BERLIN = ZoneInfo("Europe/Berlin")
DAY = 86_400_000
STORES = ("1", "2", "3")


@pytest.fixture(scope="module")
def chain(api: CloudApi, admin: httpx.Client) -> Chain:
    """Three stores: one with its own prices, one in a zone, one by the chain's; two revisions."""
    made = Chain(api, now_clock())
    for store_id in STORES:
        made.open_store(admin, store_id, "Europe/Berlin")
    put(admin, "/v1/zones/north", {"name": "North", "reason": "test"})
    put(admin, "/v1/places", {"store_ids": ["1", "2"], "zone_id": "north", "reason": "test"})
    rows = "\n".join([ITEM_HEADER, *(f"{gtin},Item {gtin},FOOD,,,,0," for gtin in GTINS)])
    admin.post("/v1/items/import", content=rows.encode()).raise_for_status()
    for place, minor in (("chain", 500), ("zone:north", 450), ("1", 399)):
        price(admin, GTINS[0], place, minor, member_minor=minor - 10)
    price(admin, GTINS[0], "1", 349, start="2030-11-27T00:00", until="2030-11-30T00:00")
    price(admin, GTINS[1], "chain", 1000)
    tax = {"place": "chain", "name": "tax/food", "from_local": "", "reason": "test"}
    put(admin, "/v1/settings", {**tax, "value": {"rate_bp": 700}})
    offers = {"format": "tillbox-offers/1", "offers": [half_price()]}
    admin.post("/v1/offers/import", json=offers).raise_for_status()
    publish_all(admin).raise_for_status()
    made.follow()
    price(admin, GTINS[1], "chain", 900)
    publish_all(admin).raise_for_status()
    made.follow("2", "3")
    return made


def put(client: httpx.Client, path: str, body: dict[str, Any]) -> None:
    client.put(path, json=body).raise_for_status()


def price(client: httpx.Client, gtin: str, place: str, minor: int, **more: Any) -> None:
    body = {"gtin": gtin, "store_ids": [place], "regular_minor": minor, "confirm_large": True}
    begins = {} if "start" in more else {"from_at_ms": 1000}
    client.post("/v1/prices", json={**body, **begins, **more}).raise_for_status()


def half_price() -> dict[str, Any]:
    return {
        "id": "half",
        "level": "basket",
        "target": {"sku": [GTINS[0]]},
        "reward": {"type": "percent_off", "bp": 5000},
    }


def boxed(chain: Chain, store_id: str, folder: Path) -> PriceChecks:
    """The store's own copy of the revision that it sells by."""
    api, rev = chain.api, active_rev(chain, store_id)
    [(data,)] = chain.rows(
        "SELECT manifest FROM zone_revision WHERE zone = :zone AND rev = :rev",
        zone=f"store-{store_id}",
        rev=rev,
    )
    manifest = parse_manifest(bytes(data))
    files = {}
    for piece in pieces_needed(manifest, 0, ""):
        files[piece.sha256] = folder / piece.sha256
        files[piece.sha256].write_bytes(read(api, piece.sha256))
    replica = Replica(folder / "replica", BERLIN)
    replica.open()
    replica.stage(manifest, files)
    replica.activate(rev, 1)
    return PriceChecks(replica, BERLIN, "CNY", chain.clock.now_ms)


def active_rev(chain: Chain, store_id: str) -> int:
    dev = chain.boxes[store_id].dev
    return int(chain.rows("SELECT active_rev FROM box_state WHERE dev = :dev", dev=dev)[0][0])


def ask(client: httpx.Client, store_id: str, gtin: str, **more: Any) -> dict[str, Any]:
    answer = client.get(f"/v1/stores/{store_id}/price-check", params={"gtin": gtin, **more})
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def test_both_sides_give_the_same_answer_for_every_item_store_and_instant(
    chain: Chain, admin: httpx.Client, tmp_path: Path
) -> None:
    levels = set()
    for store_id in STORES:
        (tmp_path / store_id).mkdir()
        box = boxed(chain, store_id, tmp_path / store_id)
        for gtin in GTINS:
            for at_ms in (1000, 1_795_320_000_000, 1_922_000_000_000):
                said = ask(admin, store_id, gtin, at=at_ms, qty=2000)["cloud"]
                own = box.answer(gtin, 2000, at_ms)
                assert said == _json(own.fields())
                levels.add(said["level"])
        assert isinstance(box.records, Replica)
        box.records.close()
    assert levels == {"store", "zone", "chain", None}


def _json(fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields, "rules": list(fields["rules"]), "reasons": list(fields["reasons"])}


def test_a_box_gets_all_that_a_revision_takes_with_one_request(
    chain: Chain, admin: httpx.Client, tmp_path: Path
) -> None:
    assert admin.base_url
    box = chain.boxes["2"]
    [(data, name)] = chain.rows(
        "SELECT manifest, manifest_sha FROM zone_revision WHERE zone = 'store-2'"
        " ORDER BY rev DESC LIMIT 1"
    )
    with chain.database.begin() as connection:
        connection.execute(
            text("UPDATE device SET secret_hash = :hash WHERE dev = :dev"),
            {"hash": sha256(b"s3"), "dev": box.dev},
        )
    identity = an_identity(dev=box.dev, secret="s3", cloud_url=chain.api.url)
    fetcher = ObjectFetcher(identity, tmp_path / "got", lambda: 0.0)
    fetcher.fetch_all("00" * 32, 0, "")
    assert fetcher._is_catalog_known, "a manifest that is not there is no older cloud"
    fetcher.fetch_all(name, 0, "")
    fetcher.close()
    manifest = parse_manifest(bytes(data))
    pieces = pieces_needed(manifest, 0, "")
    assert len(manifest.snapshots) > 1, "what stores share comes in pieces of its own"
    assert {path.name for path in (tmp_path / "got").iterdir()} == {
        name,
        *(piece.sha256 for piece in pieces),
    }
    replica = Replica(tmp_path / "replica", BERLIN)
    replica.open()
    replica.stage(manifest, {each.sha256: tmp_path / "got" / each.sha256 for each in pieces})
    assert replica.stored_revision() == manifest.rev
    replica.close()


def test_it_is_the_revision_that_counts_which_the_store_sells_by(
    chain: Chain, admin: httpx.Client
) -> None:
    costs = {}
    for store_id in STORES:
        found = ask(admin, store_id, GTINS[1])["cloud"]
        costs[store_id] = (found["revision"], found["unit_minor"])
    assert costs["1"] == (active_rev(chain, "1"), 1000), "the second revision is not there yet"
    assert {costs["2"][1], costs["3"][1]} == {900}


def test_the_answer_tells_level_period_and_rules(chain: Chain, admin: httpx.Client) -> None:
    assert chain.boxes
    in_sale = 1_922_000_000_000  # 27 November 2030, in the morning
    found = ask(admin, "1", GTINS[0], at=in_sale)["cloud"]
    assert (found["level"], found["unit_minor"], found["total_minor"]) == ("store", 349, 174)
    assert found["to_at_ms"] - found["from_at_ms"] == 3 * DAY
    assert [(rule["rule_id"], rule["amount_minor"]) for rule in found["rules"]] == [("half", -175)]
    codes = [reason["code"] for reason in found["reasons"]]
    assert codes == ["price_check.store", "price_check.changes", "price_check.offer"]
    found = ask(admin, "3", GTINS[2])["cloud"]
    assert (found["unit_minor"], found["reasons"][0]["code"]) == (None, "price_check.no_price")


def test_the_boxs_own_answer_stands_beside_it(
    chain: Chain, admin: httpx.Client, tmp_path: Path
) -> None:
    path = "/v1/stores/2/price-check"
    box, dev = boxed(chain, "2", tmp_path), chain.boxes["2"].dev
    for shift, is_equal in ((0, True), (1, False)):
        told = admin.post(path, json={"gtin": GTINS[0]}).raise_for_status().json()
        asked = {"at": told["at_ms"], "asked": told["asked"]}
        assert ask(admin, "2", GTINS[0], **asked)["box_because"] == "price_check.waits"
        [(args,)] = chain.rows("SELECT args FROM command WHERE id = :id", id=told["asked"])
        line = box.brief({**args, "qty": str(1000 + 1000 * shift)})
        result = CommandResult(told["asked"], "done", 5, detail=line)
        assert take_result(chain.database, dev, result, 6)
        found = ask(admin, "2", GTINS[0], **asked)
        assert (found["equal"], found["box_at_ms"], found["box_because"]) == (is_equal, 5, None)
        assert found["box"]["total_minor"] == 225 * (1 + shift)
        assert found["box"]["rules"][0]["amount_minor"] == -225 * (1 + shift)
    assert isinstance(box.records, Replica)
    box.records.close()


def test_what_cannot_be_answered_says_why(chain: Chain, admin: httpx.Client) -> None:
    found = ask(admin, "1", "4000000000006")
    assert (found["cloud"], found["because"]) == (None, "item.unknown")
    chain.open_store(admin, "4", "Europe/Berlin")
    assert ask(admin, "4", GTINS[0])["because"] == "price_check.no_revision"
    answer = admin.get("/v1/stores/99/price-check", params={"gtin": GTINS[0]})
    assert (answer.status_code, answer.json()["code"]) == (404, "store.unknown")
    assert ask(admin, "1", GTINS[0], asked="00")["box_because"] == "price_check.not_asked"


def test_anybody_may_ask_what_time_it_is_and_check_who_says_so(api: CloudApi) -> None:
    nonce = bytes(range(16))
    answer = httpx.post(f"{api.url}/v1/time", json={"nonce": nonce.hex()})
    told = answer.raise_for_status().json()
    assert told["nonce"] == nonce.hex()
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(api.context.hq_key.public_hex))
    key.verify(bytes.fromhex(told["sig"]), time_statement(nonce, told["t"]))
    assert httpx.post(f"{api.url}/v1/time", json={"nonce": "00"}).status_code == 422
