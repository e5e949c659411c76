"""Settings with dates, on four levels.

The store's own count first, then its group's, its price zone's and the chain's. A record of kind
`config` is keyed by the setting's name and its level: `payment` (the store's), `payment@g`,
`payment@z`, `payment@c`. Its body is {"dated": [[from, value], ...]}: `from` is "" for always, or a
time on the store's own clock such as "2026-12-01T00:00"; `value` null ends what the level said
before, and the next level counts again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum
from typing import Any

from shared.kernel.errors import RefusedError
from shared.kernel.wall_clock import instant_ms

ALWAYS = ""
_PARTS = 2


class ConfigLevel(StrEnum):
    """Who set something up."""

    STORE = "store"
    GROUP = "group"
    ZONE = "zone"
    CHAIN = "chain"


SUFFIX = {
    ConfigLevel.STORE: "",
    ConfigLevel.GROUP: "@g",
    ConfigLevel.ZONE: "@z",
    ConfigLevel.CHAIN: "@c",
}
"""What follows the name in the key of a record, the level that counts first coming first."""

Value = Mapping[str, Any]
Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Setting:
    """What counts at an instant, and where it was set."""

    value: Value
    level: ConfigLevel


def record_key(name: str, level: ConfigLevel) -> str:
    """The key of a setting's record on a level."""
    return name + SUFFIX[level]


def setting_at(
    name: str, read: Callable[[str], Body | None], at_ms: int, zone: tzinfo
) -> Setting | None:
    """What counts at an instant (UTC ms) in a store of that time zone; None when nobody says.

    `read` gives a record's body by its key. Raises RefusedError `config.record`.
    """
    for level in SUFFIX:
        key = record_key(name, level)
        body = read(key)
        value = None if body is None else _value_at(key, body, at_ms, zone)
        if value is not None:
            return Setting(value, level)
    return None


def body_of(dated: Iterable[tuple[str, Value | None]]) -> dict[str, Any]:
    """The body of a record; of two rows of one time the later one counts."""
    last = dict(dated)
    return {"dated": [[start, last[start]] for start in sorted(last)]}


def _value_at(key: str, body: Body, at_ms: int, zone: tzinfo) -> Value | None:
    found: Value | None = None
    for start, value in _rows(key, body):
        if start != ALWAYS and instant_ms(start, zone) > at_ms:
            break
        found = value
    return found


def _rows(key: str, body: Body) -> list[tuple[str, Value | None]]:
    rows = body.get("dated")
    if not isinstance(rows, list) or not all(map(_is_row, rows)):
        raise RefusedError("config.record", key=key[:60])
    return sorted(((row[0], row[1]) for row in rows), key=lambda row: row[0])


def _is_row(row: object) -> bool:
    return (
        isinstance(row, list | tuple)
        and len(row) == _PARTS
        and isinstance(row[0], str)
        and isinstance(row[1], Mapping | None)
    )
