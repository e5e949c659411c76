"""The table of faults is complete, and every test that it names is there to be run."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.faults.fault import Fault
from tests.faults.table import FAULTS, ROWS

ROOT = Path(__file__).resolve().parents[2]


@cache
def names_in(path: str) -> frozenset[str]:
    """Names of a file's test functions."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


def test_every_row_is_there_once_and_in_order() -> None:
    assert [fault.number for fault in FAULTS] == list(range(1, ROWS + 1))


@pytest.mark.parametrize("fault", FAULTS, ids=[f"row-{fault.number}" for fault in FAULTS])
def test_a_row_names_tests_that_exist_or_says_why_there_is_none(fault: Fault) -> None:
    assert all(len(text) > 5 for text in (fault.fault, fault.outcome, fault.means))
    assert fault.tests or len(fault.gap.split()) >= 4, "a row without a test says what is missing"
    for test in fault.tests:
        path, _, name = test.partition("::")
        assert Path(path).name.startswith("test_"), f"{path} is not collected"
        assert (ROOT / path).is_file(), path
        assert name in names_in(path), test


def test_no_row_names_a_test_twice() -> None:
    assert [fault.number for fault in FAULTS if len(set(fault.tests)) < len(fault.tests)] == []
