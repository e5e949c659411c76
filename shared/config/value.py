"""Reading one value of a setting: every mistake has its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.kernel.errors import RefusedError

LANGUAGES = ("zh-CN", "zh-TW", "en")
LINES_MAX, LINE_LENGTH_MAX = 12, 96


def wrong(field: str) -> RefusedError:
    """The error for a field that cannot be read or makes no sense."""
    return RefusedError("config.value", field=field[:60])


def only(value: Mapping[str, Any], *fields: str) -> None:
    """Refuse fields that nobody would read."""
    for field in value:
        if field not in fields:
            raise wrong(field)


def text_lines(value: Mapping[str, Any], field: str) -> dict[str, tuple[str, ...]]:
    """Lines by language; a field that is left out has none."""
    found = value.get(field, {})
    if not isinstance(found, Mapping):
        raise wrong(field)
    return {language: _lines(lines, language, field) for language, lines in found.items()}


def _lines(lines: object, language: str, field: str) -> tuple[str, ...]:
    place = f"{field}.{language}"
    if language not in LANGUAGES or not isinstance(lines, list | tuple):
        raise wrong(place)
    if len(lines) > LINES_MAX or not all(map(_is_line, lines)):
        raise wrong(place)
    return tuple(lines)


def _is_line(line: object) -> bool:
    return isinstance(line, str) and len(line) <= LINE_LENGTH_MAX and line.isprintable()
