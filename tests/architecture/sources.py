"""The project's files as the house rules see them: everything git knows or would add."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("shared", "edge", "cloud")


@cache
def files() -> tuple[Path, ...]:
    """Return all files that are tracked, or would be: what a fresh clone holds."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = (Path(name) for name in listed.stdout.split("\0") if name)
    return tuple(sorted(path for path in paths if (ROOT / path).is_file()))


def with_suffix(*suffixes: str, below: tuple[str, ...] = ()) -> Iterator[Path]:
    """Yield files by ending, relative to the root; `below` keeps those in the named folders."""
    for path in files():
        if path.suffix in suffixes and (not below or path.parts[0] in below):
            yield path


def text_of(path: Path) -> str:
    """Return a file's text."""
    return (ROOT / path).read_text(encoding="utf-8")


@cache
def tree_of(path: Path) -> ast.Module:
    """Return a Python file's syntax tree."""
    return ast.parse(text_of(path), str(path))


def imports_of(path: Path) -> Iterator[tuple[str, int]]:
    """Yield each imported module's full name with its line."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module, node.lineno


def dotted(node: ast.expr) -> str:
    """Return `a.b.c` for a chain of attributes; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        head = dotted(node.value)
        return f"{head}.{node.attr}" if head else ""
    return ""
