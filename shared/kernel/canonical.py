"""One byte form for each value, so that a hash of it means something.

Canonical JSON of this product: UTF-8, sorted keys, no spaces, NFC text, no floats. What is
stored and sent is these very bytes; nobody serialises again in order to verify.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

_encode = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False, check_circular=False
).encode
_KEYS = frozenset({str})
_LEAVES = frozenset({str, int, bool, type(None)})


def canonical_bytes(value: Mapping[str, Any]) -> bytes:
    """Canonical JSON of a mapping of strings, ints, booleans, None, lists and mappings.

    Raises TypeError on a float or any other type: money and quantity are integers. Raises
    ValueError on text that UTF-8 cannot say and on keys that are equal once composed.
    """
    refuse_other_types(value)
    text = _encode(value)
    if not is_composed(text):
        text = _encode(_composed(value))
    return text.encode()


def is_composed(text: str) -> bool:
    """Whether a text is in Unicode's normal form C already, as nearly all text is."""
    return text.isascii() or unicodedata.is_normalized("NFC", text)


def sha256(data: bytes) -> bytes:
    """SHA-256 digest, 32 bytes."""
    return hashlib.sha256(data).digest()


def refuse_other_types(value: object) -> None:
    """Raise TypeError for what has no canonical form, such as a float.

    Walks the containers only: a look at the type of each leaf costs no call.
    """
    kind = type(value)
    children: Iterable[object]
    if kind is dict:
        if not _KEYS.issuperset(map(type, value)):  # type: ignore[call-overload]
            raise TypeError("a key must be text")
        children = value.values()  # type: ignore[attr-defined]
    elif kind is list or kind is tuple:
        children = value  # type: ignore[assignment]
    else:
        raise TypeError(f"{kind.__name__} has no canonical form")
    for child in children:
        if type(child) not in _LEAVES:
            refuse_other_types(child)


def _composed(value: object) -> object:
    """Compose each text by itself: in the finished JSON a mark would join an escape's letter."""
    match value:
        case str():
            return unicodedata.normalize("NFC", value)
        case dict():
            found = {_composed(key): _composed(item) for key, item in value.items()}
            if len(found) != len(value):
                raise ValueError("two keys are equal once composed")
            return found
        case list() | tuple():
            return [_composed(item) for item in value]
        case _:
            return value
