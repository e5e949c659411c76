"""Identifiers of the box; the only module of the box that asks for randomness."""

from __future__ import annotations

import os
import secrets

from shared.kernel.clock import Clock
from shared.kernel.ids import RANDOM_BYTES, EntryId, uuid7

_TOKEN_BYTES = 24
_JITTER_STEPS = 1 << 30


class Ids:
    """Makes ids that sort by time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def entry_id(self) -> EntryId:
        """A UUIDv7 for a basket, and so for the journal entry of its sale."""
        return EntryId(uuid7(self._clock.now_ms(), os.urandom(RANDOM_BYTES)))

    def session_token(self) -> str:
        """An unguessable token of a signed-in operator."""
        return secrets.token_urlsafe(_TOKEN_BYTES)

    def jitter(self) -> float:
        """A number in [0, 1), so that ten thousand boxes do not call at once."""
        return secrets.randbelow(_JITTER_STEPS) / _JITTER_STEPS


def new_stream_id() -> str:
    """A stream id for a journal life that begins while head office is out of reach."""
    return secrets.token_hex(16)


def secret_bytes(count: int) -> bytes:
    """`count` bytes that nobody can guess."""
    return secrets.token_bytes(count)
