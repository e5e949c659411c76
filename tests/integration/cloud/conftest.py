"""A migrated database and boxes of one's own for each test."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable, Iterator

import httpx
import pytest
from argon2 import PasswordHasher

from cloud import passwords
from cloud.db import Database
from tests.fakes.box_stream import BoxStream
from tests.fakes.enrolment import enrol
from tests.lab.cloud_api import CloudApi

_numbers = itertools.count(1)


@pytest.fixture(scope="package", autouse=True)
def _cheap_passwords() -> Iterator[None]:
    """Most of the time of the tests that sign in would be the hash, which is meant to be slow."""
    real = passwords._PASSWORDS
    passwords._PASSWORDS = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    yield
    passwords._PASSWORDS = real


@pytest.fixture(scope="module")
def database(migrated_url: str) -> Iterator[Database]:
    """The file's database, migrated."""
    opened = Database(migrated_url)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def api(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudApi]:
    """The API over the file's database."""
    running = CloudApi(database.url, tmp_path_factory.mktemp("cloud")).start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def admin(api: CloudApi) -> httpx.Client:
    """A client that may do everything."""
    return api.client()


@pytest.fixture
def new_box(database: Database) -> Callable[[], BoxStream]:
    """Makes enrolled boxes, each with a store of its own."""

    def make() -> BoxStream:
        number = next(_numbers)
        name = base64.b32encode(number.to_bytes(10, "big")).decode().lower()
        box = BoxStream(f"d-{name}", f"s{number}")
        enrol(database, box)
        return box

    return make
