"""A migrated database and boxes of one's own for each test."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable, Iterator

import pytest

from cloud.db import Database
from cloud.migrations.run import migrate
from tests.fakes.box_stream import BoxStream
from tests.fakes.enrolment import enrol

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def database(database_url: str) -> Iterator[Database]:
    """The file's database, migrated."""
    opened = Database(database_url)
    migrate(opened)
    yield opened
    opened.close()


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
