"""Simulated stores against a real API, worker, broker and database."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from cloud.clock import SystemClock
from cloud.db import Database
from cloud.lightbox.box import LightBox, LightParts
from cloud.lightbox.catalog import Cloud
from cloud.lightbox.crowd import CrowdProcess, CrowdSettings
from cloud.lightbox.http import LightHttp
from cloud.lightbox.service import Crowd, make_crowd
from cloud.publication.engine import welcome
from shared.kernel.errors import RefusedError
from tests.lab.broker import Broker
from tests.lab.cloud_api import CloudApi
from tests.lab.net import LOOPBACK
from tests.lab.workers import Workers

BOXES = 4
BUSY_SALES_PER_DAY = 86_400
ITEMS = (
    b"ean13,name,department,category,brand,package_size,weighed,plu\n"
    b"4006381333931,Milk,GROCERY,MILK,House,1 l,0,\n"
)
MILK = "4006381333931"
WAIT_S = 30


@pytest.fixture(scope="module")
def crowd(database: Database) -> Crowd:
    return make_crowd(database, BOXES, SystemClock().now_ms(), welcome)


@pytest.fixture(scope="module")
def process(
    crowd: Crowd,
    api: CloudApi,
    broker: Broker,
    database: Database,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[CrowdProcess]:
    """A crowd on a thread of its own, with everything that it needs at head office."""
    workers = Workers(database.url, broker, _folder(tmp_path_factory))
    workers.here()
    boxes = [crowd.box(number) for number in range(1, BOXES + 1)]
    for box in boxes:
        broker.add_device(box.dev, box.secret)
    settings = CrowdSettings(
        api.url,
        (LOOPBACK, broker.device_port),
        api.context.hq_key.public_hex,
        BUSY_SALES_PER_DAY,
    )
    running = CrowdProcess(boxes, settings, SystemClock(), lambda: 0.5)
    stop = asyncio.Event()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=(running.run(stop),))
    thread.start()
    yield running
    loop.call_soon_threadsafe(stop.set)
    thread.join(WAIT_S)
    loop.close()
    workers.stop()


def _folder(factory: pytest.TempPathFactory) -> Path:
    return factory.mktemp("crowd")


def _until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _count(database: Database, query: str) -> int:
    with database.begin() as connection:
        return int(connection.execute(text(query)).scalar_one())


def test_every_light_box_takes_over_what_is_published_and_says_so(
    process: CrowdProcess, api: CloudApi, database: Database
) -> None:
    client = api.client()
    client.post("/v1/items/import", content=ITEMS).raise_for_status()
    rev = client.post("/v1/publications", json={"note": "first"}).json()["rev"]
    reached = f"SELECT count(*) FROM box_state WHERE stored_rev = {rev} AND active_rev = {rev}"  # noqa: S608
    _until(lambda: _count(database, reached) == BOXES)
    assert process.seen().connected == BOXES
    assert process.seen().counts["active"] >= BOXES


def test_what_light_boxes_sell_arrives_once_and_is_acknowledged(
    process: CrowdProcess, database: Database
) -> None:
    _until(lambda: _count(database, "SELECT count(*) FROM sale") >= 2 * BOXES)
    assert process.seen().counts["sold"] >= 2 * BOXES
    streams = "SELECT count(*) FROM stream WHERE status = 'open' AND head_seq >= 1"
    _until(lambda: _count(database, streams) == BOXES)
    assert _count(database, "SELECT count(*) FROM entry WHERE flag IS NOT NULL") == 0
    assert not [name for name in process.seen().counts if name.startswith("ack_")]


def test_a_box_that_was_off_for_a_week_needs_one_message_and_one_fetch(
    crowd: Crowd, api: CloudApi, broker: Broker, database: Database, process: CrowdProcess
) -> None:
    assert process.seen().connected == BOXES  # the worker that announces is up
    counts: Counter[str] = Counter()
    identity = make_crowd(database, BOXES + 1, SystemClock().now_ms(), welcome).box(BOXES + 1)
    broker.add_device(identity.dev, identity.secret)
    _publish(api, 299)  # what reaches the new store

    async def week() -> LightBox:
        http = LightHttp(api.url)
        parts = LightParts(
            SystemClock(),
            Cloud(http, api.context.hq_key.public_hex),
            (LOOPBACK, broker.device_port),
            lambda what: counts.update([what]),
        )
        box = LightBox(identity, parts)
        await _active(box, api)
        counts.clear()
        box.catalog.requests = 0
        for day in range(7):
            await asyncio.to_thread(_publish, api, 300 + day)
        await _active(box, api)
        http.close()
        return box

    box = asyncio.run(week())
    assert (counts["stored"], box.catalog.requests) == (1, 1)
    # What the broker kept, and the same once more in answer to a hello that tells of less.
    assert counts["desired"] in {1, 2}


async def _active(box: LightBox, api: CloudApi) -> None:
    """Connect, take over the newest revision, hang up."""
    wanted = f"SELECT catalog ->> 'rev' FROM desired WHERE dev = '{box.identity.dev}'"  # noqa: S608
    newest = _count(api.context.database, wanted)
    await box.connect()
    await asyncio.to_thread(_until, lambda: box.active_rev >= newest)
    await box.stop()


def _publish(api: CloudApi, minor: int) -> None:
    client = api.client()
    price = {"gtin": MILK, "store_ids": None, "regular_minor": minor, "confirm_large": True}
    client.post("/v1/prices", json=price).raise_for_status()
    client.post("/v1/publications", json={"note": "day"}).raise_for_status()


def test_a_crowd_is_made_once_and_not_among_real_stores(crowd: Crowd, database: Database) -> None:
    before = _count(database, "SELECT count(*) FROM store")
    again = make_crowd(database, BOXES, SystemClock().now_ms(), welcome)
    assert again.box(1).dev == crowd.box(1).dev
    assert _count(database, "SELECT count(*) FROM store") == before
    with database.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO store (store_id, name, time_zone, currency)"
                " VALUES ('17', 'Main street', 'Asia/Shanghai', 'CNY')"
            )
        )
    with pytest.raises(RefusedError, match=r"lightbox\.real_stores"):
        make_crowd(database, BOXES, SystemClock().now_ms(), welcome)
    with pytest.raises(RefusedError, match=r"lightbox\.count"):
        make_crowd(database, 0, SystemClock().now_ms(), welcome)
