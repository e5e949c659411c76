"""Which of our languages a browser asks for (RFC 9110, section 12.5.4)."""

from __future__ import annotations

LANGUAGES = ("zh-CN", "zh-TW", "en")
NAMES = {"zh-CN": "简体中文", "zh-TW": "繁體中文", "en": "English"}
FALLBACK = "en"
_TRADITIONAL = ("zh-tw", "zh-hk", "zh-mo", "zh-hant")
_HEADER_MAX = 400


def language_of(chosen: str, accept_language: str) -> str:
    """The language that a person chose, else the best of the header, else English."""
    if chosen in LANGUAGES:
        return chosen
    wanted: list[tuple[float, str]] = []
    for part in accept_language[:_HEADER_MAX].split(","):
        name, _, quality = part.strip().partition(";")
        found = _known(name.strip().lower())
        if found is not None:
            wanted.append((_weight(quality), found))
    best = max(wanted, key=lambda each: each[0], default=(0.0, FALLBACK))
    return best[1] if best[0] > 0 else FALLBACK


def _known(name: str) -> str | None:
    if name.startswith(_TRADITIONAL):
        return "zh-TW"
    if name.partition("-")[0] == "zh":
        return "zh-CN"
    return "en" if name.partition("-")[0] == "en" else None


def _weight(quality: str) -> float:
    name, _, value = quality.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
