"""The product's texts in one language: for receipts, for problem answers, for the command line."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import shared
from shared.kernel.errors import RetailError

_FOLDER = Path(next(iter(shared.__path__))) / "i18n"
FALLBACK_LOCALE = "en"


class Texts(dict[str, str]):
    """Texts by key. A missing one gives its key: no text may keep a shop from selling."""

    def __missing__(self, key: str) -> str:
        return key


@lru_cache(maxsize=4)
def load_texts(locale: str) -> Texts:
    """All texts of `zh-CN`, `zh-TW` or `en`."""
    return Texts(json.loads((_FOLDER / f"{locale}.json").read_text(encoding="utf-8")))


def sentence(error: RetailError, locale: str = FALLBACK_LOCALE) -> str:
    """What to tell a person about an error; its code where the catalogue has no text."""
    text = load_texts(locale).get(f"error.{error.code}")
    if text is None:
        return str(error)
    for name, value in error.params.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


def storable(text: str) -> str:
    """Text from outside as journal and cloud can keep it.

    A lone surrogate (half an emoji) is no UTF-8 and becomes "?"; NUL, which PostgreSQL refuses,
    goes.
    """
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "")
