"""The database's steps: once, together, and never half."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from cloud.db import Database, incarnation
from cloud.deployment import bump_incarnation
from cloud.migrations import newest
from cloud.migrations.run import migrate
from cloud.migrations.state import require_migrated
from shared.kernel.errors import UnavailableError
from tests.lab.postgres import PostgresServer


@pytest.fixture
def empty(postgres: PostgresServer) -> Iterator[Database]:
    database = Database(postgres.create_database("to_migrate"))
    yield database
    database.close()
    postgres.drop_database("to_migrate")


def test_an_unmigrated_database_is_refused(empty: Database) -> None:
    with pytest.raises(UnavailableError, match=r"database\.not_migrated"):
        require_migrated(empty)
    migrate(empty)
    require_migrated(empty)


def test_servers_that_start_together_migrate_once(empty: Database) -> None:
    with ThreadPoolExecutor(max_workers=4) as pool:
        found = list(pool.map(lambda _: migrate(empty), range(4)))
    assert found == [newest()] * 4


def test_the_search_index_is_used_where_the_server_has_it(empty: Database) -> None:
    migrate(empty)
    with empty.begin() as connection:
        indexes = connection.execute(text("SELECT indexname FROM pg_indexes"))
        assert "item_search" in {name for (name,) in indexes}


def test_an_incarnation_stays_as_long_as_the_database_goes_on(empty: Database) -> None:
    migrate(empty)
    with empty.begin() as connection:
        first = incarnation(connection)
    with empty.begin() as connection:
        assert incarnation(connection) == first
    system, _, timeline = first.partition("-")
    assert system.isdigit()
    assert timeline == "1"


def test_a_person_can_declare_a_new_incarnation(empty: Database) -> None:
    migrate(empty)
    with empty.begin() as connection:
        first = incarnation(connection)
    assert bump_incarnation(empty) == f"{first}-1"
    assert bump_incarnation(empty) == f"{first}-2"
