"""A chain whose boxes do as they are told, for tests of releases."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
from sqlalchemy import text

from cloud.db import Database
from cloud.ingest.arrival import read_arrival
from cloud.ingest.service import ingest
from cloud.posters import POSTERS
from cloud.publication.engine import Publisher
from cloud.release.runner import Runner
from shared.journal.entry import EntryHeader, body_bytes
from shared.journal.event import SaleCompleted
from shared.sale.line_price import OFFER
from shared.sale.settle import settle
from shared.sale.transaction import RetailTransaction, SoldModifier, totals_of
from shared.wire.codec import event_data
from shared.wire.message import AckCode
from tests.fakes.box_stream import BoxStream, a_sale
from tests.fakes.enrolment import enrol
from tests.integration.cloud.publications import publish_all
from tests.lab.cloud_api import CloudApi, SettableClock

GTINS = ("4006381333931", "5901234123457", "9771234567003")
ITEM_HEADER = "ean13,name,department,category,brand,package_size,weighed,plu"
REPORT = text("""
    INSERT INTO box_state (dev, store_id, online, last_contact_at_ms, stored_rev, active_rev,
        shown_rev, stored_at_ms, active_at_ms, shown_at_ms, error)
    VALUES (:dev, :store_id, :online, :at_ms, :stored, :active, :active, :at_ms, :at_ms, :at_ms,
        :error)
    ON CONFLICT (dev) DO UPDATE SET online = excluded.online, error = excluded.error,
        last_contact_at_ms = excluded.last_contact_at_ms, stored_rev = excluded.stored_rev,
        active_rev = excluded.active_rev, shown_rev = excluded.shown_rev""")
LINEAGES = text("SELECT store_id, rev, now_rev FROM lineage")


STORES = tuple(f"{n}" for n in range(1, 9))
ZONES = {"7": "Europe/Berlin", "8": "America/New_York"}
ALL = [{"name": "all", "percent": 100, "soak_s": 0}]
PRICES = itertools.count(1_005, 5)
"""Small steps, which need no second person."""
MINUTE_MS = 60_000
SOAK_MS = 900_000


def now_clock() -> SettableClock:
    """A clock that begins at the true time: signals of sales from long ago are dropped."""
    return SettableClock(time.time_ns() // 1_000_000)


@dataclass(slots=True)
class Chain:
    """Stores with their boxes; `clock` is everybody's."""

    api: CloudApi
    clock: SettableClock
    boxes: dict[str, BoxStream] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        return self.api.context.database

    def runner(self, **parts: Any) -> Runner:
        context = self.api.context
        publisher = Publisher(context.database, context.objects, context.hq_key, context.sources)
        return Runner(publisher, self.clock, **parts)

    def open_store(self, admin: httpx.Client, store_id: str, zone: str = "Asia/Shanghai") -> None:
        body = {"name": f"Store {store_id}", "time_zone": zone, "currency": "CNY"}
        admin.put(f"/v1/stores/{store_id}", json=body).raise_for_status()
        name = store_id.translate(str.maketrans("0189", "wxyz"))  # base32 has no such digits
        box = BoxStream(f"d-{name.rjust(16, 'a')}", store_id)
        enrol(self.database, box)
        self.boxes[store_id] = box

    def follow(self, *stores: str) -> None:
        """These boxes (none named: all) store, activate and show what they should."""
        with self.database.begin() as connection:
            for store_id, rev, now_rev in connection.execute(LINEAGES).all():
                if store_id in self.boxes and (not stores or store_id in stores):
                    self._report(connection, store_id, stored=rev, active=now_rev)

    def refuse(self, store_id: str, error: str) -> None:
        """This box says that it cannot take what it should; it keeps what it had."""
        with self.database.begin() as connection:
            self._report(connection, store_id, stored=1, active=1, error=error)

    def rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        with self.database.begin() as connection:
            return [tuple(row) for row in connection.execute(text(statement), values)]

    def having(self, release_id: int) -> set[str]:
        """The stores that have a release."""
        found = self.rows(
            "SELECT store_id FROM release_store WHERE release_id = :id AND state <> 'withdrawn'",
            id=release_id,
        )
        return {store_id for (store_id,) in found}

    def rev_of(self, store_id: str) -> int:
        (found,) = self.rows("SELECT now_rev FROM lineage WHERE store_id = :id", id=store_id)
        return int(found[0])

    def sell(self, store_id: str, *, free: bool) -> None:
        """One sale in a store by its revision of now; `free`: an offer gave all of it away."""
        box = self.boxes[store_id]
        seq = len(box.bodies)
        sale = replace(a_sale(seq, is_member=False), revision=self.rev_of(store_id))
        lines = (
            replace(line, gtin=GTINS[place % len(GTINS)]) for place, line in enumerate(sale.lines)
        )
        sale = replace(sale, lines=tuple(lines))
        sale = _for_nothing(sale) if free else sale
        event = SaleCompleted(sale)
        header = EntryHeader(
            id=box.id_at(seq),
            type=event.type,
            stream=box.stream_id.hex(),
            seq=seq,
            at=self.clock.at_ms,
            boot=3,
            mono=60_000,
            clk=2,
            biz="2026-01-01",
            till="1",
            shift="1",
            actor="2041",
            sw="0.1.0",
            gt=(0, 0),
            cat=sale.revision,
        )
        box.append_body(body_bytes(header, event_data(event)))
        arrival = read_arrival(box.dev, box.batch(seq, seq))
        verdict = ingest(
            database=self.database, arrival=arrival, posters=POSTERS, now_ms=self.clock.at_ms
        )
        assert verdict.code is AckCode.OK, verdict

    def _report(
        self, connection: Any, store_id: str, *, stored: int, active: int, error: str | None = None
    ) -> None:
        connection.execute(
            REPORT,
            {
                "dev": self.boxes[store_id].dev,
                "store_id": store_id,
                "online": True,
                "at_ms": self.clock.at_ms,
                "stored": stored,
                "active": active,
                "error": error,
            },
        )


