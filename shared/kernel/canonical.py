"""One byte form for each value, so that a hash of it means something.

Canonical JSON of this product: UTF-8, sorted keys, no spaces, NFC text, no floats. What is
stored and sent is these very bytes; nobody serialises again in order to verify.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from typing import Any

_encode = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False, check_circular=False
).encode


def canonical_bytes(value: Mapping[str, Any]) -> bytes:
    """Canonical JSON of a mapping of strings, ints, booleans, None, lists and mappings.

    Raises TypeError on a float or any other type: money and quantity are integers.
    """
    _refuse_floats(value)
    text = _encode(value)
    if not text.isascii() and not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    return text.encode()


def sha256(data: bytes) -> bytes:
    """SHA-256 digest, 32 bytes."""
    return hashlib.sha256(data).digest()


def _refuse_floats(value: object) -> None:
    kind = type(value)
    if kind is str or kind is int or value is None or kind is bool:
        return
    if kind is dict:
        for key, item in value.items():  # type: ignore[attr-defined]
            if type(key) is not str:
                raise TypeError(f"a key must be text, not {type(key).__name__}")
            _refuse_floats(item)
    elif kind is list or kind is tuple:
        for item in value:  # type: ignore[attr-defined]
            _refuse_floats(item)
    else:
        raise TypeError(f"{kind.__name__} has no canonical form")
