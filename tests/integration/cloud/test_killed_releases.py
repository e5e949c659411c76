"""SIGKILL of the cloud's processes at each step of a release: all of a step happened, or nothing.

Each step is first taken by a process that dies inside its transaction; what is there must then be
as it was, and the same step taken again must go on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from cloud.db import Database
from shared.release.plan import plan_of
from tests.integration.cloud.killed import (
    Place,
    killed,
    person_acts,
    person_submits,
    runner_moves,
)
from tests.integration.cloud.releasing import (
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
    shown,
    submit,
)
from tests.lab.cloud_api import CloudApi

PLAN = [{"name": "some", "stores": ["1", "2"]}, {"name": "rest", "percent": 100, "soak_s": 0}]
COUNTED = (
    *("release", "release_event", "release_store", "release_flight", "release_draft"),
    *("zone_revision", "publication", "price_draft", "record", "piece"),
)
STANDING = """
    SELECT (SELECT json_agg((state, wave, because)) FROM release)::text,
        (SELECT sum(gen) FROM desired), (SELECT sum(rev + now_rev) FROM lineage)"""


@pytest.fixture(scope="module")
def api(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudApi]:
    running = CloudApi(database.url, tmp_path_factory.mktemp("killed"), now_clock()).start()
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


@dataclass(slots=True)
class Life:
    """A release's life, in which every step is first taken by a process that is killed."""

    chain: Chain
    people: dict[str, httpx.Client]
    release_id: int = 0
    proven: set[tuple[Any, ...]] = field(default_factory=set)
    """Steps (and where the release was) at which a process has been killed."""

    def submit(self) -> None:
        self._die("submit", person_submits, plan_of(PLAN))
        self.release_id = submit(self.people["buyer"], plan=PLAN)["release_id"]

    def by(self, who: str, verb: str) -> dict[str, Any]:
        self._die(verb, person_acts, self.release_id, verb)
        told = act(self.people[who], self.release_id, verb)
        self.release_id = told["release_id"]
        return told

    def runs(self) -> dict[str, Any]:
        """The runner makes one move; boxes follow."""
        self._die("runner", runner_moves)
        self.chain.runner().step(self.release_id)
        self.chain.follow()
        return shown(self.people["buyer"], self.release_id)

    def waits(self) -> None:
        """The soak goes by."""
        self.chain.clock.at_ms += SOAK_MS
        self.chain.follow()

    def _die(self, step: str, deed: Callable[..., None], *arguments: Any) -> None:
        standing = "SELECT state, wave FROM release WHERE release_id = :id"
        where = (step, *self.chain.rows(standing, id=self.release_id))
        if where in self.proven and deed is not runner_moves:
            return
        before = self._seen()
        folder = self.chain.api.folder
        place = Place(
            self.chain.database.url, folder / "objects", folder / "hq.key", self.chain.clock.at_ms
        )
        assert killed(deed, place, *arguments), f"{step} was not reached"
        assert self._seen() == before, step
        self.proven.add(where)

    def _seen(self) -> list[Any]:
        counts = ", ".join(f"(SELECT count(*) FROM {table})" for table in COUNTED)  # noqa: S608
        return [*self.chain.rows(f"SELECT {counts}"), *self.chain.rows(STANDING)]


def to_the_end(life: Life) -> None:
    life.submit()
    life.by("approver", "approve")
    assert life.runs()["wave"] == 0
    life.by("buyer", "pause")
    life.by("buyer", "resume")
    life.by("approver", "advance")
    assert life.runs()["wave"] == 1
    assert life.runs()["state"] == "done"
    life.by("buyer", "roll-back")
    life.waits()
    while life.runs()["state"] != "done":
        life.waits()


def stopped_by_a_guard(life: Life) -> None:
    life.submit()
    life.by("approver", "approve")
    life.runs()
    for store_id in life.chain.having(life.release_id):
        life.chain.refuse(store_id, "replica.digest")
    assert life.runs()["state"] == "halted"
    assert life.runs()["state"] == "rolling_back"
    assert life.runs()["state"] == "rolled_back"


def stopped_by_people(life: Life) -> None:
    life.submit()
    life.by("approver", "reject")
    life.submit()
    life.by("buyer", "cancel")
    life.submit()
    life.by("approver", "approve")
    life.runs()
    life.by("buyer", "halt")
    life.by("buyer", "roll-back")
    life.chain.follow()
    assert life.runs()["state"] == "rolled_back"


@pytest.fixture(scope="module")
def life(chain: Chain, buyer: httpx.Client, approver: httpx.Client) -> Life:
    """What was proven in one story need not be proven again in the next."""
    return Life(chain, {"buyer": buyer, "approver": approver})


@pytest.mark.parametrize("story", [to_the_end, stopped_by_a_guard, stopped_by_people])
def test_a_killed_process_leaves_a_step_undone_and_the_next_one_takes_it(
    chain: Chain, admin: httpx.Client, life: Life, story: Callable[[Life], None]
) -> None:
    change_price(admin, next(PRICES))
    story(life)
    assert len(life.proven) >= 8
    assert_nothing_is_under_way(chain)
    change_price(admin, next(PRICES))
    drop_drafts(chain, admin)
    revs = chain.rows("SELECT count(DISTINCT digest) FROM lineage")
    assert (revs, len(STORES)) == ([(1,)], 8)  # every store sells by the same in the end
