"""Receipt texts in the store's language, from the catalogue that the web apps read too."""

from __future__ import annotations

import json
from pathlib import Path

import shared

_FOLDER = Path(next(iter(shared.__path__))) / "i18n"
_PREFIXES = ("receipt.", "modifier.", "tender.")


class ReceiptTexts(dict[str, str]):
    """Texts by key. A missing one prints its key: no text may keep a shop from selling."""

    def __missing__(self, key: str) -> str:
        return key


def load_texts(locale: str) -> ReceiptTexts:
    """Texts of `zh-CN`, `zh-TW` or `en`."""
    catalogue = json.loads((_FOLDER / f"{locale}.json").read_text(encoding="utf-8"))
    return ReceiptTexts({key: text for key, text in catalogue.items() if key.startswith(_PREFIXES)})
