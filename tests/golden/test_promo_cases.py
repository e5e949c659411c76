"""The worked baskets: each was computed by hand, its note says how."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from cloud.__main__ import main
from cloud.price.cases import case_of, read_cases
from shared.price.condition import Condition
from shared.price.offer import BudgetPolicy, ExclusiveChoice, Level, Limits, StackMode, StackScope
from shared.price.reward import Reward
from tests.golden.made import FOLDER

FILE = FOLDER / "promo_cases.json"
CASES_MIN = 120


def offers() -> Iterator[Any]:
    for raw in read_cases(FILE):
        yield from case_of(raw).offers


def test_every_worked_basket_costs_what_was_computed_by_hand(capsys) -> None:
    status = main(["price", "check", str(FILE)])
    lines = capsys.readouterr().out.splitlines()
    count = len(read_cases(FILE))
    assert [line for line in lines if line.startswith("FAIL")] == []
    assert lines[-1] == f"{count} passed, 0 failed"
    assert status == 0


def test_the_baskets_are_many_and_each_shows_its_arithmetic() -> None:
    cases = read_cases(FILE)
    assert len(cases) >= CASES_MIN
    assert len({raw["id"] for raw in cases}) == len(cases)
    assert [raw["id"] for raw in cases if not raw["note"] or not raw["topic"]] == []


def test_every_kind_of_reward_and_condition_is_worked_out() -> None:
    found = list(offers())
    assert {type(offer.reward) for offer in found} == kinds_of(Reward)
    assert {type(each) for offer in found for each in offer.when} == kinds_of(Condition)
    assert {offer.level for offer in found} == set(Level)


def kinds_of(union: Any) -> set[Any]:
    return {kind for each in get_args(union) for kind in (get_args(each) or (each,))}


def test_every_way_to_stack_and_every_limit_is_worked_out() -> None:
    found = list(offers())
    assert {offer.stack.mode for offer in found} == set(StackMode)
    assert {offer.stack.scope for offer in found} == set(StackScope)
    assert {offer.stack.choose for offer in found} == set(ExclusiveChoice)
    assert {offer.limits.budget_policy for offer in found} == set(BudgetPolicy)
    names = [name for name in Limits.__dataclass_fields__ if name != "budget_policy"]
    unused = [n for n in names if all(getattr(offer.limits, n) is None for offer in found)]
    assert unused == []


@pytest.mark.parametrize(
    ("word", "values"),
    [
        ("rounding", {"floor", "half_even"}),
        ("allocation", {"last_line", "first_line"}),
        ("percent_base", {"list"}),
        ("return_policy", {"reprice"}),
        ("prices_include_tax", {False}),
    ],
)
def test_every_option_is_worked_out(word: str, values: set[object]) -> None:
    stated = [raw.get("options", {}).get(word) for raw in read_cases(FILE)]
    assert {value for value in stated if value is not None} == values


def test_the_file_is_one_case_a_line_so_that_a_change_shows_as_one() -> None:
    text = FILE.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith('  {"id"')]
    assert len(lines) == len(json.loads(text)["cases"])
