"""Every adapter of a device says which rules it keeps, and what is called done can be looked up."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.architecture.sources import ROOT, dotted, text_of, tree_of, with_suffix
from tests.architecture.test_i18n import catalogue

FOLDER = Path("edge/device")
QUALITY = FOLDER / "quality.yaml"
RULES = (
    *("contract", "reconnect", "bounded", "faults", "no_hang"),
    *("report", "self_test", "hot_plug", "hardware"),
)
NEEDS_PROOF = {"contract": Path("tests/contract"), "hardware": Path("tests/hardware")}
FAULT = re.compile(r"(scanner|printer|drawer|scale|display|shelf|device)\.[a-z_]+")
TOLD_AT_THE_BASKET = {"scanner.pairing_code"}
"""The trouble of one scan, not of the scanner."""
NO_ADAPTERS = {"ShelfLine", "BadSetup"}
"""They stand in the list of devices to tell of the store's broker and of a file with a mistake."""


@cache
def classes() -> dict[str, tuple[Path, ast.ClassDef]]:
    return {
        node.name: (path, node)
        for path in with_suffix(".py", below=("edge",))
        if path.parent == FOLDER
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ClassDef)
    }


def bases(name: str) -> list[str]:
    _, node = classes()[name]
    return [dotted(base).rpartition(".")[2] for base in node.bases]


def methods(name: str) -> set[str]:
    """Its own and those of its bases that stand in this folder."""
    _, node = classes()[name]
    own = {each.name for each in node.body if isinstance(each, ast.FunctionDef)}
    return own.union(*(methods(base) for base in bases(name) if base in classes()))


def is_adapter(name: str) -> bool:
    path, _ = classes()[name]
    is_device = "report" in methods(name) or (
        name.endswith("Transport")
        or (path.stem.startswith("virtual_") and "start" in methods(name))
    )
    is_base = any(name in bases(other) for other in classes())
    is_port = "Protocol" in bases(name) or name in NO_ADAPTERS
    return is_device and not is_base and not is_port and not name.startswith("_")


def verdicts() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(text_of(QUALITY))["adapters"]
    return found


def claims(*, of: str | None = None) -> Iterator[tuple[str, str, str, str]]:
    """Yield adapter, rule, state and what is said for it."""
    for name, rules in verdicts().items():
        for rule, verdict in rules.items():
            state, said = ("done", "") if verdict == "done" else next(iter(verdict.items()))
            if of is None or state == of:
                yield name, rule, state, said


def test_every_adapter_has_its_entry_and_no_other() -> None:
    adapters = {f"{classes()[name][0].stem}.{name}" for name in classes() if is_adapter(name)}
    assert sorted(verdicts()) == sorted(adapters)


def test_every_entry_answers_every_rule() -> None:
    assert [name for name, rules in verdicts().items() if tuple(rules) != RULES] == []


def test_what_is_open_or_exempt_says_why() -> None:
    unsaid = [
        (name, rule)
        for name, rule, state, said in claims()
        if state not in {"done", "open", "exempt"} or (state != "done" and len(said) < 10)
    ]
    assert unsaid == []


@pytest.mark.parametrize("rule", NEEDS_PROOF)
def test_a_proof_is_a_test_that_names_its_adapter(rule: str) -> None:
    for name, claimed, _, said in claims(of="done"):
        if claimed != rule:
            continue
        path, _, test = said.partition("::")
        assert Path(path).is_relative_to(NEEDS_PROOF[rule]), (name, said)
        assert (ROOT / path).is_file(), (name, said)
        text = text_of(Path(path))
        is_known = re.search(rf"\b{name.partition('.')[2]}\b", text) is not None
        assert is_known, f"{path} does not know {name}"
        assert not test or f"def {test}(" in text, (name, said)


def test_reports_and_self_tests_that_are_done_are_there() -> None:
    missing = [
        (name, rule)
        for name, rule, _, _ in claims(of="done")
        if rule in {"report", "self_test"} and rule not in methods(name.partition(".")[2])
    ]
    assert missing == []


def faults() -> Iterator[tuple[str, str]]:
    """Yield the codes that a device may be in trouble with, and where they are made."""
    for path in with_suffix(".py", below=("edge",)):
        if path.parent != FOLDER:
            continue
        for node in ast.walk(tree_of(path)):
            for constant in _said_in(node):
                if FAULT.fullmatch(constant) and constant not in TOLD_AT_THE_BASKET:
                    yield constant, f"{path}:{getattr(node, 'lineno', 0)}"


def _said_in(node: ast.AST) -> Iterator[str]:
    said: list[ast.expr] = []
    if isinstance(node, ast.Call):
        made = dotted(node.func).rpartition(".")[2]
        if made in {"DeviceFaultError", "DeviceState", "LineError", "write"}:
            said = [*node.args, *(each.value for each in node.keywords)]
    elif isinstance(node, ast.Return) and node.value is not None:
        said = [node.value]
    elif isinstance(node, ast.Assign):
        said = [node.value] if isinstance(node.value, ast.Constant) else []
    for expression in said:
        for constant in ast.walk(expression):
            if isinstance(constant, ast.Constant) and isinstance(constant.value, str):
                yield constant.value


@pytest.mark.parametrize("about", ["fault", "todo"])
def test_every_fault_has_words_for_the_person_at_the_till(about: str) -> None:
    texts = catalogue("en")
    silent = {code: where for code, where in faults() if f"device.{about}.{code}" not in texts}
    assert silent == {}
