"""What head office may set on boxes, instead of each box's own file.

A setting `box/<section>.<field>` bears the name that it has in the box's `edge.toml`; its value is
{"value": ...}. One name is one setting, so a store may have its own language under the chain's
hours. What names a device, a path or an address is the box's alone and not among them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.config.dated import Value
from shared.config.value import LANGUAGES, only, wrong
from shared.kernel.errors import RefusedError

BOX = "box/"
_TIME_OF_DAY = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d", re.ASCII)
_NUMBERS_MAX = 10
BoxValue = str | int | bool | tuple[int, ...]


class FieldKind(StrEnum):
    """What a value is: one of some words, a whole number, yes or no, "HH:MM" or "", numbers."""

    CHOICE = "choice"
    WHOLE = "whole"
    FLAG = "flag"
    TIME = "time"
    NUMBERS = "numbers"


@dataclass(frozen=True, slots=True)
class BoxField:
    """One setting. `low` and `high` bound a number; `is_live`: it counts without a restart."""

    kind: FieldKind
    low: int = 0
    high: int = 0
    choices: tuple[str, ...] = ()
    is_live: bool = False


LABEL_PREFIXES = (2, 4, *range(20, 30))
"""What GS1 leaves to stores and chains; 02 and 04 are UPC-A's 2 and 4."""
_PREFIXES = BoxField(FieldKind.NUMBERS, LABEL_PREFIXES[0], LABEL_PREFIXES[-1])
_COUNTRIES = ("", "DE", "DK", "EE", "FI", "GB", "LT", "LV", "NO", "SE")
BOX_FIELDS: Mapping[str, BoxField] = {
    "box.locale": BoxField(FieldKind.CHOICE, choices=LANGUAGES),
    "drawer.left_open_s": BoxField(FieldKind.WHOLE, 0, 3600, is_live=True),
    "self_test.at": BoxField(FieldKind.TIME, is_live=True),
    "telemetry.every_s": BoxField(FieldKind.WHOLE, 10, 3600, is_live=True),
    "scale.is_automatic": BoxField(FieldKind.FLAG),
    "scanner.repeat_ms": BoxField(FieldKind.WHOLE, 0, 2000),
    "barcode.country": BoxField(FieldKind.CHOICE, choices=_COUNTRIES),
    "barcode.weight_prefixes": _PREFIXES,
    "barcode.price_prefixes": _PREFIXES,
    "barcode.member_prefixes": _PREFIXES,
}
"""By section and field of `edge.toml`."""


def parse_box(field: str, value: Value) -> BoxValue:
    """The value of {"value": ...}; RefusedError `config.name` or `config.value`."""
    spec = BOX_FIELDS.get(field)
    if spec is None:
        raise RefusedError("config.name", name=(BOX + field)[:60])
    only(value, "value")
    found = value.get("value")
    if not _is_right(spec, found):
        raise wrong(field)
    return tuple(found) if isinstance(found, list | tuple) else found  # type: ignore[return-value]


def _is_right(spec: BoxField, found: object) -> bool:
    match spec.kind:
        case FieldKind.CHOICE:
            return isinstance(found, str) and found in spec.choices
        case FieldKind.WHOLE:
            return type(found) is int and spec.low <= found <= spec.high
        case FieldKind.FLAG:
            return isinstance(found, bool)
        case FieldKind.TIME:
            return isinstance(found, str) and (not found or bool(_TIME_OF_DAY.fullmatch(found)))
        case FieldKind.NUMBERS:
            return isinstance(found, list | tuple) and _are_prefixes(found)


def _are_prefixes(found: list[object] | tuple[object, ...]) -> bool:
    are_known = all(type(each) is int and each in LABEL_PREFIXES for each in found)
    return are_known and len(set(found)) == len(found) <= _NUMBERS_MAX
