"""What the apps say: tests find things by the catalogue's words, never by a copy of them."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

CATALOGUES = Path(__file__).resolve().parents[2] / "shared" / "i18n"
MINUS = "\N{MINUS SIGN}"


@cache
def _catalogue(language: str) -> dict[str, str]:
    texts: dict[str, str] = json.loads((CATALOGUES / f"{language}.json").read_text("utf-8"))
    return texts


class Words:
    """The texts of one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._texts = _catalogue(language)

    def __call__(self, key: str, **params: str | int) -> str:
        """The text of a key; a text that counts is chosen by `count`."""
        return self._template(key, params).format(**params)

    def like(self, key: str, **params: str | int) -> re.Pattern[str]:
        """A pattern of the text in which the parameters that are not given may be anything."""
        parts = re.split(r"\{(\w+)\}", self._template(key, params))
        named = (re.escape(str(params[part])) if part in params else ".+?" for part in parts[1::2])
        fixed = [re.escape(part) for part in parts[::2]]
        found = fixed[0] + "".join(a + b for a, b in zip(named, fixed[1:], strict=True))
        return re.compile(found)

    def _template(self, key: str, params: dict[str, str | int]) -> str:
        if key in self._texts:
            return self._texts[key]
        ending = "one" if params.get("count") == 1 and self.language == "en" else "other"
        return self._texts.get(f"{key}_{ending}") or self._texts[f"{key}_other"]


def money(minor: int) -> str:
    """Minor units of US dollars as both apps write them in all our languages."""
    sign = MINUS if minor < 0 else ""
    return f"{sign}${abs(minor) // 100:,}.{abs(minor) % 100:02d}"
