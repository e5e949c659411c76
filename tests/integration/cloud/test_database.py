"""What a process that stands still holds in the database."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from cloud.db import Database

LOCK = text("SELECT pg_advisory_xact_lock(7)")
IDLE_MS = 100


def test_a_transaction_that_nobody_goes_on_with_gives_its_locks_back(database: Database) -> None:
    frozen = Database(database.url, idle_ms=IDLE_MS)
    began = time.monotonic()
    connection = frozen.engine.connect()
    connection.execute(LOCK)
    with database.begin() as other:  # waits until the first one is ended
        other.execute(LOCK)
    with pytest.raises(DBAPIError):
        connection.execute(LOCK)
    connection.close()
    assert time.monotonic() - began >= IDLE_MS / 1_000
    frozen.close()


def test_an_error_tells_nothing_of_what_a_statement_was_given(database: Database) -> None:
    """Errors end up in logs, and what was given may be somebody's."""
    with pytest.raises(DBAPIError) as failed, database.begin() as connection:
        connection.execute(text("SELECT :given FROM no_table"), {"given": "whoever-it-is"})
    assert "no_table" in str(failed.value)
    assert "whoever-it-is" not in str(failed.value)
