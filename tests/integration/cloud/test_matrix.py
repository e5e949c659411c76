"""What the database counts and finds is what judging every store one by one says."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from cloud.db import Database
from cloud.publication.converge import Column
from cloud.publication.matrix import MatrixQuery, csv_rows, judged, matrix, standing_of, summary
from tests.integration.cloud.fleet_rows import NOW_MS, fill

STORES = 1_200
COLUMNS = ("", *(column.value for column in Column))
STATES = ("current", "not_shown", "staged", "lagging", "refused", "silent", "behind")


@pytest.fixture(scope="module")
def rows(database: Database) -> list[dict[str, Any]]:
    """Every store, judged by the pure functions."""
    fill(database, STORES)
    with database.begin() as connection:
        return judged(connection, NOW_MS)


def is_so(row: dict[str, Any], column: str, state: str) -> bool:
    name = standing_of(row, column)
    return name != "current" if state == "behind" else name == state


def test_the_database_counts_what_the_judge_says(
    database: Database, rows: list[dict[str, Any]]
) -> None:
    told = matrix(database, MatrixQuery(size=5), NOW_MS)
    assert told["counts"] == Counter(standing_of(row) for row in rows)
    assert set(told["counts"]) == set(STATES) - {"behind"}  # every standing occurs
    for column in Column:
        assert told["kinds_counts"][column] == Counter(standing_of(row, column) for row in rows)
    for level in ("stored", "active", "shown"):
        reached = [row for row in rows if (row[f"{level}_rev"] or -1) >= (row["target_rev"] or 99)]
        assert told["reached"][level] == len(reached)
    assert (told["total"], told["reached"]["total"]) == (STORES, STORES)
    assert told["stores"] == rows[:5]
    short = summary(database, NOW_MS)
    assert short == {"target_rev": told["target_rev"], "states": told["counts"], **told["reached"]}


@pytest.mark.parametrize("column", COLUMNS)
def test_the_database_finds_the_stores_that_the_judge_names(
    database: Database, rows: list[dict[str, Any]], column: str
) -> None:
    for state in STATES:
        wanted = [row for row in rows if is_so(row, column, state)]
        query = MatrixQuery(state=state, column=column, page=2, size=7)
        told = matrix(database, query, NOW_MS)
        assert (told["total"], told["stores"]) == (len(wanted), wanted[7:14])
    found = csv_rows(database, query, NOW_MS)
    assert [row[0] for row in found] == [row["store_id"] for row in wanted]


def test_a_word_narrows_the_counts_too(database: Database, rows: list[dict[str, Any]]) -> None:
    told = matrix(database, MatrixQuery(word="77"), NOW_MS)
    wanted = [row for row in rows if "77" in row["store_id"]]
    assert told["stores"] == wanted
    assert told["counts"] == Counter(standing_of(row) for row in wanted)


def test_software_that_cannot_read_what_is_published_is_told(rows: list[dict[str, Any]]) -> None:
    old = [row for row in rows if row["because"] == "software_too_old"]
    assert old
    assert {row["state"] for row in old} == {"refused"}
