"""What a log may say outside the store: an allow-list, because nobody knows all that is private.

A line in JSON keeps numbers, flags and the texts of fields that only ever hold codes, ids of
machines, places in the program and times. Of any other text its length is told, and the dotted code
or operating system error that it begins with. A line that is no JSON is kept as far as it is the
place of a fault in the program.
"""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Iterable
from typing import Any

PLAIN_FIELDS = frozenset({
    "timestamp", "level", "event", "logger", "code", "codes", "state", "status", "outcome",
    "device", "printer", "drawer", "kind", "type", "what", "cause", "verdict", "halt", "command",
    "exc_type", "name", "filename", "lineno", "module", "is_cause", "syntax_error", "field",
    "stream", "id", "job", "result", "version", "sw",
})  # fmt: skip
"""Fields whose texts are the program's own words; the places of a traceback are among them."""
SECRET_FIELDS = re.compile(
    r"pin|pass|secret|token|bearer|author|cookie|card|pan|phone|mail|member|customer|operator"
    r"|actor|user|claim|key$|key_|address",
    re.IGNORECASE,
)
DEPTH_MAX, ITEMS_MAX = 8, 64
HIDDEN = "[hidden]"
_WORD = re.compile(r"[\w.:/+\-<>\[\]]{1,160}", re.ASCII)
_NAME = re.compile(r"[a-z][a-z_]{0,39}[0-9]{0,2}", re.ASCII)
_CODE = re.compile(r"[a-z][a-z_]*(?:\.[a-z][a-z_]*)+(?![\w@.])", re.ASCII)
_ERRNO = re.compile(r"\[Errno (\d{1,4})\]")
_LONG_NUMBER = re.compile(r"\d[\d \-.]{5,}\d")
_LONG_WORD = re.compile(r"[A-Za-z0-9+/_=\-]{24,}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d)?")
_PLACE = re.compile(r"""\s*File "[^"]*?((?:/[\w.\-]+){1,3})", line (\d+), in ([\w<>]+)""")
_BIG = 1_000_000_000_000_000
"""Numbers of as many digits as cards have are told no more than texts are."""


def redacted(lines: Iterable[str], secrets: Iterable[str] = ()) -> list[str]:
    """The lines as they may leave the store; `secrets` are texts that must not be in them at all.

    Shorter secrets than three characters are not looked for: they would hide half the log.
    """
    hidden = sorted({each for each in secrets if len(each) > 2}, key=len, reverse=True)  # noqa: PLR2004 - see the docstring
    pattern = re.compile("|".join(map(re.escape, hidden)), re.IGNORECASE) if hidden else None
    told = (_line(line.strip("\n")) for line in lines)
    if pattern is None:
        return list(told)
    return [pattern.sub(HIDDEN, each) for each in told]


def _line(line: str) -> str:
    try:
        found = json.loads(line)
    except ValueError:
        return _loose(line)
    if not isinstance(found, dict):
        return _loose(line)
    return json.dumps(_fields(found, 0), ensure_ascii=True)


def _fields(found: dict[str, Any], depth: int) -> dict[str, Any]:
    """Names of fields are the program's own words, but only where they look like it."""
    told: dict[str, Any] = {}
    for name, value in list(found.items())[:ITEMS_MAX]:
        if _NAME.fullmatch(name) is None:
            told.setdefault(HIDDEN, 0)
            told[HIDDEN] += 1
        elif SECRET_FIELDS.search(name):
            told[name] = HIDDEN
        else:
            told[name] = _value(name, value, depth)
    return told


def _value(name: str, value: Any, depth: int) -> Any:  # noqa: ANN401 - whatever JSON holds
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return value if abs(value) < _BIG else HIDDEN
    if isinstance(value, str):
        return _plain(value) if name in PLAIN_FIELDS else _text(value)
    if depth >= DEPTH_MAX:
        return HIDDEN
    if isinstance(value, list):
        return [_value(name, each, depth + 1) for each in value[:ITEMS_MAX]]
    return _fields(value, depth + 1)


def _plain(text: str) -> str:
    """One word of the program; numbers and words as long as secrets are hidden even there."""
    if _TIME.fullmatch(text):
        return text
    if _WORD.fullmatch(text) is None or "@" in text:
        return _text(text)
    return _LONG_WORD.sub(_shortened, _LONG_NUMBER.sub(HIDDEN, text))


def _shortened(word: re.Match[str]) -> str:
    return word.group() if word.group().replace("_", "").isalpha() else HIDDEN


def _text(text: str) -> str:
    """Of a text its length, and a code or an error number of the system that it begins with."""
    said = f"[{len(text)} characters]"
    known = _ERRNO.search(text)
    if known is not None:
        name = errno.errorcode.get(int(known.group(1)), known.group(1))
        return f"{name} {said}"
    code = _CODE.match(text)
    return said if code is None else f"{code.group()} {said}"


def _loose(line: str) -> str:
    place = _PLACE.match(line)
    if place is not None:
        return f"  {place.group(1)}:{place.group(2)} in {place.group(3)}"
    return _text(line) if line.strip() else ""