def _for_nothing(sale: RetailTransaction) -> RetailTransaction:
    lines = tuple(
        replace(
            line,
            net_minor=0,
            modifiers=(SoldModifier(OFFER, -line.gross_minor, "all for nothing", "zero"),),
        )
        for line in sale.lines
    )
    settlement = settle(0, ())
    totals = totals_of(lines, settlement)
    return replace(sale, lines=lines, tenders=(), change_minor=0, totals=totals)


def send_items(client: httpx.Client) -> None:
    """Some goods."""
    rows = [f"{gtin},Item {gtin},GROCERY,,,,0," for gtin in GTINS]
    body = "\n".join([ITEM_HEADER, *rows]).encode()
    client.post("/v1/items/import", content=body).raise_for_status()


def change_price(client: httpx.Client, minor: int, *stores: str, item: int = 0) -> None:
    """Draft a price from now on."""
    body = {
        "gtin": GTINS[item],
        "store_ids": list(stores) or None,
        "regular_minor": minor,
        "confirm_large": True,
    }
    client.post("/v1/prices", json=body).raise_for_status()


def open_chain(api: CloudApi, admin: httpx.Client) -> Chain:
    """Eight stores in three time zones that sell three items by a first publication."""
    clock = api.clock
    assert isinstance(clock, SettableClock)
    made = Chain(api, clock)
    for store_id in STORES:
        made.open_store(admin, store_id, ZONES.get(store_id, "Asia/Shanghai"))
    send_items(admin)
    for item in range(3):
        change_price(admin, 1000, item=item)
    publish_all(admin).raise_for_status()
    made.follow()
    set_policy(admin, evidence_sales=0)  # most tests sell nothing
    return made


def assert_nothing_is_under_way(chain: Chain) -> None:
    """No release in flight."""
    left = chain.rows(
        "SELECT release_id, state FROM release WHERE state NOT IN"
        " ('rejected', 'cancelled', 'rolled_back', 'done')"
    )
    assert left == []


def submit(client: httpx.Client, **more: Any) -> dict[str, Any]:
    answer = client.post("/v1/releases", json={"note": "test", **more})
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


def act(client: httpx.Client, release_id: int, verb: str, status: int = 200) -> dict[str, Any]:
    answer = client.post(f"/v1/releases/{release_id}/{verb}", json={"reason": f"test {verb}"})
    assert answer.status_code == status, answer.text
    told: dict[str, Any] = answer.json()
    return told


def set_policy(admin: httpx.Client, **changed: Any) -> dict[str, Any]:
    """Change some of the policy; what it was before."""
    before: dict[str, Any] = admin.get("/v1/release-policy").json()
    admin.put("/v1/release-policy", json={**before, **changed}).raise_for_status()
    return before


def shown(client: httpx.Client, release_id: int) -> dict[str, Any]:
    told: dict[str, Any] = client.get(f"/v1/releases/{release_id}").json()
    return told


def roll_to_the_end(chain: Chain, client: httpx.Client, release_id: int) -> dict[str, Any]:
    """Boxes follow, time passes, until the release is over."""
    runner, told = chain.runner(), dict[str, Any]()
    for _ in range(12):
        runner.tick()
        chain.follow()
        told = shown(client, release_id)
        if told["state"] in {"done", "rolled_back"}:
            return told
        chain.clock.at_ms += SOAK_MS
        chain.follow()
    raise AssertionError(f"not over: {told}")


def drop_drafts(chain: Chain, admin: httpx.Client) -> None:
    """What was given back goes out after all, so that the next test begins without drafts."""
    publish_all(admin).raise_for_status()
    chain.follow()
