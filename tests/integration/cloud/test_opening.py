"""A new store is opened: what the wizard gives out, the checklist on the way, the inventory."""

from __future__ import annotations

import pytest

from cloud.fleet import opening
from cloud.fleet.opening import Opening
from cloud.fleet.opening_store import Progress
from cloud.fleet.store import Store
from shared.kernel.errors import MissingError, RefusedError
from shared.wire.claim import parse_claim

NOW_MS = 1_800_000_000_000
CLOUD = ("https://hq.shops.example", "ab" * 32)


def a_store(store_id: str = "17", address: str = "10.1.17.5") -> Opening:
    place = Store(store_id, "Main street", "Asia/Shanghai", "CNY")
    return Opening(place, address, "alice")


def test_a_new_store_gets_its_claim_and_its_inventory_line(database) -> None:
    made = opening.open_store(database, a_store("w1"), CLOUD, NOW_MS)
    claim = parse_claim(made["claim_url"])
    assert (claim.cloud_url, claim.token, claim.ca_sha256) == (CLOUD[0], made["token"], CLOUD[1])
    assert made["expires_at_ms"] - NOW_MS == 72 * 3_600_000
    assert made["inventory"] == "store-w1 ansible_host=10.1.17.5 tillbox_store_id=w1"


def test_a_store_is_opened_once(database) -> None:
    opening.open_store(database, a_store("w2"), CLOUD, NOW_MS)
    with pytest.raises(RefusedError, match=r"store\.exists"):
        opening.open_store(database, a_store("w2"), CLOUD, NOW_MS)


def test_a_checklist_tells_what_is_done_and_what_is_not(database) -> None:
    opening.open_store(database, a_store("w3"), CLOUD, NOW_MS)
    found = opening.checklist(database, "w3")
    done = {step["code"] for step in found["steps"] if step["at_ms"] is not None}
    assert done == {"store", "claim"}
    assert (found["is_done"], found["dev"], found["address"]) == (False, "", "10.1.17.5")
    with pytest.raises(MissingError, match=r"store\.unknown"):
        opening.checklist(database, "nowhere")


def test_the_inventory_names_every_store_once(database) -> None:
    opening.open_store(database, a_store("w4", "box-w4.shops.example"), CLOUD, NOW_MS)
    [row] = [row for row in opening.inventory(database) if row["store_id"] == "w4"]
    assert (row["host"], row["address"], row["dev"]) == ("store-w4", "box-w4.shops.example", "")
    assert row["groups"] == []


@pytest.mark.parametrize(
    ("address", "is_one"),
    [
        ("10.0.0.1", True),
        ("fd00::1", True),
        ("box-17", True),
        ("box.shops.example", True),
        ("-x", False),
        ("a b", False),
        ("host; rm -rf /", False),
        ("ansible_host=x", False),
        ("{{ lookup('pipe', 'id') }}", False),
        ("a" * 254, False),
    ],
)
def test_an_address_is_a_name_or_an_ip_and_nothing_that_a_shell_reads(address, is_one) -> None:
    assert opening.is_address(address) is is_one


def test_nothing_is_written_for_an_address_that_is_none(database) -> None:
    with pytest.raises(RefusedError, match=r"store\.address"):
        opening.open_store(database, a_store("w5", "a b"), CLOUD, NOW_MS)
    with pytest.raises(MissingError):
        opening.checklist(database, "w5")


def test_a_store_that_sold_is_done() -> None:
    progress = Progress("n", "", 1, 1 + 72 * 3_600_000, "d", 2, 3, True, 4, 5, 6)
    assert all(step.at_ms is not None for step in opening.steps_of(progress))
