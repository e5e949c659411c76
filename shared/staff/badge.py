"""Badges: what is kept of a code is a keyed hash, which a scan is compared with.

Each badge has a key of its own, so that two hashes tell nothing of each other. A code that head
office makes has 80 random bits: nobody finds it from hash and key. The code of an older card is as
good as it is long, and a role may ask for the PIN beside it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.kernel.errors import RefusedError

PREFIX = "TBS"
CODE_BYTES, KEY_BYTES = 10, 16
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_CODE = re.compile(r"[A-Za-z0-9._~-]{8,40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class BadgeHash:
    """What a till knows of a badge; both hex."""

    key: str
    hash: str

    def is_of(self, code: str) -> bool:
        """Whether a scan is this badge."""
        return hmac.compare_digest(_hash(code, self.key), self.hash)


def badge_code(random: bytes) -> str:
    """A new badge's code, of CODE_BYTES random bytes: letters and digits for Code 128 or QR."""
    assert len(random) == CODE_BYTES
    number = int.from_bytes(random, "big")
    return PREFIX + "".join(_ALPHABET[(number >> shift) & 31] for shift in range(75, -1, -5))


def may_be_badge(code: str) -> bool:
    """Whether a scan has the form of a badge's code; the number of an item never has."""
    return _CODE.fullmatch(code) is not None and not code.isdecimal()


def check_badge_code(code: str) -> None:
    """RefusedError `badge.code` for what is too short, too long, or may be an item's number."""
    if not may_be_badge(code):
        raise RefusedError("badge.code")


def badge_hash(code: str, key: bytes) -> BadgeHash:
    """What is kept of a code, by KEY_BYTES random bytes: HMAC-SHA-256."""
    assert len(key) == KEY_BYTES
    return BadgeHash(key.hex(), _hash(code, key.hex()))


def parse_badge(value: object) -> BadgeHash | None:
    """The badge of {"key": hex, "hash": hex} in an operator's record; None where there is none."""
    if not isinstance(value, Mapping):
        return None
    found: Mapping[str, Any] = value
    key, kept = found.get("key"), found.get("hash")
    return BadgeHash(key, kept) if isinstance(key, str) and isinstance(kept, str) else None


def _hash(code: str, key: str) -> str:
    return hmac.new(key.encode(), code.encode(), hashlib.sha256).hexdigest()
