"""Real parts for every test, each started when asked for: PostgreSQL, MQTT broker, browser."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, Page

from cloud.db import Database
from cloud.migrations.run import migrate
from tests.lab.broker import Broker
from tests.lab.chromium import open_browser
from tests.lab.postgres import PostgresServer
from tests.lab.s3 import S3Server

pytest_plugins = ["tests.order"]

# A busy machine is no bug, so examples have no deadline; in CI everyone gets the same examples.
settings.register_profile("shop", deadline=None, print_blob=True)
settings.register_profile("ci", settings.get_profile("shop"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "shop")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """One server for all tests of this worker."""
    server = PostgresServer(tmp_path_factory.mktemp("postgres"), durable=False).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def database_url(postgres: PostgresServer) -> Iterator[str]:
    """An empty database for one test file."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield postgres.create_database(name)
    postgres.drop_database(name)


@pytest.fixture(scope="session")
def template(postgres: PostgresServer) -> Iterator[str]:
    """The name of a migrated database: copying it takes a third of the time of all steps."""
    name = f"template_{uuid.uuid4().hex[:12]}"
    with closing(Database(postgres.create_database(name))) as database:
        migrate(database)
    yield name
    postgres.drop_database(name)


@pytest.fixture(scope="module")
def migrated_url(postgres: PostgresServer, template: str) -> Iterator[str]:
    """A database at the newest step for one test file."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield postgres.create_database(name, template=template)
    postgres.drop_database(name)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One broker for all tests of this worker; give every test a box of its own."""
    running = Broker(tmp_path_factory.mktemp("broker")).start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """One S3 server for a test file (no longer: it is busy also while nobody asks it).

    Make buckets of your own.
    """
    running = S3Server(tmp_path_factory.mktemp("s3")).start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium for one test file (no longer: it holds the thread's event loop)."""
    with open_browser() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page, in a tablet's size; whatever the page logs as an error fails the test."""
    problems: list[str] = []
    context = browser.new_context(viewport={"width": 1024, "height": 600}, locale="en")
    fresh = context.new_page()
    fresh.on("pageerror", lambda error: problems.append(str(error)))
    yield fresh
    context.close()
    assert problems == []


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the work tree."""
    return Path(__file__).resolve().parents[1]
