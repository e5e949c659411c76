"""Sentences for a person at a terminal or in a log, from `shared/i18n`."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import orjson

from shared.kernel.errors import RetailError


def sentence(error: RetailError, language: str = "en") -> str:
    """The error's text with its parameters filled in; its code when there is no text."""
    text = texts_of(language).get(f"error.{error.code}", str(error))
    for name, value in error.params.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


@cache
def texts_of(language: str) -> dict[str, str]:
    """All texts of a language by key: zh-CN, zh-TW or en."""
    found: dict[str, str] = orjson.loads(
        files("shared.i18n").joinpath(f"{language}.json").read_bytes()
    )
    return found
