"""No file and no function grows beyond what a reader holds in mind."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.architecture.sources import text_of, tree_of, with_suffix

SOURCE_LINES = 500
TEST_LINES = 800
COMPONENT_LINES = 400
FUNCTION_LINES = 70


def test_files_are_short_enough_to_read() -> None:
    long = [
        f"{path}: {length} lines"
        for path in with_suffix(".py", ".ts", ".svelte", ".css")
        if (length := text_of(path).count("\n")) > allowed_lines(path)
    ]
    assert long == []


def allowed_lines(path: Path) -> int:
    if path.suffix == ".svelte":
        return COMPONENT_LINES
    if path.name.endswith((".d.ts", ".gen.ts")):  # generated from the OpenAPI documents
        return 1_000_000
    return TEST_LINES if path.parts[0] == "tests" else SOURCE_LINES


def test_functions_are_short_enough_to_read() -> None:
    long = [
        f"{path}:{node.lineno} {node.name}: {length} lines"
        for path in with_suffix(".py")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES
    ]
    assert long == []
