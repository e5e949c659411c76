"""Every text stands in all three languages, and every error code has one."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator

import pytest

from tests.architecture.sources import PRODUCT, ROOT, dotted, tree_of, with_suffix

LANGUAGES = ("en", "zh-CN", "zh-TW")
CODE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")
FAMILIES = {
    "RetailError",
    *("RefusedError", "MissingError", "ForbiddenError", "UnavailableError", "CorruptError"),
}


def catalogue(language: str) -> dict[str, str]:
    path = ROOT / "shared" / "i18n" / f"{language}.json"
    texts: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return texts


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_has_the_same_keys_as_the_english_one(language: str) -> None:
    assert set(catalogue(language)) ^ set(catalogue("en")) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_names_the_same_parameters_in_every_language(language: str) -> None:
    english, texts = parameters_by_text("en"), parameters_by_text(language)
    assert [key for key in english if texts.get(key) != english[key]] == []


def parameters_by_text(language: str) -> dict[str, set[str]]:
    """Return the parameters of each text; the singular of a text may leave the number out."""
    found: dict[str, set[str]] = {}
    for key, text in catalogue(language).items():
        named = set(re.findall(r"\{(\w+)", text))
        found.setdefault(re.sub(r"_(one|other)$", "", key), set()).update(named)
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty_and_keys_are_sorted(language: str) -> None:
    texts = catalogue(language)
    assert [key for key, text in texts.items() if not text.strip()] == []
    assert list(texts) == sorted(texts)


def test_every_error_code_has_a_text() -> None:
    texts = catalogue("en")
    missing = sorted({code for code in error_codes() if f"error.{code}" not in texts})
    assert missing == []


def test_every_error_is_made_with_the_parameters_that_its_text_names() -> None:
    texts = catalogue("en")
    unfilled = [
        (ast.unparse(call), sorted(wanted - given))
        for call in made_errors()
        for code in codes_in(call)
        if (given := {keyword.arg for keyword in call.keywords}).isdisjoint({None})
        and not (wanted := set(re.findall(r"\{(\w+)\}", texts.get(f"error.{code}", "")))) <= given
    ]
    assert unfilled == []


def error_codes() -> Iterator[str]:
    """Yield the literal codes that errors of the five families are made with."""
    for call in made_errors():
        yield from codes_in(call)


def made_errors() -> Iterator[ast.Call]:
    for path in with_suffix(".py", below=PRODUCT):
        tree = tree_of(path)
        families = FAMILIES | subclasses(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and made_by(node.func, families):
                yield node


def subclasses(tree: ast.Module) -> set[str]:
    classes = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    return {node.name for node in classes if any(dotted(base) in FAMILIES for base in node.bases)}


def made_by(function: ast.expr, families: set[str]) -> bool:
    is_super = isinstance(function, ast.Attribute) and ast.unparse(function) == "super().__init__"
    return is_super or dotted(function).rpartition(".")[2] in families


def codes_in(call: ast.Call) -> Iterator[str]:
    named = [keyword.value for keyword in call.keywords if keyword.arg == "code"]
    for argument in [*call.args[:1], *named]:
        constants = (node for node in ast.walk(argument) if isinstance(node, ast.Constant))
        yield from (
            node.value
            for node in constants
            if isinstance(node.value, str) and CODE.fullmatch(node.value)
        )
