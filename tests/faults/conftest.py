"""Every test has a broker of its own, since most of them mistreat it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.db import Database
from tests.faults.world import Chain, hurry
from tests.lab.broker import Broker
from tests.lab.fault_proxy import FaultProxy
from tests.lab.workers import Workers


@pytest.fixture(scope="module")
def database(migrated_url: str) -> Iterator[Database]:
    opened = Database(migrated_url)
    yield opened
    opened.close()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    running = Broker(tmp_path / "broker").start()
    yield running
    running.stop()


@pytest.fixture
def swift(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time-outs short enough for a test."""
    hurry(monkeypatch)


@pytest.fixture
def workers(database: Database, broker: Broker, tmp_path: Path) -> Iterator[Workers]:
    made = Workers(database.url, broker, tmp_path)
    yield made
    made.stop()


@pytest.fixture
def chain(swift: None, database: Database, broker: Broker, tmp_path: Path) -> Iterator[Chain]:
    made = Chain(database, broker, tmp_path)
    yield made
    made.close()


@pytest.fixture
def line(broker: Broker) -> Iterator[FaultProxy]:
    """The way from a store to the broker."""
    running = FaultProxy(broker.device_port).start()
    yield running
    running.stop()
