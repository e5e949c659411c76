"""Price change published at HQ -> active on four boxes, over a real broker."""

from __future__ import annotations

import secrets
import threading
import time
from pathlib import Path

import httpx
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.bench import snapshot
from tests.bench.catalogue import gtin_of
from tests.bench.figure import Figure, percentile, spread
from tests.demo.chain import Chain
from tests.demo.opening import set_up_stores
from tests.demo.pack.sample import sample_pack
from tests.demo.state import load_or_create
from tests.demo.uploads import catalogue_csv
from tests.lab.broker import Broker
from tests.lab.net import LOOPBACK

BOXES = 4
CHANGES = 40
GOAL_S = 1.0
POLL_S = 0.005


def measure(folder: Path) -> list[Figure]:
    """Publish one price at a time, then a whole catalogue, and ask each box when it is active."""
    stores = [(str(number), f"store {number}") for number in range(1, BOXES + 1)]
    chain = Chain(folder, load_or_create(folder, stores))
    try:
        chain.start_cloud()
        _set_up(chain)
        gtin = sample_pack().catalogue[0].ean13
        took = [_publish_one(chain, gtin, 1000 + number) for number in range(CHANGES)]
        limit = _fan_out_s(chain.broker)
        rss = _publish_catalogue(chain)
    finally:
        chain.stop()
    push = Figure(
        f"price change published -> active on {BOXES} boxes, p99",
        "s",
        percentile(took, 0.99),
        GOAL_S,
        limit,
        f"MQTT fan-out to {BOXES} clients",
        spread(took, "s"),
    )
    return [push, snapshot.memory_figure(rss)]


def _set_up(chain: Chain) -> None:
    hq = chain.console
    set_up_stores(chain)
    chain.start_boxes()
    hq.import_csv("/v1/items/import", catalogue_csv(sample_pack()))
    hq.change_price(sample_pack().catalogue[0].ean13, 999)
    hq.wait_converged("active_rev", hq.publish("first"), len(chain.boxes))


def _publish_catalogue(chain: Chain) -> int:
    """Import and publish a large catalogue; the largest box process afterwards, in bytes."""
    rows = "".join(
        f"{gtin_of(n)},商品 {n},部门,类别,品牌,500 g,0,\n" for n in range(snapshot.ITEMS)
    )
    names = "ean13,name,department,category,brand,package_size,weighed,plu\n"
    chain.console.import_csv("/v1/items/import", (names + rows).encode())
    rev = chain.console.publish("a large catalogue")
    chain.console.wait_converged("active_rev", rev, BOXES, timeout_s=120)
    return max(box.process.rss_bytes() for box in chain.boxes)


def _publish_one(chain: Chain, gtin: str, regular_minor: int) -> float:
    chain.console.change_price(gtin, regular_minor)
    began = time.perf_counter()
    rev = chain.console.publish("bench")
    with httpx.Client() as client:
        waiting = {box.url for box in chain.boxes}
        while waiting:
            time.sleep(POLL_S)
            waiting = {url for url in waiting if _active(client, url) < rev}
            assert time.perf_counter() - began < 10 * GOAL_S, waiting
    return time.perf_counter() - began


def _active(client: httpx.Client, url: str) -> int:
    revision: int = client.get(f"{url}/healthz").json()["active_revision"]
    return revision


def _fan_out_s(broker: Broker) -> float:
    """One message of a price's size from one client to four others, p99."""
    topic = f"tb/1/bench/{secrets.token_hex(4)}"
    arrived = threading.Semaphore(0)
    clients = [_client(broker) for _ in range(BOXES + 1)]
    for client in clients[1:]:
        client.on_message = lambda *_: arrived.release()
        client.subscribe(topic, qos=1)
    time.sleep(0.2)
    took = []
    for _ in range(CHANGES):
        began = time.perf_counter()
        clients[0].publish(topic, b"x" * 400, qos=1)
        for _ in range(BOXES):
            assert arrived.acquire(timeout=5)
        took.append(time.perf_counter() - began)
    for client in clients:
        client.disconnect()
        client.loop_stop()
    return percentile(took, 0.99)


def _client(broker: Broker) -> mqtt.Client:
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2, client_id=secrets.token_hex(8), protocol=mqtt.MQTTv5
    )
    client.username_pw_set(broker.internal_user, broker.internal_password)
    client.connect(LOOPBACK, broker.internal_port)
    client.loop_start()
    return client
