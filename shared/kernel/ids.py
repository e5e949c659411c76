"""Identifiers as types of their own, and UUIDv7 from given time and randomness (RFC 9562)."""

from __future__ import annotations

import uuid
from typing import NewType

StoreId = NewType("StoreId", str)
DeviceId = NewType("DeviceId", str)
StreamId = NewType("StreamId", str)
"""32 lower-case hex digits; minted once per journal life."""
EntryId = NewType("EntryId", str)

RANDOM_BYTES = 10


def uuid7(at_ms: int, random_bytes: bytes) -> str:
    """A time-ordered UUID from UTC milliseconds and ten random bytes."""
    if len(random_bytes) != RANDOM_BYTES:
        raise ValueError(f"uuid7 needs {RANDOM_BYTES} random bytes")
    value = int.from_bytes(at_ms.to_bytes(6, "big") + random_bytes, "big")
    value = value & ~(0xF << 76) | (0x7 << 76)
    value = value & ~(0x3 << 62) | (0x2 << 62)
    return str(uuid.UUID(int=value))
