"""2,000 boxes connected to one broker, while one of them sells.

The 2,000 speak MQTT 5 over plain sockets of one event loop: each logs in with its own name and
password on the boxes' listener, subscribes to its own topics and answers for its keepalive.

    python -m tests.bench.connections [--connections N] [--seconds S]
"""

from __future__ import annotations

import argparse
import asyncio
import struct
import tempfile
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cloud.db import Database
from cloud.fleet.broker_accounts import hashed_password
from cloud.migrations.run import migrate
from tests.bench.figure import Figure, percentile
from tests.faults.world import Chain, Store
from tests.lab.broker import Broker
from tests.lab.net import LOOPBACK
from tests.lab.postgres import PostgresServer
from tests.lab.workers import Workers

CONNECTIONS = 2_000
HOLD_S = 20.0
FILES_MAX = 8_192
KEEPALIVE_S = 10
PASSWORD = "crowd"
AT_ONCE = 100
CONNACK, SUBACK, PINGRESP = 0x20, 0x90, 0xD0
PINGREQ = b"\xc0\x00"


@dataclass(frozen=True, slots=True)
class Held:
    """What was seen: connections at the start and at the end, seconds, bytes, milliseconds."""

    connected: int
    held: int
    connect_s: float
    hold_s: float
    rss_bytes: int
    rss_alone_bytes: int
    sales: int
    ack_p50_ms: float
    ack_p99_ms: float


def measure(folder: Path, connections: int = CONNECTIONS, hold_s: float = HOLD_S) -> Figure:
    """How many of the connections were still there at the end."""
    found = hold(folder, connections, hold_s)
    return Figure(
        f"connections held by one broker for {found.hold_s:.0f} s while a box sells",
        "",
        found.held,
        connections,
        found.connected,
        "connections that came up",
        f"all up in {found.connect_s:.1f} s; {found.sales} sales, acknowledged after"
        f" {found.ack_p50_ms:.0f} ms (p50), {found.ack_p99_ms:.0f} ms (p99); broker"
        f" {found.rss_bytes / 1e6:.0f} MB, {found.rss_alone_bytes / 1e6:.0f} MB without them",
        higher_is_better=True,
    )


def hold(folder: Path, connections: int, hold_s: float) -> Held:
    """Connect the crowd, sell for `hold_s` seconds, count who is left."""
    server = PostgresServer(folder / "postgres").start()
    database = Database(server.create_database("connections"))
    migrate(database)
    broker = _broker(folder / "broker", connections)
    workers = Workers(database.url, broker, folder)
    chain = Chain(database, broker, folder)
    crowd = Crowd(broker.device_port, connections)
    try:
        workers.process()
        store = chain.store()
        _sale_ms(store)
        assert broker.process is not None
        rss_alone = broker.process.rss_bytes()
        connect_s = crowd.start()
        connected, took_ms = crowd.alive(), []
        began = time.perf_counter()
        while time.perf_counter() - began < hold_s:
            took_ms.append(_sale_ms(store))
            time.sleep(0.02)
        return Held(
            connected,
            crowd.alive(),
            connect_s,
            time.perf_counter() - began,
            broker.process.rss_bytes(),
            rss_alone,
            len(took_ms),
            percentile(took_ms, 0.5),
            percentile(took_ms, 0.99),
        )
    finally:
        crowd.stop()
        chain.close()
        workers.stop()
        broker.stop()
        database.close()
        server.stop()


def _broker(folder: Path, connections: int) -> Broker:
    broker = Broker(folder, files_max=max(FILES_MAX, 2 * connections))
    folder.mkdir(parents=True)
    hashed = hashed_password(PASSWORD, bytes(12))
    rows = (f"{_name(number)}:{hashed}\n" for number in range(connections))
    broker.password_file.write_text("".join(rows))
    broker.password_file.chmod(0o640)
    return broker.start()


def _name(number: int) -> str:
    return f"crowd-{number:05d}"


def _sale_ms(store: Store) -> float:
    began = time.perf_counter()
    store.sell()
    while not store.is_synced():
        time.sleep(0.0005)
    return (time.perf_counter() - began) * 1_000


class Crowd:
    """Connections that do nothing but stay."""

    def __init__(self, port: int, count: int) -> None:
        self._port = port
        self._count = count
        self._alive: set[int] = set()
        self._loop = asyncio.new_event_loop()
        self._tasks: list[asyncio.Task[None]] = []
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> float:
        """Connect all, some at once; seconds until the last one is subscribed."""
        self._thread.start()
        began = time.perf_counter()
        done: Future[None] = asyncio.run_coroutine_threadsafe(self._connect_all(), self._loop)
        done.result()
        return time.perf_counter() - began

    def alive(self) -> int:
        """Connections that the broker answers on, asked within the last keepalive."""
        return len(self._alive)

    def stop(self) -> None:
        """Hang up."""
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(30)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(5)

    async def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connect_all(self) -> None:
        gate = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(self._join(number, gate) for number in range(self._count)))

    async def _join(self, number: int, gate: asyncio.Semaphore) -> None:
        async with gate:
            reader, writer = await asyncio.open_connection(LOOPBACK, self._port)
            writer.write(_connect(_name(number)))
            await _expect(reader, CONNACK)
            writer.write(_subscribe(f"tb/1/d/{_name(number)}/dn/#"))
            await _expect(reader, SUBACK)
        self._alive.add(number)
        self._tasks.append(asyncio.create_task(self._stay(number, reader, writer)))

    async def _stay(
        self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            with suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                await asyncio.sleep(KEEPALIVE_S * number / self._count)  # spread over the time
                while True:
                    writer.write(PINGREQ)
                    async with asyncio.timeout(KEEPALIVE_S):
                        await _expect(reader, PINGRESP)
                    await asyncio.sleep(KEEPALIVE_S / 2)
        finally:
            self._alive.discard(number)
            writer.close()


async def _expect(reader: asyncio.StreamReader, kind: int) -> None:
    """Read packets until one of that kind; short ones only, which is all that comes here."""
    found = None
    while found != kind:
        head = await reader.readexactly(2)
        assert head[1] < 128, "a packet longer than anything expected here"
        await reader.readexactly(head[1])
        found = head[0]


def _connect(name: str) -> bytes:
    variable = _text("MQTT") + bytes((5, 0b1100_0010)) + struct.pack(">HB", KEEPALIVE_S, 0)
    return _packet(0x10, variable + _text(name) + _text(name) + _text(PASSWORD))


def _subscribe(topic_filter: str) -> bytes:
    return _packet(0x82, struct.pack(">HB", 1, 0) + _text(topic_filter) + b"\x01")


def _packet(kind: int, rest: bytes) -> bytes:
    assert len(rest) < 128
    return bytes((kind, len(rest))) + rest


def _text(text: str) -> bytes:
    return struct.pack(">H", len(text)) + text.encode()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    parser.add_argument("--seconds", type=float, default=HOLD_S)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(measure(Path(folder), asked.connections, asked.seconds))  # noqa: T201


if __name__ == "__main__":
    main()
