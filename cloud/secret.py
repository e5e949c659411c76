"""Small secrets at rest: AES-256-GCM under a key that only head office's key can make.

Whoever has the database alone reads none of them.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cloud.clock import random_bytes
from cloud.signing import HqKey
from shared.kernel.errors import CorruptError

NONCE_BYTES = 12


class Sealer:
    """Seals and opens the secrets of one purpose."""

    def __init__(self, hq_key: HqKey, purpose: str) -> None:
        self._cipher = AESGCM(hq_key.derive(purpose, b"tillbox sealing"))

    def seal(self, secret: bytes, owner: str) -> bytes:
        """The secret as only `open` with the same owner reads it."""
        nonce = random_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, owner.encode())

    def open(self, sealed: bytes, owner: str) -> bytes:
        """The secret; CorruptError `secret.unreadable` under another key or owner."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], owner.encode())
        except (InvalidTag, ValueError):
            raise CorruptError("secret.unreadable", owner=owner[:40]) from None
