"""What a person wants to know of an entry's bytes: is it a sale, and which receipt."""

from __future__ import annotations

import json

_SALE = b'"type":"sale.completed"'
_SALVAGED_SALE = b'\\"type\\":\\"sale.completed\\"'
"""The same within `entry.salvaged`, whose `body` is text."""


def is_sale(body: bytes) -> bool:
    """Whether an entry, or the entry that it salvages, is a completed sale.

    A quote inside a name is escaped, so these bytes stand for a member and its value only.
    """
    return _SALE in body or _SALVAGED_SALE in body


def receipt_no_of(body: bytes) -> str:
    """Receipt number of a sale's entry; "" for what is none."""
    try:
        data = json.loads(body)["data"]
        if "body" in data:
            data = json.loads(data["body"])["data"]
        return str(data["sale"]["receipt_no"])
    except (ValueError, KeyError, TypeError):
        return ""
